using System.Text;
using System.Text.Json;
using Dragoman.Aws.Http;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Queues.Moves;

namespace Dragoman.Aws.Sqs.Operations;

/// <summary>Begins to move a dead-letter queue's messages back to where they came from, or to another queue.</summary>
internal sealed class StartMessageMoveTask(AwsNode node, QueueAccess access) : IOperation
{
    private const int MaxRate = 500;

    public async ValueTask HandleAsync(AwsCall call)
    {
        var source = MoveTask.Find(call, node, access, call.Input.Required("SourceArn"), "SourceArn", Broker.Security.Operations.Read, "startmessagemovetask");
        IQueueHandle? target = null;
        if (call.Input.Text("DestinationArn") is { } destination)
            target = MoveTask.Find(call, node, access, destination, "DestinationArn", Broker.Security.Operations.Write, "startmessagemovetask");
        var rate = call.Input.Integer("MaxNumberOfMessagesPerSecond");
        if (rate is < 1 or > MaxRate) throw SqsErrors.InvalidParameter($"{rate}", "MaxNumberOfMessagesPerSecond", $"Must be between 1 and {MaxRate}, if provided.");
        if (!DeadLetterQueues.SourcesOf(node, source).Any()) throw AwsException.InvalidParameterValue("Source queue must be configured as a Dead Letter Queue.");
        var answer = await node.Broker.Moves.StartAsync(source, new MoveOptions { Target = target?.Name.Name, MessagesPerSecond = rate ?? 0 }, call.Gone);
        if (answer.Status == QueueStatus.InUse) throw AwsException.InvalidParameterValue("There is already a task running. Only one active task is allowed for a source queue arn at a given time.");
        if (answer.Status != QueueStatus.Ok) throw SqsErrors.Of(answer.Status, call, answer.Message);
        call.Output.Text("TaskHandle", MoveTask.HandleOf(call, node, answer.Move!));
    }
}

/// <summary>Lists the newest moves of a queue.</summary>
internal sealed class ListMessageMoveTasks(AwsNode node, QueueAccess access) : IOperation
{
    private const int MaxResults = 10;

    public ValueTask HandleAsync(AwsCall call)
    {
        var source = MoveTask.Find(call, node, access, call.Input.Required("SourceArn"), "SourceArn", Broker.Security.Operations.Describe, "listmessagemovetasks");
        var max = call.Input.Integer("MaxResults") ?? 1;
        if (max is < 1 or > MaxResults) throw SqsErrors.InvalidParameter($"{max}", "MaxResults", $"Value for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and {MaxResults}.");
        call.Output.BeginList("Results", "ListMessageMoveTasksResultEntry");
        foreach (var move in node.Broker.Moves.List().Where(m => m.SourceId == source.Id).Take(max))
        {
            call.Output.BeginItem();
            if (!move.HasEnded) call.Output.Text("TaskHandle", MoveTask.HandleOf(call, node, move));
            call.Output.Text("Status", move.State.ToString().ToUpperInvariant());
            call.Output.Text("SourceArn", QueueUrl.ArnOf(call, node, move.Source.Name));
            if (move.Target is { } target) call.Output.Text("DestinationArn", QueueUrl.ArnOf(call, node, target));
            if (move.MessagesPerSecond > 0) call.Output.Integer("MaxNumberOfMessagesPerSecond", (long)move.MessagesPerSecond);
            call.Output.Integer("ApproximateNumberOfMessagesMoved", move.Moved);
            call.Output.Integer("ApproximateNumberOfMessagesToMove", move.Planned);
            if (move.State == MoveState.Failed && move.Reason is { } reason) call.Output.Text("FailureReason", reason);
            call.Output.Integer("StartedTimestamp", move.StartedAt.ToUnixTimeMilliseconds());
            call.Output.EndItem();
        }
        call.Output.EndList();
        return ValueTask.CompletedTask;
    }
}

/// <summary>Ends a move; what was moved stays where it is.</summary>
internal sealed class CancelMessageMoveTask(AwsNode node, QueueAccess access) : IOperation
{
    public async ValueTask HandleAsync(AwsCall call)
    {
        var (id, source) = MoveTask.ParseHandle(call.Input.Required("TaskHandle"));
        var queue = MoveTask.Find(call, node, access, source, "SourceArn", Broker.Security.Operations.Read, "cancelmessagemovetask");
        if (node.Broker.Moves.Find(id) is not { HasEnded: false } move || move.SourceId != queue.Id) throw SqsErrors.NoResource("Task does not exist.");
        var answer = await node.Broker.Moves.CancelAsync(id, call.Gone);
        if (answer.Status is not (QueueStatus.Ok or QueueStatus.InUse)) throw SqsErrors.Of(answer.Status, call, answer.Message);
        call.Output.Integer("ApproximateNumberOfMessagesMoved", (answer.Move ?? move).Moved);
    }
}

/// <summary>What the operations on moves share.</summary>
internal static class MoveTask
{
    /// <summary>The queue of a resource name.</summary>
    /// <exception cref="AwsException">There is none.</exception>
    public static IQueueHandle Find(AwsCall call, AwsNode node, QueueAccess access, string arn, string parameter, Broker.Security.Operations operation, string action)
    {
        if (QueueUrl.NameOfArn(arn) is not { } name || node.Broker.Queues.Find(AwsNode.NameOf(name)) is not { } queue)
            throw SqsErrors.NoResource($"The resource that you specified for the {parameter} parameter doesn't exist.");
        access.Authorize(call, name, operation, action);
        return queue;
    }

    /// <summary>What a client calls a move: its id and its source, in JSON, in Base64.</summary>
    public static string HandleOf(AwsCall call, AwsNode node, Move move) =>
        Convert.ToBase64String(Encoding.UTF8.GetBytes($$"""{"taskId":"{{move.Id}}","sourceArn":"{{QueueUrl.ArnOf(call, node, move.Source.Name)}}"}"""));

    /// <summary>Reads a handle.</summary>
    /// <exception cref="AwsException">It is none.</exception>
    public static (Guid Id, string SourceArn) ParseHandle(string handle)
    {
        try
        {
            using var document = JsonDocument.Parse(Convert.FromBase64String(handle));
            var root = document.RootElement;
            return (Guid.TryParse(root.GetProperty("taskId").GetString(), out var id) ? id : Guid.Empty, root.GetProperty("sourceArn").GetString() ?? "");
        }
        catch (Exception error) when (error is FormatException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw AwsException.InvalidParameterValue("Value for parameter TaskHandle is invalid.");
        }
    }
}

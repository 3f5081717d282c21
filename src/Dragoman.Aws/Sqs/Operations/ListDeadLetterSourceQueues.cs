using Dragoman.Aws.Http;

namespace Dragoman.Aws.Sqs.Operations;

/// <summary>Lists the queues whose dead-letter queue this one is.</summary>
internal sealed class ListDeadLetterSourceQueues(AwsNode node, QueueAccess access) : IOperation
{
    public ValueTask HandleAsync(AwsCall call)
    {
        var queue = access.Find(call, Broker.Security.Operations.Describe, "listdeadlettersourcequeues");
        var sources = DeadLetterQueues.SourcesOf(node, queue);
        // The JSON protocol spells this list in small letters, and says that there are none.
        if (!call.IsQuery && !sources.Any())
        {
            call.Output.BeginList("queueUrls", "QueueUrl");
            call.Output.EndList();
        }
        ListQueues.Write(call, node, sources, "queueUrls", "QueueUrl");
        return ValueTask.CompletedTask;
    }
}

using System.Text.Json;
using Dragoman.Aws.Http;
using Dragoman.Aws.Sqs.Attributes;
using Dragoman.Broker.Queues;

namespace Dragoman.Aws.Sqs;

/// <summary>Which queues are dead-letter queues of which.</summary>
internal static class DeadLetterQueues
{
    /// <summary>Refuses a dead-letter queue that is not there, or that does not take this queue's messages.</summary>
    /// <exception cref="AwsException">It is so.</exception>
    public static void Check(AwsNode node, string queue, QueueSettings settings, AwsCall call)
    {
        if (settings.Subscription.DeadLetter?.Queue is not { } name || QueueAttributes.Kept(settings, AttributeNames.RedrivePolicy) is not { } policy) return;
        if (node.Broker.Queues.Find(AwsNode.NameOf(name)) is not { } target) throw SqsErrors.InvalidParameter(policy, AttributeNames.RedrivePolicy, "Dead letter target does not exist.");
        if (!Allows(target.Settings, QueueUrl.ArnOf(call, node, queue)))
            throw SqsErrors.InvalidParameter(policy, AttributeNames.RedrivePolicy, $"Dead-letter queue does not allow this source queue: see its {AttributeNames.RedriveAllowPolicy}.");
    }

    /// <summary>The queues whose messages go to a queue when they were received too often, in the order of their names.</summary>
    public static IEnumerable<IQueueHandle> SourcesOf(AwsNode node, IQueueHandle target) =>
        node.Broker.Queues.List().Where(q => q.Name.Namespace == target.Name.Namespace && q.Settings.Subscription.DeadLetter?.Queue == target.Name.Name);

    private static bool Allows(QueueSettings target, string source)
    {
        if (QueueAttributes.Kept(target, AttributeNames.RedriveAllowPolicy) is not { } text) return true;
        using var policy = JsonDocument.Parse(text);
        if (!policy.RootElement.TryGetProperty("redrivePermission", out var permission)) return true;
        return permission.ToString() switch
        {
            "denyAll" => false,
            "byQueue" => policy.RootElement.TryGetProperty("sourceQueueArns", out var sources) && sources.ValueKind == JsonValueKind.Array
                && sources.EnumerateArray().Any(s => s.ValueKind == JsonValueKind.String && QueueUrl.NameOfArn(s.GetString()!) == QueueUrl.NameOfArn(source)),
            _ => true,
        };
    }
}

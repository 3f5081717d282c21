using Dragoman.Aws.Http;

namespace Dragoman.Aws.Sqs.Operations;

/// <summary>Finds a queue's URL by its name.</summary>
internal sealed class GetQueueUrl(AwsNode node, QueueAccess access) : IOperation
{
    public ValueTask HandleAsync(AwsCall call)
    {
        var queue = access.Find(call, call.Input.Required("QueueName"), Broker.Security.Operations.Describe, "getqueueurl");
        call.Output.Text("QueueUrl", QueueUrl.Of(call, node, queue.Name.Name));
        return ValueTask.CompletedTask;
    }
}

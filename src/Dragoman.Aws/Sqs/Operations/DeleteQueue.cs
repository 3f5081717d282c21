using Dragoman.Aws.Http;
using Dragoman.Broker.Queues;

namespace Dragoman.Aws.Sqs.Operations;

/// <summary>Deletes a queue and its messages. A queue of the name can be made anew at once.</summary>
internal sealed class DeleteQueue(AwsNode node, QueueAccess access) : IOperation
{
    public bool HasResult => false;

    public async ValueTask HandleAsync(AwsCall call)
    {
        var queue = access.Find(call, Broker.Security.Operations.Delete, "deletequeue");
        var answer = await node.Broker.Queues.DeleteAsync(queue, cancellation: call.Gone);
        if (answer.Status is not (QueueStatus.Ok or QueueStatus.NotFound)) throw SqsErrors.Of(answer.Status, call, answer.Message);
    }
}

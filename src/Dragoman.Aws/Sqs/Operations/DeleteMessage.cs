using Dragoman.Aws.Http;
using Dragoman.Aws.Sqs.Attributes;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;

namespace Dragoman.Aws.Sqs.Operations;

/// <summary>
/// Deletes a message that was received. With a handle that is not the message's newest this succeeds and deletes nothing, as
/// with a message that is gone already.
/// </summary>
internal sealed class DeleteMessage(QueueAccess access, FirstReceipts receipts) : IOperation
{
    public bool HasResult => false;

    public async ValueTask HandleAsync(AwsCall call)
    {
        var queue = access.Find(call, Broker.Security.Operations.Read, "deletemessage");
        var handle = QueueAccess.HandleOf(queue, call.Input);
        var answer = await queue.SettleAsync(Settlement.Acknowledge, new[] { handle.Lease });
        if (answer.Status != QueueStatus.Ok) throw SqsErrors.Of(answer.Status, call, answer.Message);
        if (answer.Count > 0) receipts.Forget(queue.Id, handle.Lease.Offset);
        else if (QueueAttributes.IsFifo(queue.Settings) && await IsThereAsync(queue, handle.Lease.Offset))
            throw SqsErrors.InvalidParameter(call.Input.Required("ReceiptHandle"), "ReceiptHandle", "The receipt handle has expired.");
    }

    /// <summary>Whether a message is in the queue still, with whomever.</summary>
    public static async ValueTask<bool> IsThereAsync(IQueueHandle queue, long offset)
    {
        var answer = await queue.PeekAsync(offset, 1);
        using var found = answer.Deliveries;
        return found is { Count: > 0 } && found[0].Offset == offset;
    }
}

using Dragoman.Aws.Http;
using Dragoman.Aws.Sqs.Attributes;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;

namespace Dragoman.Aws.Sqs.Operations;

/// <summary>Deletes up to ten messages in one commit; what is wrong with one does not keep the others.</summary>
internal sealed class DeleteMessageBatch(QueueAccess access, FirstReceipts receipts) : IOperation
{
    public async ValueTask HandleAsync(AwsCall call)
    {
        var queue = access.Find(call, Broker.Security.Operations.Read, "deletemessage");
        var entries = Batch.Read(call.Input, "DeleteMessageBatchRequestEntry");
        var valid = new List<(string Id, Input Entry)>(entries.Count);
        var leases = new LeaseToken[entries.Count];
        var failed = new List<(string, AwsException)>();
        foreach (var (id, entry) in entries)
        {
            try
            {
                leases[valid.Count] = QueueAccess.HandleOf(queue, entry).Lease;
                valid.Add((id, entry));
            }
            catch (AwsException error)
            {
                failed.Add((id, error));
            }
        }
        if (valid.Count > 0) await DeleteAsync(call, queue, leases.AsMemory(0, valid.Count), valid, failed);
        Batch.WriteSuccessful(call.Output, "DeleteMessageBatchResultEntry", valid.ConvertAll(static e => e.Id));
        Batch.WriteFailed(call.Output, failed);
    }

    /// <summary>Deletes messages, and moves the entries of those that could not be from one list to the other.</summary>
    private async ValueTask DeleteAsync(
        AwsCall call, IQueueHandle queue, ReadOnlyMemory<LeaseToken> leases, List<(string Id, Input Entry)> entries, List<(string, AwsException)> failed)
    {
        var answer = await queue.SettleAsync(Settlement.Acknowledge, leases);
        if (answer.Status != QueueStatus.Ok)
        {
            foreach (var (id, _) in entries) failed.Add((id, SqsErrors.Of(answer.Status, call, answer.Message)));
            entries.Clear();
            return;
        }
        if (answer.Count == leases.Length)
        {
            foreach (var lease in leases.Span) receipts.Forget(queue.Id, lease.Offset);
            return;
        }
        // Some handle was not its message's newest, which only a queue that keeps order minds; and only if the message is there.
        if (!QueueAttributes.IsFifo(queue.Settings)) return;
        for (var i = leases.Length - 1; i >= 0; i--)
        {
            if (!await DeleteMessage.IsThereAsync(queue, leases.Span[i].Offset)) continue;
            failed.Add((entries[i].Id, SqsErrors.InvalidParameter(entries[i].Entry.Required("ReceiptHandle"), "ReceiptHandle", "The receipt handle has expired.")));
            entries.RemoveAt(i);
        }
    }
}

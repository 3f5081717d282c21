using Dragoman.Aws.Http;

namespace Dragoman.Aws.Sqs.Operations;

/// <summary>Deletes up to ten messages; what is wrong with one does not keep the others.</summary>
internal sealed class DeleteMessageBatch(QueueAccess access, FirstReceipts receipts) : IOperation
{
    public async ValueTask HandleAsync(AwsCall call)
    {
        var queue = access.Find(call, Broker.Security.Operations.Read, "deletemessage");
        var entries = Batch.Read(call.Input, "DeleteMessageBatchRequestEntry");
        var done = new List<string>(entries.Count);
        var failed = new List<(string, AwsException)>();
        // All begin before one is waited for, so that they share a commit.
        var tasks = entries.Select(e => DeleteMessage.DeleteAsync(call, queue, e.Entry, receipts).AsTask()).ToArray();
        for (var i = 0; i < tasks.Length; i++)
        {
            try
            {
                await tasks[i];
                done.Add(entries[i].Id);
            }
            catch (AwsException error)
            {
                failed.Add((entries[i].Id, error));
            }
        }
        Batch.WriteSuccessful(call.Output, "DeleteMessageBatchResultEntry", done);
        Batch.WriteFailed(call.Output, failed);
    }
}

using Dragoman.Aws.Http;

namespace Dragoman.Aws.Sqs.Operations;

/// <summary>Changes the visibility of up to ten messages, each by itself.</summary>
internal sealed class ChangeMessageVisibilityBatch(AwsNode node, QueueAccess access) : IOperation
{
    public async ValueTask HandleAsync(AwsCall call)
    {
        var queue = access.Find(call, Broker.Security.Operations.Read, "changemessagevisibility");
        var entries = Batch.Read(call.Input, "ChangeMessageVisibilityBatchRequestEntry");
        var done = new List<string>(entries.Count);
        var failed = new List<(string, AwsException)>();
        var tasks = entries.Select(e => ChangeMessageVisibility.ChangeAsync(node, call, queue, e.Entry).AsTask()).ToArray();
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
        Batch.WriteSuccessful(call.Output, "ChangeMessageVisibilityBatchResultEntry", done);
        Batch.WriteFailed(call.Output, failed);
    }
}

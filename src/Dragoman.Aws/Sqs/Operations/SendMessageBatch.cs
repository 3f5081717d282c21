using Dragoman.Aws.Http;
using Dragoman.Aws.Sqs.Attributes;
using Dragoman.Aws.Sqs.Messages;

namespace Dragoman.Aws.Sqs.Operations;

/// <summary>Sends up to ten messages in one commit; what is wrong with one does not keep the others back.</summary>
internal sealed class SendMessageBatch(QueueAccess access, Sender sender) : IOperation
{
    public async ValueTask HandleAsync(AwsCall call)
    {
        var queue = access.Find(call, Broker.Security.Operations.Write, "sendmessage");
        var entries = Batch.Read(call.Input, "SendMessageBatchRequestEntry");
        var ids = new List<string>(entries.Count);
        var messages = new List<OutgoingMessage>(entries.Count);
        var failed = new List<(string, AwsException)>();
        var limit = QueueAttributes.MaxMessageBytes(queue.Settings);
        var isFifo = QueueAttributes.IsFifo(queue.Settings);
        long total = 0;
        foreach (var (id, entry) in entries)
        {
            try
            {
                var message = OutgoingMessage.Read(entry, queue.Settings, sender.Now, call.Trace);
                total += message.Size;
                if (message.Size > limit && message.Size <= QueueAttributes.LargestMessage)
                    throw AwsException.InvalidParameterValue($"One or more parameters cannot be validated. Reason: Message must be shorter than {limit} bytes.");
                ids.Add(id);
                messages.Add(message);
            }
            catch (AwsException error)
            {
                if (error.Code == "MissingParameter") error = AwsException.InvalidParameterValue(error.Message);
                // What a FIFO queue cannot put in order is refused as a whole.
                if (isFifo && !(entry.Has("MessageGroupId") && (entry.Has("MessageDeduplicationId") || QueueAttributes.DeduplicatesByContent(queue.Settings)))) throw error;
                failed.Add((id, error));
            }
        }
        if (total > QueueAttributes.LargestMessage) throw SqsErrors.BatchTooLong(QueueAttributes.LargestMessage, total);
        var sent = messages.Count > 0 ? await sender.SendAsync(call, queue, messages) : [];
        if (sent.Length > 0)
        {
            call.Output.BeginList("Successful", "SendMessageBatchResultEntry");
            for (var i = 0; i < sent.Length; i++)
            {
                call.Output.BeginItem();
                call.Output.Text("Id", ids[i]);
                SendMessage.WriteResult(call.Output, messages[i], sent[i].Id, sent[i].Offset, isFifo);
                call.Output.EndItem();
            }
            call.Output.EndList();
        }
        Batch.WriteFailed(call.Output, failed);
    }
}

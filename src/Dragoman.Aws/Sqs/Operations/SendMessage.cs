using Dragoman.Aws.Http;
using Dragoman.Aws.Sqs.Attributes;
using Dragoman.Aws.Sqs.Messages;

namespace Dragoman.Aws.Sqs.Operations;

/// <summary>Sends a message. The answer comes when it is what the queue's commit mode says.</summary>
internal sealed class SendMessage(QueueAccess access, Sender sender) : IOperation
{
    public async ValueTask HandleAsync(AwsCall call)
    {
        var queue = access.Find(call, Broker.Security.Operations.Write, "sendmessage");
        var message = OutgoingMessage.Read(call.Input, queue.Settings, sender.Now, call.Trace);
        var limit = QueueAttributes.MaxMessageBytes(queue.Settings);
        if (message.Size > limit) throw AwsException.InvalidParameterValue($"One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes.");
        var sent = await sender.SendAsync(call, queue, [message]);
        WriteResult(call.Output, message, sent[0].Id, sent[0].Offset, QueueAttributes.IsFifo(queue.Settings));
    }

    /// <summary>Writes what is to be said of a message that was sent.</summary>
    public static void WriteResult(Output output, OutgoingMessage message, string id, long offset, bool isFifo)
    {
        output.Text("MD5OfMessageBody", message.BodyHash);
        output.OptionalText("MD5OfMessageAttributes", message.AttributesHash);
        output.OptionalText("MD5OfMessageSystemAttributes", message.SystemHash);
        output.Text("MessageId", id);
        if (isFifo) output.Text("SequenceNumber", IncomingMessage.SequenceNumber(offset));
    }
}

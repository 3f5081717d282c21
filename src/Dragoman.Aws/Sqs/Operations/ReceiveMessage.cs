using Dragoman.Aws.Http;
using Dragoman.Aws.Sqs.Attributes;
using Dragoman.Aws.Sqs.Messages;
using Dragoman.Broker.Queues;

namespace Dragoman.Aws.Sqs.Operations;

/// <summary>
/// Receives messages, which are hidden from others for a time. A long poll waits in the queue, and leaves it when its client goes.
/// </summary>
internal sealed class ReceiveMessage(AwsNode node, QueueAccess access, FirstReceipts receipts, ReceiveAttempts attempts) : IOperation
{
    private const int MaxMessages = 10;

    // What takes milliseconds to write does not hold up the other connections of the thread.
    private const int LargeBytes = 128 << 10;

    public async ValueTask HandleAsync(AwsCall call)
    {
        var queue = access.Find(call, Broker.Security.Operations.Read, "receivemessage");
        var max = call.Input.Integer("MaxNumberOfMessages") ?? 1;
        if (max is < 1 or > MaxMessages) throw SqsErrors.InvalidParameter($"{max}", "MaxNumberOfMessages", $"Must be between 1 and {MaxMessages}, if provided.");
        var wait = call.Input.Integer("WaitTimeSeconds") ?? QueueAttributes.WaitSeconds(queue.Settings);
        if (wait is < 0 or > QueueAttributes.MaxWaitSeconds) throw SqsErrors.InvalidParameter($"{wait}", "WaitTimeSeconds", $"Must be >= 0 and <= {QueueAttributes.MaxWaitSeconds}, if provided.");
        var visibility = call.Input.Integer("VisibilityTimeout");
        if (visibility is < 0 or > QueueAttributes.MaxVisibilitySeconds) throw SqsErrors.InvalidParameter($"{visibility}", "VisibilityTimeout", $"Must be between 0 and {QueueAttributes.MaxVisibilitySeconds}, if provided.");
        var wanted = WantedAttributes.Read(call.Input);
        var isFifo = QueueAttributes.IsFifo(queue.Settings);
        var attempt = isFifo ? OutgoingMessage.CheckedId(call.Input.Text("ReceiveRequestAttemptId"), "ReceiveRequestAttemptId") : null;
        TimeSpan? lease = visibility is { } seconds ? TimeSpan.FromSeconds(seconds) : null;

        var again = attempt is null ? null : await attempts.RepeatAsync(queue, attempt, lease);
        var answer = again?.Answer ?? await ReceiveAsync(call, queue, max, lease, wait);
        if (answer.Status != QueueStatus.Ok) throw SqsErrors.Of(answer.Status, call, null);
        using var deliveries = answer.Deliveries;
        if (deliveries is null || deliveries.Count == 0) return;
        if (deliveries.Bytes > LargeBytes) await Task.Yield();
        var now = node.Now;
        var receivedAt = again?.ReceivedAt ?? now;
        if (attempt is not null) attempts.Remember(queue, attempt, deliveries, receivedAt);
        call.Output.BeginList("Messages", "Message");
        for (var i = 0; i < deliveries.Count; i++)
        {
            ref readonly var delivery = ref deliveries[i];
            if (delivery.Count == 1) receipts.Note(queue.Id, delivery.Offset, now);
            var first = delivery.Count == 1 ? now : receipts.Find(queue.Id, delivery.Offset) ?? delivery.Timestamp;
            call.Output.BeginItem();
            IncomingMessage.Write(call.Output, deliveries.Message(i), delivery, wanted, new MessageSource(queue.Id, isFifo, receivedAt, first, call.Region, node.Options.Account));
            call.Output.EndItem();
        }
        call.Output.EndList();
    }

    private async ValueTask<Broker.Subscriptions.ReceiveAnswer> ReceiveAsync(AwsCall call, IQueueHandle queue, int max, TimeSpan? lease, int waitSeconds)
    {
        if ((await queue.GetCountsAsync()).Leased >= QueueAttributes.MaxInFlight)
        {
            // A FIFO queue says nothing, and has nothing.
            if (QueueAttributes.IsFifo(queue.Settings)) return new Broker.Subscriptions.ReceiveAnswer(QueueStatus.Ok, null);
            throw SqsErrors.OverLimit();
        }
        if (waitSeconds == 0) return await queue.ReceiveAsync(max, lease, TimeSpan.Zero, CancellationToken.None);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(call.Gone, node.Options.Stopping);
        return await queue.ReceiveAsync(max, lease, TimeSpan.FromSeconds(waitSeconds), ends.Token);
    }
}

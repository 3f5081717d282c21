using Dragoman.Aws.Http;
using Dragoman.Aws.Sqs.Attributes;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;

namespace Dragoman.Aws.Sqs.Operations;

/// <summary>Says for how long from now a message that was received stays hidden; 0 gives it back at once.</summary>
internal sealed class ChangeMessageVisibility(AwsNode node, QueueAccess access) : IOperation
{
    public bool HasResult => false;

    public async ValueTask HandleAsync(AwsCall call)
    {
        var queue = access.Find(call, Broker.Security.Operations.Read, "changemessagevisibility");
        await ChangeAsync(node, call, queue, call.Input);
    }

    /// <summary>Changes the visibility of the message of one entry.</summary>
    /// <exception cref="AwsException">The message is not held under the handle, or the time is out of range.</exception>
    public static async ValueTask ChangeAsync(AwsNode node, AwsCall call, IQueueHandle queue, Input entry)
    {
        var seconds = entry.Integer("VisibilityTimeout") ?? throw AwsException.MissingParameter("VisibilityTimeout");
        if (seconds is < 0 or > QueueAttributes.MaxVisibilitySeconds)
            throw SqsErrors.InvalidParameter($"{seconds}", "VisibilityTimeout", $"VisibilityTimeout must be between 0 and {QueueAttributes.MaxVisibilitySeconds}.");
        var handle = QueueAccess.HandleOf(queue, entry);
        // However often it is extended, a message is hidden for so long at most after it was received.
        if (seconds > 0 && (node.Now - handle.ReceivedAt) / 1000 + seconds > QueueAttributes.MaxVisibilitySeconds)
            throw SqsErrors.InvalidParameter($"{seconds}", "VisibilityTimeout", $"Total VisibilityTimeout for the message is beyond the limit [{QueueAttributes.MaxVisibilitySeconds} seconds]");
        var answer = await ChangeAsync(queue, handle.Lease, seconds);
        // In a standard queue an older handle of a message does as well as the newest, as the real service was seen to have it.
        if (answer is { Status: QueueStatus.Ok, Count: 0 } && !QueueAttributes.IsFifo(queue.Settings))
            answer = await ChangeAsync(queue, handle.Lease with { Lease = LeaseToken.Any }, seconds);
        if (answer.Status != QueueStatus.Ok) throw SqsErrors.Of(answer.Status, call, answer.Message);
        if (answer.Count == 0)
            throw SqsErrors.InvalidParameter(entry.Required("ReceiptHandle"), "ReceiptHandle", "Message does not exist or is not available for visibility timeout change.");
    }

    private static ValueTask<SubscriptionAnswer> ChangeAsync(IQueueHandle queue, LeaseToken lease, int seconds) => seconds == 0
        ? queue.SettleAsync(Settlement.Return, new[] { lease }, TimeSpan.Zero)
        : queue.ExtendAsync(new[] { lease }, TimeSpan.FromSeconds(seconds));
}

using Dragoman.Aws.Http;
using Dragoman.Aws.Sqs.Messages;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;

namespace Dragoman.Aws.Sqs;

/// <summary>Publishes messages to a queue, and tells which were there already.</summary>
/// <param name="node">The broker.</param>
internal sealed class Sender(AwsNode node)
{
    /// <summary>The time, in milliseconds since 1970.</summary>
    public long Now => node.Now;

    /// <summary>Publishes messages, which are in the queue in their order.</summary>
    /// <returns>The id and the offset that each has: those of the first copy, where it is one more.</returns>
    /// <exception cref="AwsException">They could not be published.</exception>
    public async ValueTask<(string Id, long Offset)[]> SendAsync(AwsCall call, IQueueHandle queue, IReadOnlyList<OutgoingMessage> messages)
    {
        var batch = MessageBatch.Rent();
        var now = node.Now;
        foreach (var message in messages) message.AddTo(batch, now, call.Identity.User, queue.Settings);
        var outcome = await queue.PublishAsync(batch, cancellation: call.Gone);
        if (outcome.Status != QueueStatus.Ok) throw SqsErrors.Of(outcome.Status, call, outcome.Message);
        var sent = new (string, long)[messages.Count];
        var offset = outcome.BaseOffset;
        for (var i = 0; i < sent.Length; i++)
        {
            if (DuplicateOf(outcome, i) is not { } first) sent[i] = (messages[i].Id.ToString(), offset++);
            else sent[i] = (await FindIdAsync(queue, first) ?? IncomingMessage.DerivedId(queue.Id, first), first);
        }
        return sent;
    }

    private static long? DuplicateOf(in PublishOutcome outcome, int index)
    {
        foreach (var (duplicate, offset) in outcome.Duplicates ?? [])
            if (duplicate == index) return offset;
        return null;
    }

    /// <summary>The id of a message that is in the queue still.</summary>
    private static async ValueTask<string?> FindIdAsync(IQueueHandle queue, long offset)
    {
        var answer = await queue.PeekAsync(offset, 1);
        using var found = answer.Deliveries;
        return found is { Count: > 0 } && found[0].Offset == offset ? IncomingMessage.IdOf(queue.Id, found.Message(0)) : null;
    }
}

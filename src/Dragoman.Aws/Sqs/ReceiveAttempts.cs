using System.Collections.Concurrent;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;

namespace Dragoman.Aws.Sqs;

/// <summary>
/// Answers to receives of FIFO queues by their attempt ids, so that a client which lost one may ask for the same messages again
/// while nobody else can have them. Kept in memory, for five minutes.
/// </summary>
/// <param name="node">The broker.</param>
internal sealed class ReceiveAttempts(AwsNode node)
{
    private const int MaxKept = 10_000;
    private const long KeptMs = 5 * 60_000;

    private readonly ConcurrentDictionary<(Guid Queue, string Attempt), (LeaseToken[] Leases, long ReceivedAt, long Until)> _known = new();

    /// <summary>Notes what an attempt was answered with.</summary>
    public void Remember(IQueueHandle queue, string attempt, DeliveryBatch deliveries, long receivedAt)
    {
        var now = node.Now;
        if (_known.Count >= MaxKept)
        {
            foreach (var (key, value) in _known)
                if (value.Until <= now) _known.TryRemove(key, out _);
            if (_known.Count >= MaxKept) _known.Clear();
        }
        var leases = new LeaseToken[deliveries.Count];
        for (var i = 0; i < leases.Length; i++) leases[i] = new LeaseToken(deliveries[i].Offset, deliveries[i].Lease);
        _known[(queue.Id, attempt)] = (leases, receivedAt, now + KeptMs);
    }

    /// <summary>
    /// What the attempt was answered with before, hidden for as long as if it were received now; null if there is nothing, or if
    /// a message of it is no longer held.
    /// </summary>
    public async ValueTask<(ReceiveAnswer Answer, long ReceivedAt)?> RepeatAsync(IQueueHandle queue, string attempt, TimeSpan? lease)
    {
        if (!_known.TryGetValue((queue.Id, attempt), out var known) || known.Until <= node.Now) return null;
        // Not a new receipt: the delivery count and the handles stay as they were.
        var answer = await queue.RepeatAsync(known.Leases, lease);
        if (answer.Deliveries is { } deliveries && deliveries.Count == known.Leases.Length) return (answer, known.ReceivedAt);
        answer.Deliveries?.Dispose();
        _known.TryRemove((queue.Id, attempt), out _);
        return null;
    }
}

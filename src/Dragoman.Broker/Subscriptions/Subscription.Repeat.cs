using Dragoman.Broker.Queues;

namespace Dragoman.Broker.Subscriptions;

/// <summary>Shows messages once more to whoever holds them.</summary>
internal sealed partial class Subscription
{
    public async ValueTask<ReceiveAnswer> RepeatAsync(ReadOnlyMemory<LeaseToken> leases, TimeSpan? lease)
    {
        var extended = await ExtendAsync(leases, lease ?? TimeSpan.FromMilliseconds(Delivery.LeaseMs));
        if (extended.Status != QueueStatus.Ok || extended.Count != leases.Length) return new ReceiveAnswer(extended.Status, null);
        var cursor = new LogCursor(Log);
        var found = DeliveryBatch.Rent();
        try
        {
            for (var i = 0; i < leases.Length; i++)
            {
                var token = leases.Span[i];
                if (!cursor.TryMoveTo(token.Offset) && cursor.FillStable(token.Offset, FillBytes)) cursor.TryMoveTo(token.Offset);
                lock (Gate)
                {
                    // It may have been settled meanwhile.
                    if (IsOver || !_leases.TryGetValue(token.Offset, out var held) || !IsHeldBy(held, token)) continue;
                    var record = cursor.Current;
                    if (record.Offset != token.Offset) continue;
                    found.Add(new Delivery(token.Offset, held.Count, token.Lease, record.Timestamp, record.Size), cursor.Buffer, record.Position);
                }
            }
            if (found.Count > 0) return new ReceiveAnswer(QueueStatus.Ok, found);
        }
        finally
        {
            cursor.Drop();
        }
        found.Dispose();
        return new ReceiveAnswer(QueueStatus.Ok, null);
    }
}

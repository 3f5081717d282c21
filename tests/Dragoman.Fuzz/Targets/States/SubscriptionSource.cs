using Dragoman.Broker.Subscriptions;

namespace Dragoman.Fuzz.Targets.States;

internal sealed class SubscriptionSource : StateSource<SubscriptionState>
{
    /// <summary>A step takes five bytes at least.</summary>
    private const int LeastStep = 5;

    protected override byte[] Event(SubscriptionState state, Random random)
    {
        switch (random.Next(8))
        {
            case 0:
                return Some.Write(target =>
                {
                    var writer = new CompactWriter(target);
                    writer.Byte(1);
                    writer.Byte((byte)SubscriptionState.Kind.Seek);
                    writer.Number(random.Next(2000));
                });
            case 1:
                return [1, (byte)SubscriptionState.Kind.Special];
            case 2:
                return Some.Write(target => DeduplicationTable.WriteEvent(
                    new CompactWriter(target), random.Next(1000), random.Next(2000), Some.Several(random, static r => (new UInt128(0, (ulong)r.Next(9)), (long)r.Next(1000)))));
            default:
                var pending = new PendingProgress();
                for (var n = random.Next(6); n > 0; n--) Step(pending, n * 20_000L, random);
                return Some.Write(target => pending.Take(state.Reached + random.Next(100), target));
        }
    }

    /// <summary>Something happens to messages from an offset on; no message is settled twice.</summary>
    private static void Step(PendingProgress pending, long from, Random random)
    {
        var start = from + random.Next(9000);
        var end = start + random.Next(1, random.Next(4) == 0 ? 9000 : 10);
        switch (random.Next(6))
        {
            case 0:
                pending.Count(start, random.Next(9));
                break;
            case 1:
                pending.Lease(random.Next(1000), random.Next(1000), [new OffsetRange(start, end)]);
                break;
            case 2:
                pending.Delay(random.Next(1000), start);
                break;
            case 3:
                pending.Return(start);
                break;
            default:
                pending.Settle((SettleReason)random.Next(SubscriptionState.Reasons), start, end);
                break;
        }
    }

    // Leases are written in ranges and kept one by one; a range of settled messages makes a bitmap.
    public override long MostAllocated(int bytes) => (256 << 10) + bytes * 2000L + (long)(bytes / LeastStep) * SubscriptionState.MaxMessagesInStep * 120;
}

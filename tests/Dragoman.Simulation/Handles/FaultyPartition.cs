using Dragoman.Broker.Topics;
using Dragoman.Broker.Transactions;
using Dragoman.Storage.Log;

namespace Dragoman.Simulation.Handles;

/// <summary>
/// A partition as somebody sees it from another node: calls are late, though in their order; the partition has moved; calls and
/// answers get lost; and what was sent once may arrive again.
/// </summary>
internal sealed class FaultyPartition(SimScheduler sim, SimProcess process, SimRandom random, Coverage coverage, IPartitionHandle inner) : IPartitionHandle
{
    private Task _arrived = Task.CompletedTask;
    private int _calls;
    private int _movedUpTo;

    public int Index => inner.Index;

    public long SizeBytes => inner.SizeBytes;

    public ValueTask<AppendAnswer> AppendAsync(Memory<byte> batch, CancellationToken cancellation) => AppendAsync(batch, handle => handle.AppendAsync(batch, cancellation));

    public ValueTask<AppendAnswer> AppendAsync(Memory<byte> batch, TransactionalId transaction, CancellationToken cancellation) =>
        AppendAsync(batch, handle => handle.AppendAsync(batch, transaction, cancellation));

    private async ValueTask<AppendAnswer> AppendAsync(Memory<byte> batch, Func<IPartitionHandle, ValueTask<AppendAnswer>> append)
    {
        // One caller's calls take effect in the order in which they are made.
        var number = ++_calls;
        var before = _arrived;
        var arrival = new TaskCompletionSource();
        _arrived = arrival.Task;
        await before;
        await DelayAsync();
        if (number <= _movedUpTo || HasMoved("an append"))
        {
            // So do those that are under way behind the first.
            if (number > _movedUpTo) _movedUpTo = _calls;
            arrival.SetResult();
            return new AppendAnswer(PartitionStatus.Moved, -1, -1, -1);
        }
        var appending = append(inner);
        arrival.SetResult();
        if (random.OneIn(10)) _ = process.Run("late copy", () => RepeatAsync(batch.ToArray()));
        if (Happens(8, "gave up waiting for an append"))
        {
            _ = appending.AsTask();
            return new AppendAnswer(PartitionStatus.StorageError, -1, -1, -1);
        }
        var answer = await appending;
        await DelayAsync();
        return Loses("the answer to an append") ? new AppendAnswer(random.OneIn(2) ? PartitionStatus.Moved : PartitionStatus.StorageError, -1, -1, -1) : answer;
    }

    private async Task RepeatAsync(byte[] batch)
    {
        await sim.DelayAsync(TimeSpan.FromMilliseconds(random.Next(random.OneIn(2) ? 20 : 500)));
        coverage.Saw($"a copy came later: {(await inner.AppendAsync(batch)).Status}");
    }

    public async ValueTask<AppendAnswer> AppendMarkerAsync(TransactionMarker marker, CancellationToken cancellation)
    {
        await DelayAsync();
        return HasMoved("a marker") ? new AppendAnswer(PartitionStatus.Moved, -1, -1, -1) : await inner.AppendMarkerAsync(marker, cancellation);
    }

    public bool TryGetOffsets(out PartitionOffsets offsets)
    {
        offsets = default;
        return !HasMoved("offsets") && inner.TryGetOffsets(out offsets);
    }

    public async ValueTask<PartitionStatus> ReadAsync(long offset, int maxBytes, ReadIsolation isolation, LogRead read)
    {
        await DelayAsync();
        return HasMoved("a read") ? PartitionStatus.Moved : await inner.ReadAsync(offset, maxBytes, isolation, read);
    }

    public async ValueTask<PartitionStatus> ReadStableAsync(long offset, int maxBytes, LogRead read, List<AbortedTransaction> aborted)
    {
        await DelayAsync();
        return HasMoved("a read") ? PartitionStatus.Moved : await inner.ReadStableAsync(offset, maxBytes, read, aborted);
    }

    public bool TryCollectProducers(List<ProducerSummary> target) => !HasMoved("producers") && inner.TryCollectProducers(target);

    public async ValueTask<TimedOffset?> FindByTimeAsync(long timestamp, ReadIsolation isolation)
    {
        await DelayAsync();
        return await inner.FindByTimeAsync(timestamp, isolation);
    }

    public async ValueTask<TimedOffset?> FindLatestTimeAsync(ReadIsolation isolation)
    {
        await DelayAsync();
        return await inner.FindLatestTimeAsync(isolation);
    }

    public (int Epoch, long EndOffset) EndOfEpoch(int epoch) => inner.EndOfEpoch(epoch);

    public int EpochAt(long offset) => inner.EpochAt(offset);

    public async ValueTask<(PartitionStatus Status, long StartOffset)> TruncateAsync(long beforeOffset)
    {
        await DelayAsync();
        if (HasMoved("a truncation")) return (PartitionStatus.Moved, -1);
        var answer = await inner.TruncateAsync(beforeOffset);
        return Loses("the answer to a truncation") ? (PartitionStatus.StorageError, -1) : answer;
    }

    public void AddListener(ILogListener listener) => inner.AddListener(listener);

    public void RemoveListener(ILogListener listener) => inner.RemoveListener(listener);

    private bool HasMoved(string what) => Happens(8, $"moved before {what}");

    private bool Loses(string what) => Happens(8, $"lost {what}");

    private bool Happens(int oneIn, string what)
    {
        if (!random.OneIn(oneIn)) return false;
        coverage.Saw(what);
        return true;
    }

    private Task DelayAsync() => sim.DelayAsync(TimeSpan.FromMilliseconds(random.OneIn(6) ? random.Next(100) : random.NextDouble()));
}

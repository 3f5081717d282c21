using Dragoman.Broker.Topics;
using Dragoman.Broker.Transactions;

namespace Dragoman.Simulation.Transactions;

/// <summary>A network between coordinator and partitions: markers are late, get lost, arrive twice, and so do their answers.</summary>
internal sealed class FaultyMarkers(SimScheduler sim, SimProcess process, SimRandom random, Coverage coverage)
{
    public async ValueTask<AppendAnswer> DeliverAsync(IPartitionHandle partition, TransactionMarker marker, CancellationToken cancellation)
    {
        await DelayAsync();
        if (random.OneIn(4))
        {
            coverage.Saw("lost a marker");
            return Fail();
        }
        if (random.OneIn(3)) _ = process.Run("late marker", () => RepeatAsync(partition, marker));
        var answer = await partition.AppendMarkerAsync(marker, cancellation);
        await DelayAsync();
        if (!random.OneIn(5)) return answer;
        coverage.Saw("lost the answer to a marker");
        return Fail();
    }

    private async Task RepeatAsync(IPartitionHandle partition, TransactionMarker marker)
    {
        await sim.DelayAsync(TimeSpan.FromMilliseconds(random.Next(random.OneIn(2) ? 50 : 3000)));
        var answer = await partition.AppendMarkerAsync(marker);
        coverage.Saw($"a late marker: {answer.Status}");
    }

    private Task DelayAsync() => sim.DelayAsync(TimeSpan.FromMilliseconds(random.OneIn(5) ? random.Next(500) : random.NextDouble() * 2));

    private AppendAnswer Fail() => new(random.OneIn(2) ? PartitionStatus.Moved : PartitionStatus.StorageError, -1, -1, -1);
}

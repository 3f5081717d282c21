using Dragoman.Broker.Queues;

namespace Dragoman.Simulation.Queues;

public sealed class QueueSimulationTests(ITestOutputHelper output)
{
    /// <summary>Seeds that failed once. They are run first, for ever.</summary>
    private static readonly ulong[] s_known = [0x7E9C15CCE2EA19BE, 0x82062FE7A43B6B7C, 0x998C1FB3B26AF132, 0xB218B47A8D1ADF7F, 0x75D2CD7EAE0C1A16, 0x5E77F48BEA4482D0, 0x0FBC6FC7D96433AC];

    [Fact]
    public void Queues_lose_nothing_deliver_to_one_at_a_time_and_count_right_through_crashes_moves_and_faults()
    {
        var coverage = new Coverage();
        Seeds.Check(Seeds.Fresh, seed =>
        {
            var run = new QueueRun(seed);
            run.Run();
            coverage.Add(run.Coverage);
        }, s_known);
        output.WriteLine($"{Seeds.Fresh} fresh seeds, {s_known.Length} known ones");
        foreach (var (what, count) in coverage.Counts) output.WriteLine($"{count,8} {what}");
    }

    [Fact]
    public void A_lost_lease_is_found() => IsFound(new QueueDefects { LoseLeases = true });

    [Fact]
    public void A_delivery_that_counts_twice_is_found() => IsFound(new QueueDefects { CountTwice = true });

    [Fact]
    public void Settling_before_the_target_has_it_is_found() => IsFound(new QueueDefects { SettleEarly = true });

    private void IsFound(QueueDefects defects)
    {
        foreach (var seed in Seeds.Fixed(300))
        {
            try
            {
                new QueueRun(seed, defects).Run();
            }
            catch (SimulationFailedException found) when (found.Message.Contains("Broken: ", StringComparison.Ordinal))
            {
                output.WriteLine($"seed {seed}: {found.Message.Split('\n')[0]}");
                return;
            }
        }
        Assert.Fail("300 seeds went by and nothing was noticed.");
    }
}

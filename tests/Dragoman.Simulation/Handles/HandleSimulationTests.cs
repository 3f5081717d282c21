using Dragoman.Broker.Transactions;

namespace Dragoman.Simulation.Handles;

public sealed class HandleSimulationTests(ITestOutputHelper output)
{
    /// <summary>Seeds that failed once. They are run first, for ever.</summary>
    private static readonly ulong[] s_known = [];

    [Fact]
    public void Every_acknowledged_batch_is_there_once_and_in_order_through_handles_that_delay_move_and_fail()
    {
        var coverage = new Coverage();
        Seeds.Check(Seeds.Fresh, seed =>
        {
            var run = new HandleRun(seed);
            run.Run();
            coverage.Add(run.Coverage);
        }, s_known);
        output.WriteLine($"{Seeds.Fresh} fresh seeds, {s_known.Length} known ones");
        foreach (var (what, count) in coverage.Counts) output.WriteLine($"{count,8} {what}");
    }

    [Fact]
    public void Batches_that_count_twice_are_found() => IsFound(new TransactionDefects { RepeatBatches = true });

    [Fact]
    public void Repeats_acknowledged_before_the_first_copy_is_on_disk_are_found() => IsFound(new TransactionDefects { AcknowledgeRepeatsEarly = true });

    private void IsFound(TransactionDefects defects)
    {
        foreach (var seed in Seeds.Fixed(1000))
        {
            try
            {
                new HandleRun(seed, defects).Run();
            }
            catch (SimulationFailedException found) when (found is not (SimStepLimitException or SimDeadlockException))
            {
                output.WriteLine($"seed {seed}: {found.Message.Split('\n')[0]}");
                return;
            }
        }
        Assert.Fail("1000 seeds went by and nothing was noticed.");
    }
}

using Dragoman.Broker.Transactions;

namespace Dragoman.Simulation.Transactions;

public sealed class TransactionSimulationTests(ITestOutputHelper output)
{
    /// <summary>Seeds that failed once. They are run first, for ever.</summary>
    private static readonly ulong[] s_known = [];

    [Fact]
    public void Transactions_are_all_or_nothing_and_exactly_once_through_crashes_zombies_and_moves()
    {
        var coverage = new Coverage();
        Seeds.Check(Seeds.Fresh, seed =>
        {
            var run = new TransactionRun(seed);
            run.Run();
            coverage.Add(run.Coverage);
        }, s_known);
        output.WriteLine($"{Seeds.Fresh} fresh seeds, {s_known.Length} known ones");
        foreach (var (what, count) in coverage.Counts) output.WriteLine($"{count,8} {what}");
    }

    [Fact]
    public void Completing_before_the_markers_is_found() => IsFound(new TransactionDefects { CompleteBeforeMarkers = true });

    [Fact]
    public void Forgotten_fencing_is_found() => IsFound(new TransactionDefects { ForgetFencing = true });

    [Fact]
    public void Markers_that_count_twice_are_found() => IsFound(new TransactionDefects { RepeatMarkers = true });

    [Fact]
    public void Batches_that_nobody_verified_are_found() => IsFound(new TransactionDefects { SkipVerification = true });

    private void IsFound(TransactionDefects defects)
    {
        foreach (var seed in Seeds.Fixed(300))
        {
            try
            {
                new TransactionRun(seed, defects).Run();
            }
            catch (SimulationFailedException found) when (found is not (SimStepLimitException or SimDeadlockException))
            {
                output.WriteLine($"seed {seed}: {found.Message.Split('\n')[0]}");
                return;
            }
        }
        Assert.Fail("300 seeds went by and nothing was noticed.");
    }
}

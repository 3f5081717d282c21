using Dragoman.Broker.Groups;

namespace Dragoman.Simulation.Groups;

public sealed class GroupSimulationTests(ITestOutputHelper output)
{
    /// <summary>Seeds that failed once. They are run first, for ever.</summary>
    private static readonly ulong[] s_known = [0xE9AF7A71C4A4DCFB, 0x38C006AAB4825508];

    [Fact]
    public void Groups_keep_acknowledged_offsets_and_one_reader_a_partition_through_crashes_and_moves()
    {
        var coverage = new Coverage();
        Seeds.Check(Seeds.Fresh, seed =>
        {
            var run = new GroupRun(seed);
            run.Run();
            coverage.Add(run.Coverage);
        }, s_known);
        output.WriteLine($"{Seeds.Fresh} fresh seeds, {s_known.Length} known ones");
        foreach (var (what, count) in coverage.Counts) output.WriteLine($"{count,8} {what}");
    }

    [Fact]
    public void Forgotten_fencing_is_found() => IsFound(new GroupDefects { ForgetFencing = true });

    [Fact]
    public void Offsets_acknowledged_before_they_are_on_disk_are_found() => IsFound(new GroupDefects { AcknowledgeEarly = true });

    [Fact]
    public void A_coordinator_that_serves_after_it_was_moved_is_found() => IsFound(new GroupDefects { ServeAfterMove = true });

    [Fact]
    public void Partitions_given_away_before_they_are_free_are_found() => IsFound(new GroupDefects { ForgetOwners = true });

    private void IsFound(GroupDefects defects)
    {
        foreach (var seed in Seeds.Fixed(300))
        {
            try
            {
                new GroupRun(seed, defects).Run();
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

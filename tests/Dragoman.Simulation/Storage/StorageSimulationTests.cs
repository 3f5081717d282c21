using Dragoman.Storage;

namespace Dragoman.Simulation.Storage;

public sealed class StorageSimulationTests(ITestOutputHelper output)
{
    [Fact]
    public void The_store_keeps_its_promises_through_crashes_and_faults()
    {
        var coverage = new Coverage();
        Seeds.Check(Seeds.Fresh, seed =>
        {
            var run = new StorageRun(seed);
            run.Run();
            coverage.Add(run.Coverage);
        }, KnownSeeds.All);
        output.WriteLine($"{Seeds.Fresh} fresh seeds, {KnownSeeds.All.Count} known ones");
        foreach (var (what, count) in coverage.Counts) output.WriteLine($"{count,8} {what}");
    }

    [Fact]
    public void A_skipped_sync_is_found() => IsFound(new StorageRunOptions { IgnoreSyncs = true });

    [Fact]
    public void An_acknowledgement_before_the_commit_is_found() => IsFound(new StorageRunOptions { Defects = new PlantedDefects { AcknowledgeEarly = true } });

    [Fact]
    public void An_ignored_torn_tail_is_found() => IsFound(new StorageRunOptions { Defects = new PlantedDefects { IgnoreTornTail = true } });

    [Fact]
    public void A_dropped_manifest_switch_is_found() => IsFound(new StorageRunOptions { Defects = new PlantedDefects { DropManifestSwitch = true } });

    [Fact]
    public void Compaction_past_an_open_transaction_is_found() => IsFound(new StorageRunOptions { Defects = new PlantedDefects { CompactOpenTransactions = true } });

    [Fact]
    public void An_event_applied_twice_is_found() => IsFound(new StorageRunOptions { Defects = new PlantedDefects { ApplyEventTwice = true } });

    private void IsFound(StorageRunOptions options)
    {
        foreach (var seed in Seeds.Fixed(300))
        {
            try
            {
                new StorageRun(seed, options).Run();
            }
            catch (Exception found) when (found is not SimStepLimitException)
            {
                output.WriteLine($"seed {seed}: {found.Message.Split('\n')[0]}");
                return;
            }
        }
        Assert.Fail("300 seeds went by and nothing was noticed.");
    }
}

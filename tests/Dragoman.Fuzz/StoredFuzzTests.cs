using Dragoman.Fuzz.Fuzzing;
using Dragoman.Fuzz.Targets;

namespace Dragoman.Fuzz;

/// <summary>Every decoder of what is stored, fed with damaged input for as long as the run has for it.</summary>
public sealed class StoredFuzzTests(ITestOutputHelper output)
{
    [Fact]
    public Task Commits_in_the_journal() => RunAsync(new CommitRecords());

    [Fact]
    public Task Manifests() => RunAsync(new Manifests());

    [Fact]
    public Task Producer_tables() => RunAsync(new ProducerTables());

    [Fact]
    public Task Snapshots_and_events() => RunAsync(new StateInputs());

    [Fact]
    public async Task Inspected_stores()
    {
        using var stores = await InspectedStores.StartAsync();
        await RunAsync(stores);
    }

    private Task RunAsync(FuzzTarget target) => new Fuzzer(target).RunAsync(FuzzOptions.Time, output.WriteLine);
}

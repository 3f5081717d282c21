using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Engines;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;

namespace Dragoman.Benchmarks;

/// <summary>Appends of 1 KiB batches through the commit loop to the real disk; one operation is one batch.</summary>
[MemoryDiagnoser]
[SimpleJob(RunStrategy.Throughput, launchCount: 1, warmupCount: 2, iterationCount: 5, invocationCount: 1)]
public class CommitBenchmarks
{
    private const int Batches = 16_384;

    private readonly ReadOnlyMemory<byte> _batch = TemporaryStore.Batch(1, 950);
    private TemporaryStore _store = null!;
    private PartitionLog _log = null!;

    [Params(CommitMode.Fsync, CommitMode.Written)]
    public CommitMode Mode { get; set; }

    /// <summary>Each waits for its commit before the next.</summary>
    [Params(1, 64)]
    public int Writers { get; set; }

    [GlobalSetup]
    public async Task Setup()
    {
        _store = await TemporaryStore.OpenAsync();
        _log = await _store.CreateLogAsync();
    }

    [GlobalCleanup]
    public async Task Cleanup() => await _store.DisposeAsync();

    [Benchmark(OperationsPerInvoke = Batches)]
    public Task Append()
    {
        var writers = new Task[Writers];
        for (var i = 0; i < writers.Length; i++) writers[i] = Task.Run(WriteAsync);
        return Task.WhenAll(writers);
    }

    private async Task WriteAsync()
    {
        for (var n = Batches / Writers; n > 0; n--) await _store.AppendAsync(_log, _batch, Mode);
    }
}

using BenchmarkDotNet.Attributes;
using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;

namespace Dragoman.Benchmarks;

/// <summary>Reads of up to 64 KiB of 4 KiB batches, from each of the places where a log's batches can be.</summary>
[MemoryDiagnoser]
public class LogReadBenchmarks
{
    private const int Batches = 4096;

    private readonly byte[] _target = new byte[128 * 1024];
    private readonly LogRead _read = new();
    private TemporaryStore _store = null!;
    private PartitionLog _log = null!;
    private long _first;
    private long _next;

    /// <summary>Where the bytes are.</summary>
    public enum Place
    {
        /// <summary>In the memory that rounds are put together in.</summary>
        Tail,

        /// <summary>In a journal file.</summary>
        Journal,

        /// <summary>In the log's own segment.</summary>
        Segment,
    }

    [ParamsAllValues]
    public Place From { get; set; }

    [GlobalSetup]
    public async Task Setup()
    {
        _store = await TemporaryStore.OpenAsync(o => o with { TailBytes = From == Place.Journal ? 0 : 32 << 20, CheckpointAfterFiles = From == Place.Segment ? 1 : int.MaxValue });
        _log = await _store.CreateLogAsync();
        var other = await _store.CreateLogAsync();
        var batch = TemporaryStore.Batch(4, 1000);
        for (var i = 0; i < Batches; i++)
        {
            await _store.AppendAsync(_log, batch, CommitMode.Written);
            // Between another log's batches, so that a checkpoint copies instead of keeping the journal file.
            await _store.AppendAsync(other, batch, CommitMode.Written);
        }
        if (From == Place.Segment)
        {
            // The journal file has to be full before its content moves.
            for (var i = 0; i < 10_000; i++) await _store.AppendAsync(other, batch, CommitMode.Written);
            await _store.Store.CheckpointAsync();
        }
        _first = From == Place.Tail ? _log.HighWatermark - (Batches / 4 * 4) : 0;
        _next = _first;
    }

    [GlobalCleanup]
    public async Task Cleanup() => await _store.DisposeAsync();

    [Benchmark]
    public int Read()
    {
        if (_next >= _first + Batches - 64) _next = _first;
        _log.Read(_next, _log.HighWatermark, 64 * 1024, _read);
        _read.CopyTo(_target);
        var bytes = _read.TotalBytes;
        _next = _read.NextOffset;
        _read.Dispose();
        return bytes;
    }
}

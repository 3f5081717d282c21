using System.Diagnostics;
using Dragoman.Load.Reporting;
using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;
using Dragoman.Storage.State;

namespace Dragoman.Load.Storage;

/// <summary>What writers do to a store.</summary>
internal sealed record StoreLoadOptions
{
    public required string Directory { get; init; }

    public required CommitMode Mode { get; init; }

    public required int Logs { get; init; }

    /// <summary>Each writer has one batch under way.</summary>
    public required int Writers { get; init; }

    public required int BatchBytes { get; init; }

    /// <summary>The run ends when at least so many bytes are written and the time is up.</summary>
    public long MinBytes { get; init; }

    public TimeSpan MinTime { get; init; }

    /// <summary>Bytes that each log keeps; -1 for all.</summary>
    public long RetentionBytes { get; init; } = -1;

    public TimeSpan MaintenanceInterval { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>What came of it.</summary>
internal sealed record StoreLoadResult
{
    public required double Seconds { get; init; }

    public required long Batches { get; init; }

    public required long LogicalBytes { get; init; }

    public double BytesPerSecond => LogicalBytes / Seconds;

    public double BatchesPerSecond => Batches / Seconds;

    /// <summary>The slowest second of the run after the first: what "sustained" has to be judged by.</summary>
    public required double SlowestSecondBytes { get; init; }

    /// <summary>CPU seconds of this process per second, the load's own part included.</summary>
    public required double CpuShare { get; init; }

    public required long AllocatedBytes { get; init; }

    public required int Gen0, Gen1, Gen2;

    /// <summary>Bytes in the data directory, at most and at the end.</summary>
    public required long MaxDirectoryBytes { get; init; }

    public required long EndDirectoryBytes { get; init; }

    /// <summary>Bytes written to files for each logical byte.</summary>
    public required double WriteAmplification { get; init; }

    public required IReadOnlyDictionary<string, CountingFileSystem.Account> Files { get; init; }
}

/// <summary>Writers that append prepared batches to a store's logs and wait for each commit.</summary>
internal sealed class StoreLoad
{
    private readonly StoreLoadOptions _options;
    private readonly CountingFileSystem _files = new(new OsFileSystem());
    private readonly List<PartitionLog> _logs = [];
    private readonly List<double> _seconds = [];
    private Store _store = null!;
    private long _batches;
    private long _bytes;
    private long _maxDirectory;
    private bool _stop;

    private StoreLoad(StoreLoadOptions options) => _options = options;

    public static Task<StoreLoadResult> RunAsync(StoreLoadOptions options, IProgress<Step> progress) => new StoreLoad(options).RunAsync(progress);

    private async Task<StoreLoadResult> RunAsync(IProgress<Step> progress)
    {
        var storeOptions = new StoreOptions { Directory = _options.Directory, MaintenanceInterval = _options.MaintenanceInterval };
        var opener = new StoreOpener(storeOptions, _files, TimeProvider.System, ThreadPoolScheduler.Instance, new Random(1), new Dictionary<long, IStateMachine>());
        _store = await opener.OpenAsync();
        await using var store = _store;
        await CreateLogsAsync();

        GC.Collect();
        var allocated = GC.GetTotalAllocatedBytes();
        var (gen0, gen1, gen2) = (GC.CollectionCount(0), GC.CollectionCount(1), GC.CollectionCount(2));
        var cpu = Process.GetCurrentProcess().TotalProcessorTime;
        var start = Stopwatch.GetTimestamp();
        var writers = new Task[_options.Writers];
        for (var i = 0; i < writers.Length; i++)
        {
            var writer = i;
            writers[i] = Task.Run(() => WriteAsync(writer));
        }
        await WatchAsync(Task.WhenAll(writers), start, progress);
        var elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var used = Process.GetCurrentProcess().TotalProcessorTime - cpu;
        if (_store.Failed.IsCompleted) throw await _store.Failed;
        long written = 0;
        foreach (var (_, account) in _files.Accounts) written += account.WrittenBytes;
        return new StoreLoadResult
        {
            Seconds = elapsed,
            Batches = _batches,
            LogicalBytes = _bytes,
            SlowestSecondBytes = _seconds.Count > 1 ? _seconds.Skip(1).Min() : _bytes / elapsed,
            CpuShare = used.TotalSeconds / elapsed,
            AllocatedBytes = GC.GetTotalAllocatedBytes() - allocated,
            Gen0 = GC.CollectionCount(0) - gen0,
            Gen1 = GC.CollectionCount(1) - gen1,
            Gen2 = GC.CollectionCount(2) - gen2,
            MaxDirectoryBytes = _maxDirectory,
            EndDirectoryBytes = DirectoryBytes(),
            WriteAmplification = written / (double)Math.Max(1, _bytes),
            Files = _files.Accounts,
        };
    }

    private async Task CreateLogsAsync()
    {
        var commit = await _store.BeginAsync(CommitMode.Fsync, 64L * _options.Logs + 4096);
        for (var i = 0; i < _options.Logs; i++)
        {
            var log = _store.CreateLog(commit, LogKind.Durable);
            if (_options.RetentionBytes >= 0) log.Retention = new LogRetention(-1, _options.RetentionBytes);
            _logs.Add(log);
        }
        await _store.Enqueue(commit);
    }

    private async Task WriteAsync(int writer)
    {
        var batch = Batch(_options.BatchBytes, writer);
        // Each writer goes through all logs, from a place of its own.
        var next = (int)((long)writer * _logs.Count / _options.Writers);
        while (!Volatile.Read(ref _stop))
        {
            var log = _logs[next];
            next = next + 1 == _logs.Count ? 0 : next + 1;
            var commit = await _store.BeginAsync(_options.Mode, batch.Length);
            ValueTask committed;
            lock (log.Lock)
            {
                log.Append(commit, batch);
                committed = _store.Enqueue(commit);
            }
            await committed;
            Interlocked.Add(ref _bytes, batch.Length);
            Interlocked.Increment(ref _batches);
        }
    }

    private async Task WatchAsync(Task writers, long start, IProgress<Step> progress)
    {
        var lastBytes = 0L;
        var lastSecond = start;
        while (!writers.IsCompleted)
        {
            await Task.WhenAny(writers, Task.Delay(100));
            var elapsed = Stopwatch.GetElapsedTime(start);
            var bytes = Volatile.Read(ref _bytes);
            if (bytes >= _options.MinBytes && elapsed >= _options.MinTime) Volatile.Write(ref _stop, true);
            var since = Stopwatch.GetElapsedTime(lastSecond).TotalSeconds;
            if (since < 1) continue;
            var rate = (bytes - lastBytes) / since;
            _seconds.Add(rate);
            lastBytes = bytes;
            lastSecond = Stopwatch.GetTimestamp();
            _maxDirectory = Math.Max(_maxDirectory, DirectoryBytes());
            var done = Math.Min(_options.MinBytes == 0 ? 1 : bytes / (double)_options.MinBytes, _options.MinTime == TimeSpan.Zero ? 1 : elapsed / _options.MinTime);
            progress.Report(new Step(done, Sizes.Rate(rate)));
        }
        await writers;
    }

    private long DirectoryBytes()
    {
        var bytes = 0L;
        foreach (var file in new DirectoryInfo(_options.Directory).EnumerateFiles())
        {
            try
            {
                bytes += file.Length;
            }
            catch (FileNotFoundException)
            {
                // Reclaimed since it was listed.
            }
        }
        return bytes;
    }

    /// <summary>A batch of exactly so many bytes, of records of about 1 KiB that do not repeat.</summary>
    internal static ReadOnlyMemory<byte> Batch(int bytes, int seed)
    {
        var random = new Random(seed);
        using var builder = new RecordBatchBuilder();
        var value = new byte[1024];
        while (builder.UncompressedSize + 1100 < bytes)
        {
            random.NextBytes(value);
            builder.Add(1_700_000_000_000, default, value);
        }
        // The last record's own length takes one to three bytes, so the size is found by trying.
        for (var last = Math.Max(0, bytes - builder.UncompressedSize - 8); ; last--)
        {
            using var attempt = new RecordBatchBuilder();
            random = new Random(seed);
            for (var i = 0; i < builder.RecordCount; i++)
            {
                random.NextBytes(value);
                attempt.Add(1_700_000_000_000, default, value);
            }
            var rest = new byte[last];
            random.NextBytes(rest);
            attempt.Add(1_700_000_000_000, default, rest);
            if (attempt.UncompressedSize <= bytes || last == 0) return attempt.Build(new BatchOptions()).ToArray();
        }
    }
}

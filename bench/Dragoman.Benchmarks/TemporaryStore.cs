using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;
using Dragoman.Storage.State;

namespace Dragoman.Benchmarks;

/// <summary>A store on the real disk, in a directory that goes with it.</summary>
internal sealed class TemporaryStore : IAsyncDisposable
{
    private readonly string _directory;

    private TemporaryStore(string directory, Store store)
    {
        _directory = directory;
        Store = store;
    }

    public Store Store { get; }

    public static string NewDirectory() => Directory.CreateTempSubdirectory("dragoman-benchmark-").FullName;

    public static async Task<TemporaryStore> OpenAsync(Func<StoreOptions, StoreOptions>? change = null)
    {
        var directory = NewDirectory();
        var options = new StoreOptions { Directory = directory };
        var opener = new StoreOpener(change?.Invoke(options) ?? options, new OsFileSystem(), TimeProvider.System, ThreadPoolScheduler.Instance, new Random(1), new Dictionary<long, IStateMachine>());
        return new TemporaryStore(directory, await opener.OpenAsync());
    }

    public async Task<PartitionLog> CreateLogAsync()
    {
        var commit = await Store.BeginAsync(CommitMode.Fsync, Store.TypicalCommandBytes);
        var log = Store.CreateLog(commit, LogKind.Durable);
        await Store.Enqueue(commit);
        return log;
    }

    public async ValueTask AppendAsync(PartitionLog log, ReadOnlyMemory<byte> batch, CommitMode mode)
    {
        var commit = await Store.BeginAsync(mode, batch.Length);
        ValueTask committed;
        lock (log.Lock)
        {
            log.Append(commit, batch);
            committed = Store.Enqueue(commit);
        }
        await committed;
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>A batch of records that do not repeat.</summary>
    public static ReadOnlyMemory<byte> Batch(int records, int valueBytes)
    {
        using var builder = new RecordBatchBuilder();
        var random = new Random(records);
        var value = new byte[valueBytes];
        for (var i = 0; i < records; i++)
        {
            random.NextBytes(value);
            builder.Add(1_700_000_000_000 + i, default, value);
        }
        return builder.Build(new BatchOptions()).ToArray();
    }
}

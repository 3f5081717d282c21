using System.Collections.Concurrent;
using System.IO.Hashing;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Storage;

/// <summary>
/// Opens a store: takes the directory, reads the manifest, replays the journal behind it, and begins a new journal
/// file. It refuses what cannot have been written and lost in good faith.
/// </summary>
public sealed class StoreOpener
{
    private readonly StoreOptions _options;
    private readonly IFileSystem _files;
    private readonly TimeProvider _time;
    private readonly IScheduler _scheduler;
    private readonly Random _random;
    private readonly Dictionary<long, IStateMachine> _machines;
    private readonly FileTable _table;
    private readonly SparseIndexCache _indexes;
    private readonly ConcurrentDictionary<long, PartitionLog> _logs = new();
    private readonly HashSet<StoreFile> _segmentFiles = [];
    private readonly PlantedDefects _defects;

    /// <summary>Prepares to open a store.</summary>
    /// <param name="options">Where, and how large things are.</param>
    /// <param name="files">The disk.</param>
    /// <param name="time">The clock.</param>
    /// <param name="scheduler">Runs the store's loops.</param>
    /// <param name="random">Gives a new store its id.</param>
    /// <param name="machines">The state machines, by the ids under which their events are in the journal; ids from 1 on.</param>
    public StoreOpener(StoreOptions options, IFileSystem files, TimeProvider time, IScheduler scheduler, Random random, IReadOnlyDictionary<long, IStateMachine> machines)
        : this(options, files, time, scheduler, random, machines, new PlantedDefects())
    {
    }

    internal StoreOpener(StoreOptions options, IFileSystem files, TimeProvider time, IScheduler scheduler, Random random, IReadOnlyDictionary<long, IStateMachine> machines, PlantedDefects defects)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _files = files;
        _time = time;
        _scheduler = scheduler;
        _random = random;
        _machines = new Dictionary<long, IStateMachine>(machines);
        _defects = defects;
        _table = new FileTable(files, options.MaxOpenFiles);
        _indexes = new SparseIndexCache(options.IndexCacheBytes);
    }

    /// <summary>Makes the machines, empty, of states that commits create: ids from <see cref="Store.FirstDynamicState"/> on.</summary>
    public Func<long, IStateMachine>? StateFactory { get; init; }

    /// <summary>Opens the store.</summary>
    /// <exception cref="DirectoryInUseException">Another store has the directory.</exception>
    /// <exception cref="CorruptStoreException">What is on disk cannot be what was committed.</exception>
    /// <exception cref="DiskFullException">There is no room for a journal file.</exception>
    public async Task<Store> OpenAsync()
    {
        _files.CreateDirectory(_options.Directory);
        var directoryLock = _files.LockDirectory(_options.Directory);
        try
        {
            return await OpenLockedAsync(directoryLock);
        }
        catch (CorruptDataException error)
        {
            directoryLock.Dispose();
            throw new CorruptStoreException($"{_options.Directory} is damaged: {error.Message}", error);
        }
        catch
        {
            directoryLock.Dispose();
            throw;
        }
    }

    private async Task<Store> OpenLockedAsync(IDisposable directoryLock)
    {
        var manifest = Manifest.Read(_files, _options.Directory);
        var isNew = manifest is null;
        manifest ??= await CreateAsync();
        var snapshots = new Dictionary<long, StateSnapshot>();
        foreach (var state in manifest.States)
        {
            snapshots.Add(state.Id, state);
            if (state.Id >= Store.FirstDynamicState && StateFactory is not null) _machines.Add(state.Id, StateFactory(state.Id));
        }
        foreach (var (id, machine) in _machines)
            if (snapshots.TryGetValue(id, out var snapshot)) StateRecovery.Restore(machine, id, snapshot.Bytes.Span);
        var adopted = new Dictionary<long, StoreFile>();
        foreach (var log in manifest.Logs) Restore(log, adopted);

        var replay = new JournalReplay(_files, _table, _options.Directory, manifest, _logs, _machines, StateFactory, snapshots, _defects);
        await replay.RunAsync(adopted.Keys);
        RemoveLeftovers(manifest, adopted, replay);

        var numbers = new FileNumbers(HighestNumber(manifest));
        var epoch = isNew ? 0 : replay.EndedClean ? replay.Epoch : replay.Epoch + 1;
        var journal = await FileJournal.OpenAsync(_scheduler, _table, _options, numbers, new FileJournal.Start(
            replay.NextRound, replay.LastHash, epoch, replay.EndedClean, replay.Files));
        foreach (var (id, _) in _machines) snapshots.Remove(id);
        return new Store(new StoreParts
        {
            Options = _options,
            Defects = _defects,
            Time = _time,
            Scheduler = _scheduler,
            Table = _table,
            Numbers = numbers,
            Journal = journal,
            Manifest = manifest,
            SegmentFiles = _segmentFiles,
            Indexes = _indexes,
            DirectoryLock = directoryLock,
            Logs = _logs,
            Machines = _machines,
            UnclaimedSnapshots = snapshots,
            LastSequence = Math.Max(manifest.LastSequence, replay.LastSequence),
            LastLogId = Math.Max(manifest.LastLogId, replay.LastLogId),
            Recovery = new RecoveryReport(isNew, replay.EndedClean || isNew, replay.Rounds, replay.Bytes, replay.Commits, replay.Tail),
        });
    }

    /// <summary>Begins a new store; refuses a directory that had one whose manifest is gone.</summary>
    private async Task<Manifest> CreateAsync()
    {
        if (FileJournal.List(_files, _options.Directory).Count > 0)
            throw new CorruptStoreException($"{_options.Directory} holds a journal but no manifest. Restore the manifest from a backup, or choose another directory.");
        var id = new byte[16];
        _random.NextBytes(id);
        var storeId = new Guid(id);
        var manifest = new Manifest
        {
            Number = 1,
            StoreId = storeId,
            JournalFile = 1,
            FirstRound = 1,
            PreviousHash = XxHash3.HashToUInt64(id),
        };
        await manifest.WriteAsync(_files, _options.Directory);
        return manifest;
    }

    private void Restore(ManifestLog log, Dictionary<long, StoreFile> adopted)
    {
        var chunks = new List<Chunk>();
        foreach (var chunk in log.Chunks)
        {
            switch (chunk)
            {
                case ManifestChunk.InSegment inSegment:
                    chunks.Add(new SegmentChunk(SegmentFile(inSegment.FileNumber), inSegment.Region, _indexes));
                    break;
                case ManifestChunk.InAdopted inAdopted:
                    var file = _table.Add(inAdopted.FileNumber, FileJournal.PathOf(_options.Directory, inAdopted.FileNumber));
                    var index = _table.Add(inAdopted.FileNumber, CheckpointWriter.IndexPath(_options.Directory, inAdopted.FileNumber));
                    RequireFile(file);
                    RequireFile(index);
                    adopted.Add(file.Number, file);
                    _segmentFiles.Add(file);
                    _segmentFiles.Add(index);
                    var journalFile = new JournalFile(file, null, 0, 0, inAdopted.Epoch) { Length = inAdopted.FileLength };
                    chunks.Add(new AdoptedChunk(journalFile, index, _indexes, inAdopted.Region));
                    break;
            }
        }
        var restored = new PartitionLog(log.Id, log.Kind);
        restored.Restore(log.Start, log.End, chunks);
        foreach (var (epoch, start) in log.Epochs) restored.Epochs.Assign(epoch, start);
        restored.ProducersIncludeUpTo = log.ProducersIncludeUpTo;
        restored.CleanUpTo = log.CleanUpTo;
        if (!log.Producers.IsEmpty) restored.Producers.ReadSnapshot(log.Producers.Span);
        if (log.Kind == LogKind.Memory) restored.SkipTo(log.ReservedOffsets);
        if (log.IsDeleted) restored.RestoreDeleted();
        _logs[log.Id] = restored;
    }

    private readonly Dictionary<long, StoreFile> _segments = [];

    private StoreFile SegmentFile(long number)
    {
        if (_segments.TryGetValue(number, out var known)) return known;
        var file = _table.Add(number, CheckpointWriter.SegmentPath(_options.Directory, number));
        RequireFile(file);
        using (var handle = _files.Open(file.Path, FileOpenMode.Read)) file.DataLength = handle.Length;
        _segments.Add(number, file);
        _segmentFiles.Add(file);
        return file;
    }

    private void RequireFile(StoreFile file)
    {
        if (!_files.FileExists(file.Path))
            throw new CorruptStoreException($"{file.Path} is missing, and the manifest says that messages are in it.");
    }

    private long HighestNumber(Manifest manifest)
    {
        var highest = manifest.JournalFile - 1;
        foreach (var name in _files.ListFiles(_options.Directory))
            if (long.TryParse(Path.GetFileNameWithoutExtension(name), out var number)) highest = Math.Max(highest, number);
        return highest;
    }

    /// <summary>Removes what a checkpoint or the preparation of a file left half done.</summary>
    private void RemoveLeftovers(Manifest manifest, Dictionary<long, StoreFile> adopted, JournalReplay replay)
    {
        var kept = new HashSet<string> { Path.GetFileName(Manifest.PathOf(_options.Directory, manifest.Number)) };
        foreach (var file in _segmentFiles) kept.Add(Path.GetFileName(file.Path));
        foreach (var file in replay.Files) kept.Add(Path.GetFileName(file.File.Path));
        // The manifest may have been put in place just before the process died. What it no longer needs goes only when no
        // power failure can bring its predecessor back.
        _files.SyncDirectory(_options.Directory);
        foreach (var name in _files.ListFiles(_options.Directory))
        {
            var ours = name.EndsWith(".jnl", StringComparison.Ordinal) || name.EndsWith(".seg", StringComparison.Ordinal)
                || name.EndsWith(".idx", StringComparison.Ordinal) || name.StartsWith("manifest-", StringComparison.Ordinal);
            if (ours && !kept.Contains(name)) _files.Delete($"{_options.Directory}/{name}");
        }
    }
}

using System.Collections.Concurrent;
using Dragoman.Storage.Log;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Storage.Journal;

/// <summary>
/// Reads the journal from where the manifest says and puts logs and states back. It ends at a torn tail, and refuses a
/// journal in which something is missing that a later round knows to have been on disk.
/// </summary>
internal sealed class JournalReplay : ICommitVisitor
{
    private readonly IFileSystem _files;
    private readonly FileTable _table;
    private readonly string _directory;
    private readonly Manifest _manifest;
    private readonly ConcurrentDictionary<long, PartitionLog> _logs;
    private readonly Dictionary<long, IStateMachine> _machines;
    private readonly Func<long, IStateMachine>? _factory;
    private readonly Dictionary<long, StateSnapshot> _snapshots;
    private readonly PlantedDefects _defects;
    private readonly List<JournalFile> _replayed = [];
    private readonly List<UnprovenRound> _unproven = [];
    private JournalFile? _file;
    private bool _cleanStop;

    /// <summary>A round of which no later one says that it was on disk.</summary>
    private readonly record struct UnprovenRound(JournalFile File, long Position, int Length, long Number);

    public JournalReplay(IFileSystem files, FileTable table, string directory, Manifest manifest, ConcurrentDictionary<long, PartitionLog> logs, Dictionary<long, IStateMachine> machines, Func<long, IStateMachine>? factory, Dictionary<long, StateSnapshot> snapshots, PlantedDefects defects)
    {
        _files = files;
        _table = table;
        _directory = directory;
        _manifest = manifest;
        _logs = logs;
        _machines = machines;
        _factory = factory;
        _snapshots = snapshots;
        _defects = defects;
        NextRound = manifest.FirstRound;
        LastHash = manifest.PreviousHash;
        Epoch = manifest.Epoch;
    }

    public long NextRound { get; private set; }

    public ulong LastHash { get; private set; }

    public int Epoch { get; private set; }

    public long LastSequence { get; private set; }

    public long LastLogId { get; private set; }

    public long Rounds { get; private set; }

    public long Bytes { get; private set; }

    public long Commits { get; private set; }

    /// <summary>Whether the last thing in the journal is the mark of a good stop.</summary>
    public bool EndedClean { get; private set; }

    public string Tail { get; private set; } = "";

    /// <summary>The files that hold what was replayed.</summary>
    public IReadOnlyList<JournalFile> Files => _replayed;

    public async Task RunAsync(ICollection<long> adopted)
    {
        var numbers = FileJournal.List(_files, _directory);
        numbers.RemoveAll(n => n < _manifest.JournalFile || adopted.Contains(n));
        var decoder = new CommitDecoder(this);
        var isBroken = _manifest.Number > 1;
        foreach (var number in numbers)
        {
            using var scanner = JournalScanner.Open(_files, FileJournal.PathOf(_directory, number), number);
            // A file that was kept ready, and given up for a larger one, may still be there; it is no part of the chain.
            if (scanner is null || scanner.Header.FirstRound != NextRound || scanner.Header.PreviousHash != LastHash)
            {
                isBroken |= scanner is not null && scanner.Header.FirstRound > _manifest.FirstRound;
                continue;
            }
            Replay(scanner, decoder);
        }
        // A checkpoint names a file that is on disk. Before the first one, starts may have come to nothing, and what they
        // left may be gone, as long as no later file begins where one of them must have ended.
        if (_replayed.Count == 0 && isBroken)
            throw new CorruptStoreException($"{FileJournal.PathOf(_directory, _manifest.JournalFile)}, where the newest messages begin, is missing or damaged.");
        // The journal may speak of a deleted log up to its last file, although the deletion itself is behind us.
        foreach (var log in _logs.Values)
            if (log.IsDeleted && log.DeletedInFile < 0) log.DeletedInFile = _replayed.Count == 0 ? 0 : _replayed[^1].Number;
        RefuseHoles(numbers);
        EndedClean = _cleanStop;
        Tail = EndedClean ? "the journal ends with a good stop" : $"the journal ends after round {NextRound - 1}, without a good stop";
        if (!EndedClean) await SyncAsync();
    }

    private void Replay(JournalScanner scanner, CommitDecoder decoder)
    {
        var store = _table.Add(scanner.Header.FileNumber, scanner.Path);
        _file = new JournalFile(store, null, scanner.Header.FirstRound, scanner.Header.PreviousHash, scanner.Header.Epoch)
        {
            Capacity = (int)scanner.FileLength,
        };
        Epoch = Math.Max(Epoch, scanner.Header.Epoch);
        while (scanner.MoveNext(_defects.IgnoreTornTail))
        {
            decoder.Decode(scanner.Payload.Span, scanner.PayloadPosition);
            var synced = scanner.Round.SyncedThrough;
            if (_unproven.Count > 0 && _unproven[0].Number <= synced) _unproven.RemoveAll(r => r.Number <= synced);
            _unproven.Add(new UnprovenRound(_file, scanner.Position - scanner.Round.TotalSize, scanner.Round.TotalSize, scanner.Round.Number));
            Rounds++;
            Bytes += scanner.Round.TotalSize;
        }
        decoder.EndFile();
        _file.Length = (int)scanner.Position;
        _file.SyncedLength = _file.Length;
        NextRound = scanner.NextRound;
        LastHash = scanner.NextHash;
        // A file that a start made and never used is no part of the journal: nothing says that its header is on disk, and
        // a manifest must not come to rely on it. The one that the manifest names was synced before.
        if (_file.Length > RoundFormat.FileHeaderSize || _file.Number == _manifest.JournalFile) _replayed.Add(_file);
    }

    /// <summary>
    /// The chain of rounds ends here. If a round further on was written when the first missing one was already on
    /// disk, then this is no torn tail: acknowledged messages are gone.
    /// </summary>
    private void RefuseHoles(List<long> numbers)
    {
        var last = _replayed.Count == 0 ? -1 : _replayed[^1].Number;
        foreach (var number in numbers)
        {
            if (number < last) continue;
            var path = FileJournal.PathOf(_directory, number);
            using var scanner = JournalScanner.Open(_files, path, number) ?? JournalScanner.OpenWithoutHeader(_files, path, number, NextRound, LastHash);
            if (number == last)
                while (scanner.MoveNext(false)) { }
            var witness = scanner.FindWitness(NextRound);
            if (witness >= 0)
                throw new CorruptStoreException($"Round {NextRound} of the journal is missing or damaged, but a later round, at {witness} in {path}, was written when it was on disk. Acknowledged messages are lost; restore this directory from a backup or a replica.");
        }
    }

    /// <summary>
    /// What was replayed is visible from now on, so it must not depend on the operating system's cache. Syncing alone
    /// would not do: after a sync that failed, the cache may hold pages that it takes for written and the disk does
    /// not have. So the rounds that are not known to be on disk are written once more.
    /// </summary>
    private async Task SyncAsync()
    {
        foreach (var file in _replayed)
        {
            var unproven = _unproven.FindAll(r => r.File == file);
            // A file that was begun just before the end has no round that could prove its header, and a checkpoint may
            // come to name it as the one where the journal begins.
            var isEmpty = file.Length == RoundFormat.FileHeaderSize;
            if (unproven.Count == 0 && !isEmpty) continue;
            using var handle = _files.Open(file.File.Path, FileOpenMode.ReadWrite);
            foreach (var round in unproven)
            {
                var bytes = new byte[round.Length];
                file.File.Read(round.Position, bytes);
                await handle.WriteAsync(round.Position, bytes);
            }
            if (isEmpty || unproven[0].Position == RoundFormat.FileHeaderSize)
            {
                var header = new byte[RoundFormat.FileHeaderSize];
                file.File.Read(0, header);
                await handle.WriteAsync(0, header);
            }
            await handle.SyncAsync();
        }
        // So must their names be, before the next file's: a hole in the chain would look like damage. And so must the
        // manifest's, of which a start that was killed leaves no more than the name: nothing may rely on it before.
        _files.SyncDirectory(_directory);
    }

    private PartitionLog Log(long id) =>
        _logs.TryGetValue(id, out var log) ? log : throw new CorruptStoreException($"The journal speaks of log {id}, which was never created.");

    public void BeginCommit(long sequence, CommitMode mode)
    {
        if (sequence <= LastSequence) throw new CorruptStoreException($"Commit {sequence} follows commit {LastSequence} in the journal.");
        LastSequence = sequence;
        Commits++;
        _cleanStop = false;
    }

    public void Append(long logId, long baseOffset, int position, BatchFile.Piece[]? pieces, ReadOnlySpan<byte> batch, bool isReference)
    {
        if (pieces is not null) position = _file!.AddScattered(pieces);
        Log(logId).Replay(_file!, baseOffset, position, batch.Length, isReference, batch);
    }

    public void Event(long stateId, ReadOnlySpan<byte> evt)
    {
        if (stateId == 0) return;
        if (!_machines.TryGetValue(stateId, out var machine))
        {
            // A state that came and went before the checkpoint: what made it may be gone, and its events still be here.
            if (stateId >= Store.FirstDynamicState && LastSequence <= _manifest.LastSequence) return;
            throw new CorruptStoreException($"The journal holds events of state {stateId}, which this release does not know.");
        }
        if (!_defects.ApplyEventTwice && _snapshots.TryGetValue(stateId, out var snapshot) && LastSequence <= snapshot.Sequence) return;
        StateRecovery.Replay(machine, stateId, evt);
    }

    public void CreateLog(long logId, LogKind kind)
    {
        _logs.TryAdd(logId, new PartitionLog(logId, kind));
        LastLogId = Math.Max(LastLogId, logId);
    }

    public void DeleteLog(long logId)
    {
        var log = Log(logId);
        log.IsBeingDeleted = true;
        log.CommitDelete(_file!.Number);
    }

    public void AdvanceStart(long logId, long offset) => Log(logId).CommitStart(offset);

    public void ReserveOffsets(long logId, long offset) => Log(logId).SkipTo(offset);

    public void CreateState(long stateId)
    {
        LastLogId = Math.Max(LastLogId, stateId - Store.FirstDynamicState);
        if (_machines.ContainsKey(stateId)) return;
        if (_factory is null) throw new CorruptStoreException($"The journal creates state {stateId}, and nobody knows what it is.");
        _machines.Add(stateId, _factory(stateId));
    }

    public void DeleteState(long stateId)
    {
        _machines.Remove(stateId);
        _snapshots.Remove(stateId);
    }

    public void CleanStop() => _cleanStop = true;
}

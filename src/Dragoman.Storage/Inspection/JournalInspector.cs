using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;
using Dragoman.Storage.State;

namespace Dragoman.Storage.Inspection;

/// <summary>Walks the rounds of journal files and takes down what their commits change.</summary>
internal sealed class JournalInspector : ICommitVisitor
{
    private readonly IReadOnlyDictionary<long, IStateMachine> _machines;
    private readonly Dictionary<long, long> _snapshotSequences;
    private readonly List<InspectionFinding> _findings;
    private readonly HashSet<long> _unknownStates = [];
    private readonly List<InspectedCommit> _roundCommits = [];
    private List<InspectedEntry> _entries = [];
    private ShareCounter _shares = new();
    private string _path = "";
    private long _position;
    private long _sequence;
    private long _commits;
    private long? _onlyLog;

    public JournalInspector(Dictionary<long, LogInspection> logs, IReadOnlyDictionary<long, IStateMachine> machines, Dictionary<long, long> snapshotSequences, List<InspectionFinding> findings)
    {
        Logs = logs;
        _machines = machines;
        _snapshotSequences = snapshotSequences;
        _findings = findings;
    }

    /// <summary>The logs there are; changed as the journal tells.</summary>
    public Dictionary<long, LogInspection> Logs { get; }

    /// <summary>Whether the last commit read is the mark of a good stop.</summary>
    public bool EndedClean { get; private set; }

    /// <summary>Reads all whole rounds of a file.</summary>
    /// <param name="scanner">The file.</param>
    /// <param name="role">What it is to the store.</param>
    /// <param name="onlyLog">In an adopted file, the log that owns it: other entries no longer count.</param>
    /// <param name="onRound">Gets each round.</param>
    /// <param name="cancellation">Ends the work.</param>
    public JournalFileInspection Read(JournalScanner scanner, JournalFileRole role, long? onlyLog, Action<InspectedRound>? onRound, CancellationToken cancellation)
    {
        var decoder = new CommitDecoder(this);
        (_shares, _path, _onlyLog) = (new ShareCounter(), scanner.Path, onlyLog);
        var before = _commits;
        long rounds = 0;
        while (scanner.MoveNext())
        {
            cancellation.ThrowIfCancellationRequested();
            rounds++;
            _position = scanner.PayloadPosition - RoundFormat.RoundHeaderSize;
            _roundCommits.Clear();
            try
            {
                decoder.Decode(scanner.Payload.Span, scanner.PayloadPosition);
            }
            catch (CorruptStoreException error)
            {
                Damage(error.Message);
                break;
            }
            onRound?.Invoke(new InspectedRound(scanner.Header.FileNumber, scanner.Round.Number, _position, scanner.Round.TotalSize, scanner.Round.SyncedThrough, [.. _roundCommits]));
        }
        decoder.EndFile();
        return new JournalFileInspection(
            scanner.Header.FileNumber, scanner.Path, role, scanner.Header.Epoch, scanner.Header.FirstRound, rounds, _commits - before, scanner.Position, scanner.FileLength, _shares.ToList());
    }

    public void BeginCommit(long sequence, CommitMode mode)
    {
        if (_onlyLog is null && sequence <= _sequence) Damage($"Commit {sequence} follows commit {_sequence}.");
        _sequence = sequence;
        _commits++;
        EndedClean = false;
        _entries = [];
        _roundCommits.Add(new InspectedCommit(sequence, mode, _entries));
    }

    public void Append(long logId, long baseOffset, int position, BatchFile.Piece[]? pieces, ReadOnlySpan<byte> batch, bool isReference)
    {
        if (_onlyLog is { } only && only != logId) return;
        if (!RecordBatchHeader.TryRead(batch, out var header))
        {
            Damage($"An append to log {logId} holds no batch.");
            return;
        }
        var end = baseOffset + header.LastOffsetDelta + 1;
        _shares.Add(logId, header.RecordCount, batch.Length, baseOffset, end);
        _entries.Add(new InspectedEntry(isReference ? "append (shared body)" : "append", logId, baseOffset, header.RecordCount, batch.Length));
        // An adopted file's batches are in the manifest's account already.
        if (_onlyLog is not null) return;
        if (!Logs.TryGetValue(logId, out var log))
        {
            Damage($"A batch is appended to log {logId}, which was never created.");
            return;
        }
        if (baseOffset != log.EndOffset && log.Kind == LogKind.Durable) Damage($"A batch of log {logId} has offset {baseOffset}; {log.EndOffset} should come next.");
        Logs[logId] = log with { EndOffset = end, JournalBytes = log.JournalBytes + batch.Length };
    }

    public void Event(long stateId, ReadOnlySpan<byte> evt)
    {
        if (stateId == 0 || _onlyLog is not null) return;
        _entries.Add(new InspectedEntry("event", stateId, -1, 0, evt.Length));
        if (!_machines.TryGetValue(stateId, out var machine))
        {
            if (stateId < Store.FirstDynamicState && _unknownStates.Add(stateId)) Damage($"There are events of state {stateId}, which this release does not know.");
            return;
        }
        if (_snapshotSequences.TryGetValue(stateId, out var covered) && _sequence <= covered) return;
        try
        {
            StateRecovery.Replay(machine, stateId, evt);
        }
        catch (CorruptDataException error)
        {
            Damage($"An event of state {stateId} in commit {_sequence} makes no sense: {error.Message}");
        }
    }

    public void CreateLog(long logId, LogKind kind)
    {
        if (_onlyLog is not null) return;
        _entries.Add(new InspectedEntry("create-log", logId, -1, 0, 0));
        Logs.TryAdd(logId, new LogInspection(logId, kind, 0, 0, 0, 0));
    }

    public void DeleteLog(long logId)
    {
        if (_onlyLog is not null) return;
        _entries.Add(new InspectedEntry("delete-log", logId, -1, 0, 0));
        Logs.Remove(logId);
    }

    public void AdvanceStart(long logId, long offset)
    {
        if (_onlyLog is not null) return;
        _entries.Add(new InspectedEntry("advance-start", logId, offset, 0, 0));
        if (Logs.TryGetValue(logId, out var log)) Logs[logId] = log with { StartOffset = Math.Max(log.StartOffset, offset) };
    }

    public void ReserveOffsets(long logId, long offset)
    {
        if (_onlyLog is null) _entries.Add(new InspectedEntry("reserve-offsets", logId, offset, 0, 0));
    }

    public void CreateState(long stateId)
    {
        if (_onlyLog is null) _entries.Add(new InspectedEntry("create-state", stateId, -1, 0, 0));
    }

    public void DeleteState(long stateId)
    {
        if (_onlyLog is null) _entries.Add(new InspectedEntry("delete-state", stateId, -1, 0, 0));
    }

    public void CleanStop()
    {
        _entries.Add(new InspectedEntry("clean-stop", 0, -1, 0, 0));
        if (_onlyLog is null) EndedClean = true;
    }

    private void Damage(string message) => _findings.Add(new InspectionFinding(true, _path, _position, message));
}

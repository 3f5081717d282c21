using Dragoman.Storage.Journal;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Storage.Inspection;

/// <summary>
/// Reads the directory of a stopped store and says what is in it and whether it is whole. It follows the rules of
/// recovery, but where recovery would refuse it takes a note and goes on, and it changes nothing.
/// </summary>
public sealed class StoreInspector
{
    private readonly IFileSystem _files;
    private readonly string _directory;
    private readonly IReadOnlyDictionary<long, IStateMachine> _machines;
    private readonly StoreInspectionOptions _options;
    private readonly List<InspectionFinding> _findings = [];
    private readonly Dictionary<long, LogInspection> _logs = [];
    private readonly List<JournalFileInspection> _journal = [];
    private long _done;
    private long _total;

    /// <summary>Prepares an inspection.</summary>
    /// <param name="files">The disk.</param>
    /// <param name="directory">The data directory.</param>
    /// <param name="machines">New state machines by the ids of their states: afterwards they hold the states as a start would find them.</param>
    /// <param name="options">How.</param>
    public StoreInspector(IFileSystem files, string directory, IReadOnlyDictionary<long, IStateMachine> machines, StoreInspectionOptions options)
    {
        _files = files;
        _directory = directory;
        _machines = machines;
        _options = options;
    }

    /// <summary>Reads everything. To be called once.</summary>
    /// <exception cref="DirectoryInUseException">A store has the directory: what is in it is changing.</exception>
    /// <exception cref="IOException">The disk failed, or there is no store in the directory.</exception>
    public StoreInspection Inspect(CancellationToken cancellation = default)
    {
        IReadOnlyList<string> names;
        try
        {
            names = _files.ListFiles(_directory);
        }
        catch (DirectoryNotFoundException error)
        {
            throw new IOException($"There is no directory {_directory}.", error);
        }
        if (Manifest.List(_files, _directory).Count == 0 && FileJournal.List(_files, _directory).Count == 0)
            throw new IOException($"There is no store in {_directory}.");
        using (_files.LockDirectory(_directory)) return InspectLocked(names, cancellation);
    }

    private StoreInspection InspectLocked(IReadOnlyList<string> names, CancellationToken cancellation)
    {
        var manifest = ReadManifest();
        var adopted = new Dictionary<long, (long LogId, ManifestChunk.InAdopted Chunk)>();
        var referenced = new HashSet<long>();
        var snapshots = new Dictionary<long, long>();
        if (manifest is not null) Account(manifest, adopted, referenced, snapshots);
        _total = TotalBytes(names);
        var segments = InspectSegments(names, referenced, cancellation);
        var inspector = new JournalInspector(_logs, _machines, snapshots, _findings);
        foreach (var (number, (log, chunk)) in adopted) InspectAdopted(inspector, number, log, chunk, cancellation);
        var tail = WalkJournal(inspector, manifest, adopted.Keys, cancellation);
        _journal.Sort(static (a, b) => a.Number.CompareTo(b.Number));
        _findings.Sort(static (a, b) => b.IsDamage.CompareTo(a.IsDamage));
        var logs = new List<LogInspection>(_logs.Values);
        logs.Sort(static (a, b) => a.Id.CompareTo(b.Id));
        return new StoreInspection
        {
            Directory = _directory,
            Manifest = manifest is null ? null : Describe(manifest),
            Journal = _journal,
            Segments = segments,
            Logs = logs,
            EndedClean = inspector.EndedClean,
            Tail = tail,
            Findings = _findings,
        };
    }

    private Manifest? ReadManifest()
    {
        try
        {
            var manifest = Manifest.Read(_files, _directory);
            if (manifest is null) Damage(_directory, -1, "There is a journal but no manifest.");
            return manifest;
        }
        catch (CorruptStoreException error)
        {
            var numbers = Manifest.List(_files, _directory);
            Damage(Manifest.PathOf(_directory, numbers[^1]), -1, error.Message);
            return null;
        }
    }

    private static ManifestInspection Describe(Manifest manifest)
    {
        var states = new List<StateInspection>();
        foreach (var state in manifest.States) states.Add(new StateInspection(state.Id, state.Sequence, state.Bytes.Length));
        return new ManifestInspection(manifest.Number, manifest.StoreId, manifest.JournalFile, manifest.FirstRound, manifest.Epoch, manifest.LastSequence, manifest.Logs.Count, states);
    }

    private void Account(Manifest manifest, Dictionary<long, (long, ManifestChunk.InAdopted)> adopted, HashSet<long> referenced, Dictionary<long, long> snapshots)
    {
        foreach (var log in manifest.Logs)
        {
            long bytes = 0;
            foreach (var chunk in log.Chunks)
            {
                switch (chunk)
                {
                    case ManifestChunk.InSegment segment:
                        bytes += segment.Region.Length;
                        if (referenced.Add(segment.FileNumber)) Require(CheckpointWriter.SegmentPath(_directory, segment.FileNumber));
                        break;
                    case ManifestChunk.InAdopted whole:
                        bytes += whole.Region.DataBytes;
                        adopted[whole.FileNumber] = (log.Id, whole);
                        Require(FileJournal.PathOf(_directory, whole.FileNumber));
                        Require(CheckpointWriter.IndexPath(_directory, whole.FileNumber));
                        break;
                }
            }
            _logs[log.Id] = new LogInspection(log.Id, log.Kind, log.Start, log.End, bytes, 0);
        }
        foreach (var state in manifest.States)
        {
            if (!_machines.TryGetValue(state.Id, out var machine)) continue;
            try
            {
                StateRecovery.Restore(machine, state.Id, state.Bytes.Span);
                snapshots[state.Id] = state.Sequence;
            }
            catch (CorruptDataException error)
            {
                Damage(Manifest.PathOf(_directory, manifest.Number), -1, $"The snapshot of state {state.Id} cannot be read: {error.Message}");
            }
        }
    }

    private void Require(string path)
    {
        if (!_files.FileExists(path)) Damage(path, -1, "The file is missing, and the manifest says that messages are in it.");
    }

    private List<SegmentInspection> InspectSegments(IReadOnlyList<string> names, HashSet<long> referenced, CancellationToken cancellation)
    {
        var segments = new List<SegmentInspection>();
        foreach (var name in names)
        {
            if (!name.EndsWith(".seg", StringComparison.Ordinal) || !long.TryParse(name.AsSpan(0, name.Length - 4), out var number)) continue;
            var path = CheckpointWriter.SegmentPath(_directory, number);
            var isReferenced = referenced.Contains(number);
            if (!isReferenced) Note(path, "Nothing refers to this segment; a start removes it.");
            // What nothing refers to may be half written, in good faith.
            var findings = isReferenced ? _findings : [];
            segments.Add(new SegmentInspector(_files, path, number, findings).Inspect(isReferenced, _options.VerifySegments && isReferenced, Advance, cancellation));
        }
        return segments;
    }

    private void InspectAdopted(JournalInspector inspector, long number, long log, ManifestChunk.InAdopted chunk, CancellationToken cancellation)
    {
        var path = FileJournal.PathOf(_directory, number);
        if (!_files.FileExists(path)) return;
        using var scanner = JournalScanner.Open(_files, path, number);
        if (scanner is null)
        {
            Damage(path, 0, "The file has no valid header, and the manifest says that messages are in it.");
            return;
        }
        _journal.Add(inspector.Read(scanner, JournalFileRole.Adopted, log, null, cancellation));
        Advance(scanner.FileLength);
        if (scanner.Position < chunk.FileLength) Damage(path, scanner.Position, $"A round is missing or damaged here; {chunk.FileLength - scanner.Position} bytes of messages follow.");
    }

    /// <summary>Follows the chain of rounds as recovery does; returns how it ends.</summary>
    private string WalkJournal(JournalInspector inspector, Manifest? manifest, ICollection<long> adopted, CancellationToken cancellation)
    {
        var numbers = FileJournal.List(_files, _directory);
        numbers.RemoveAll(adopted.Contains);
        var (round, hash) = manifest is null ? (-1L, 0UL) : (manifest.FirstRound, manifest.PreviousHash);
        var isChained = true;
        var reached = 0;
        string? torn = null;
        var chain = numbers.FindAll(n => manifest is null || n >= manifest.JournalFile);
        foreach (var number in numbers)
        {
            var path = FileJournal.PathOf(_directory, number);
            using var scanner = JournalScanner.Open(_files, path, number);
            var isPart = scanner is not null && isChained && chain.Contains(number) && (round < 0 || (scanner.Header.FirstRound == round && scanner.Header.PreviousHash == hash));
            if (!isPart)
            {
                if (chain.Contains(number)) isChained = false;
                Leftover(scanner, number, path);
                continue;
            }
            _journal.Add(inspector.Read(scanner!, JournalFileRole.Replayed, null, _options.OnRound, cancellation));
            Advance(scanner!.FileLength);
            (round, hash) = (scanner.NextRound, scanner.NextHash);
            reached = chain.IndexOf(number) + 1;
            torn = TornRound(path, scanner);
        }
        if (manifest is not null && (chain.Count == 0 || chain[0] != manifest.JournalFile || reached == 0) && (manifest.Number > 1 || chain.Count > 0))
            Damage(FileJournal.PathOf(_directory, manifest.JournalFile), -1, "This file, where the newest messages begin, is missing or damaged.");
        if (round >= 0 && FindHole(chain, reached, round)) return $"the journal breaks off after round {round - 1}, although more was on disk";
        if (inspector.EndedClean) return "the journal ends with a good stop";
        return $"the journal ends after round {round - 1}, without a good stop{(torn is null ? "" : $"; {torn}")}";
    }

    private void Leftover(JournalScanner? scanner, long number, string path)
    {
        if (scanner is null)
        {
            using var file = _files.Open(path, FileOpenMode.Read);
            _journal.Add(new JournalFileInspection(number, path, JournalFileRole.Leftover, -1, -1, 0, 0, 0, file.Length, []));
        }
        else
        {
            _journal.Add(new JournalFileInspection(number, path, JournalFileRole.Leftover, scanner.Header.Epoch, scanner.Header.FirstRound, 0, 0, 0, scanner.FileLength, []));
        }
    }

    /// <summary>What there is of the round at which the chain ends, if anything.</summary>
    private string? TornRound(string path, JournalScanner scanner)
    {
        using var file = _files.Open(path, FileOpenMode.Read);
        Span<byte> header = stackalloc byte[RoundFormat.RoundHeaderSize];
        return file.Read(scanner.Position, header) == header.Length && RoundFormat.TryReadRoundHeader(header, out var round)
            && round.Number == scanner.NextRound && round.FileNumber == scanner.Header.FileNumber
            ? $"round {round.Number} at {scanner.Position} is torn: it was being written when the process or the power ended"
            : null;
    }

    private bool FindHole(List<long> chain, int reached, long missing)
    {
        for (var i = Math.Max(reached - 1, 0); i < chain.Count; i++)
        {
            var path = FileJournal.PathOf(_directory, chain[i]);
            using var scanner = JournalScanner.Open(_files, path, chain[i]);
            if (scanner is null) continue;
            var isLast = i < reached;
            while (isLast && scanner.MoveNext())
            {
            }
            var witness = scanner.FindWitness(missing);
            if (witness < 0) continue;
            var (where, position) = isLast ? (path, scanner.Position) : (FileJournal.PathOf(_directory, chain[Math.Max(reached - 1, 0)]), -1);
            Damage(where, position, $"Round {missing} is missing or damaged here, but a later round, at {witness} in {path}, was written when it was on disk. Acknowledged messages are lost; restore the directory from a backup or a replica.");
            return true;
        }
        return false;
    }

    private long TotalBytes(IReadOnlyList<string> names)
    {
        long total = 0;
        foreach (var name in names)
        {
            if (!name.EndsWith(".jnl", StringComparison.Ordinal) && !name.EndsWith(".seg", StringComparison.Ordinal)) continue;
            using var file = _files.Open($"{_directory}/{name}", FileOpenMode.Read);
            total += file.Length;
        }
        return total;
    }

    private void Advance(long bytes)
    {
        _done += bytes;
        _options.OnProgress?.Invoke(Math.Min(_done, _total), _total);
    }

    private void Damage(string path, long position, string message) => _findings.Add(new InspectionFinding(true, path, position, message));

    private void Note(string path, string message) => _findings.Add(new InspectionFinding(false, path, -1, message));
}

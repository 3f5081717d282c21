using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;

namespace Dragoman.Storage.Inspection;

/// <summary>What a stopped store's directory holds, as <see cref="StoreInspector"/> found it.</summary>
public sealed record StoreInspection
{
    /// <summary>The directory.</summary>
    public required string Directory { get; init; }

    /// <summary>The manifest that counts; null if there is none, or it is damaged.</summary>
    public required ManifestInspection? Manifest { get; init; }

    /// <summary>Journal files, by number: those that a start would replay, and those kept as segments.</summary>
    public required IReadOnlyList<JournalFileInspection> Journal { get; init; }

    /// <summary>Segment files, by number.</summary>
    public required IReadOnlyList<SegmentInspection> Segments { get; init; }

    /// <summary>Logs, by id, as they are after the journal.</summary>
    public required IReadOnlyList<LogInspection> Logs { get; init; }

    /// <summary>Whether the store was stopped in good order.</summary>
    public required bool EndedClean { get; init; }

    /// <summary>How the journal ends, for a person.</summary>
    public required string Tail { get; init; }

    /// <summary>What is worth knowing, the damage first.</summary>
    public required IReadOnlyList<InspectionFinding> Findings { get; init; }

    /// <summary>Whether a start would refuse the store, or readers would meet errors.</summary>
    public bool IsDamaged
    {
        get
        {
            foreach (var finding in Findings)
                if (finding.IsDamage) return true;
            return false;
        }
    }
}

/// <summary>Something worth knowing.</summary>
/// <param name="IsDamage">Whether data is lost or unreadable; otherwise it is a note.</param>
/// <param name="Path">The file.</param>
/// <param name="Position">Where in it, in bytes; -1 for the file as a whole.</param>
/// <param name="Message">What is there, for a person.</param>
public sealed record InspectionFinding(bool IsDamage, string Path, long Position, string Message);

/// <summary>What the manifest says.</summary>
/// <param name="Number">Its number: how many checkpoints there were, and one.</param>
/// <param name="StoreId">The store's id.</param>
/// <param name="JournalFile">The journal file from which on to replay.</param>
/// <param name="FirstRound">Number of the first round in it.</param>
/// <param name="Epoch">Leader epoch of the node that wrote it.</param>
/// <param name="LastSequence">Sequence of the newest commit when it was written.</param>
/// <param name="Logs">How many logs there were.</param>
/// <param name="States">The states.</param>
public sealed record ManifestInspection(long Number, Guid StoreId, long JournalFile, long FirstRound, int Epoch, long LastSequence, int Logs, IReadOnlyList<StateInspection> States);

/// <summary>A state machine's part of the store.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Sequence">The commit up to which its snapshot reaches; 0 without a snapshot.</param>
/// <param name="SnapshotBytes">Bytes of the snapshot.</param>
public sealed record StateInspection(long Id, long Sequence, int SnapshotBytes);

/// <summary>What a journal file is to the store.</summary>
public enum JournalFileRole
{
    /// <summary>A start replays it.</summary>
    Replayed,

    /// <summary>It is kept for good as the segment of one log that owns nearly all of it.</summary>
    Adopted,

    /// <summary>Nothing refers to it: a start removes it.</summary>
    Leftover,
}

/// <summary>A journal file.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Path">Its path.</param>
/// <param name="Role">What it is to the store.</param>
/// <param name="Epoch">Leader epoch under which it was written; -1 if it has no readable header.</param>
/// <param name="FirstRound">Number of its first round; -1 without a header.</param>
/// <param name="Rounds">Whole rounds.</param>
/// <param name="Commits">Commits in them.</param>
/// <param name="UsedBytes">Bytes in use.</param>
/// <param name="FileBytes">Bytes of the file, reserved space included.</param>
/// <param name="Logs">Whose batches it holds, the largest share first.</param>
public sealed record JournalFileInspection(long Number, string Path, JournalFileRole Role, int Epoch, long FirstRound, long Rounds, long Commits, long UsedBytes, long FileBytes, IReadOnlyList<LogShare> Logs);

/// <summary>A log's part of a file.</summary>
/// <param name="LogId">The log.</param>
/// <param name="Batches">How many batches.</param>
/// <param name="Records">How many records they say they hold.</param>
/// <param name="Bytes">Bytes of the batches.</param>
/// <param name="FirstOffset">Offset of the first record.</param>
/// <param name="EndOffset">The offset after the last.</param>
public sealed record LogShare(long LogId, long Batches, long Records, long Bytes, long FirstOffset, long EndOffset);

/// <summary>A segment file.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Path">Its path.</param>
/// <param name="FileBytes">Bytes of the file.</param>
/// <param name="IsReferenced">Whether the manifest refers to it; a start removes others.</param>
/// <param name="Regions">Its regions, in order.</param>
public sealed record SegmentInspection(long Number, string Path, long FileBytes, bool IsReferenced, IReadOnlyList<LogShare> Regions);

/// <summary>A log.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Kind">Where its messages live.</param>
/// <param name="StartOffset">The first offset that can be read.</param>
/// <param name="EndOffset">The offset after the last committed record.</param>
/// <param name="SegmentBytes">Bytes of its batches in segments, adopted journal files included.</param>
/// <param name="JournalBytes">Bytes of its batches in the journal.</param>
public sealed record LogInspection(long Id, LogKind Kind, long StartOffset, long EndOffset, long SegmentBytes, long JournalBytes);

/// <summary>A round of the journal, for those who want every detail.</summary>
/// <param name="File">Number of the file.</param>
/// <param name="Number">Its number.</param>
/// <param name="Position">Where it starts in the file.</param>
/// <param name="Bytes">Its size with header and padding.</param>
/// <param name="SyncedThrough">The highest round known to be on disk when it was written.</param>
/// <param name="Commits">Commits that end in it.</param>
public sealed record InspectedRound(long File, long Number, long Position, int Bytes, long SyncedThrough, IReadOnlyList<InspectedCommit> Commits);

/// <summary>A commit.</summary>
/// <param name="Sequence">Its number.</param>
/// <param name="Mode">What its acknowledgement meant.</param>
/// <param name="Entries">What it changes.</param>
public sealed record InspectedCommit(long Sequence, CommitMode Mode, IReadOnlyList<InspectedEntry> Entries);

/// <summary>A change in a commit.</summary>
/// <param name="Kind">What it does: append, event, create-log, delete-log, advance-start, reserve-offsets or clean-stop.</param>
/// <param name="Id">The log or state.</param>
/// <param name="Offset">The offset that it is about, or -1.</param>
/// <param name="Records">Records appended.</param>
/// <param name="Bytes">Bytes of the batch or event.</param>
public sealed record InspectedEntry(string Kind, long Id, long Offset, int Records, int Bytes);

/// <summary>How to inspect.</summary>
public sealed record StoreInspectionOptions
{
    /// <summary>Whether every batch in segments is read and its checksum compared. The journal is always read whole.</summary>
    public bool VerifySegments { get; init; } = true;

    /// <summary>Gets every round of the journal that a start would replay, in order.</summary>
    public Action<InspectedRound>? OnRound { get; init; }

    /// <summary>Hears how far the work is: bytes read, and bytes to read in all.</summary>
    public Action<long, long>? OnProgress { get; init; }
}

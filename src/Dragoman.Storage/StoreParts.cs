using System.Collections.Concurrent;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Storage;

/// <summary>What recovery hands to the store that it opens.</summary>
internal sealed class StoreParts
{
    public required StoreOptions Options { get; init; }

    public required PlantedDefects Defects { get; init; }

    public required TimeProvider Time { get; init; }

    public required IScheduler Scheduler { get; init; }

    public required FileTable Table { get; init; }

    public required FileNumbers Numbers { get; init; }

    public required FileJournal Journal { get; init; }

    public required Manifest Manifest { get; init; }

    public required HashSet<StoreFile> SegmentFiles { get; init; }

    public required SparseIndexCache Indexes { get; init; }

    public required IDisposable DirectoryLock { get; init; }

    public required ConcurrentDictionary<long, PartitionLog> Logs { get; init; }

    public required IReadOnlyDictionary<long, IStateMachine> Machines { get; init; }

    public required Dictionary<long, StateSnapshot> UnclaimedSnapshots { get; init; }

    public required long LastSequence { get; init; }

    public required long LastLogId { get; init; }

    public required RecoveryReport Recovery { get; init; }
}

/// <summary>What opening a store found.</summary>
/// <param name="IsNew">Whether the directory was empty.</param>
/// <param name="WasClean">Whether the store had been stopped in good order.</param>
/// <param name="Rounds">Rounds that were replayed.</param>
/// <param name="Bytes">Bytes of them.</param>
/// <param name="Commits">Commits in them.</param>
/// <param name="Tail">What is known about the end of the journal, for the log.</param>
public sealed record RecoveryReport(bool IsNew, bool WasClean, long Rounds, long Bytes, long Commits, string Tail);

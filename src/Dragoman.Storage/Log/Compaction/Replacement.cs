using Dragoman.Storage.Platform;

namespace Dragoman.Storage.Log.Compaction;

/// <summary>What compaction made of the oldest chunks of a log. A checkpoint puts it in their place.</summary>
internal sealed class Replacement
{
    public required PartitionLog Log { get; init; }

    /// <summary>The chunks that were read. Those that a checkpoint has dropped since, as wholly before the start, no longer count.</summary>
    public required HashSet<Chunk> Before { get; init; }

    /// <summary>What they have become.</summary>
    public List<Chunk> After { get; } = [];

    /// <summary>The log's <see cref="PartitionLog.CleanUpTo"/> from now on.</summary>
    public required long CleanUpTo { get; init; }

    /// <summary>Offsets of abort markers that are gone, and with them all that they ended.</summary>
    public required IReadOnlySet<long> DroppedMarkers { get; init; }

    /// <summary>The chunks of the log as they will be, given those it has now; null if it was changed under compaction's hands.</summary>
    public List<Chunk>? Apply(List<Chunk> chunks)
    {
        var replaced = 0;
        while (replaced < chunks.Count && Before.Contains(chunks[replaced])) replaced++;
        for (var i = replaced; i < chunks.Count; i++)
            if (Before.Contains(chunks[i])) return null;
        if (replaced == 0 && After.Count > 0) return null;
        return [.. After, .. chunks.GetRange(replaced, chunks.Count - replaced)];
    }
}

/// <summary>Replacements that one checkpoint puts in place, all or none.</summary>
internal sealed class ReplacementSet
{
    public List<Replacement> Replacements { get; } = [];

    /// <summary>Files that were written for them.</summary>
    public List<StoreFile> Files { get; } = [];

    public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}

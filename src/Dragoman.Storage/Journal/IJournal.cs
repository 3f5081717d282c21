namespace Dragoman.Storage.Journal;

/// <summary>
/// Where rounds become durable: appended one at a time, replayed from a position, dropped before a position. On one
/// machine it is files; in a cluster, a replicated stream.
/// </summary>
/// <remarks>Appending, rolling and syncing is the commit loop's alone.</remarks>
internal interface IJournal : IAsyncDisposable
{
    /// <summary>Payload bytes of the largest round.</summary>
    int MaxRoundPayload { get; }

    /// <summary>Payload bytes of a round that still fits the active file.</summary>
    int Remaining { get; }

    /// <summary>Space reserved ahead, against which commits are admitted.</summary>
    SpaceBudget Space { get; }

    /// <summary>Memory for the payload of the next round.</summary>
    Memory<byte> Reserve(int payloadLength);

    /// <summary>Appends the reserved memory as a round; tells the file and the position of its payload there.</summary>
    ValueTask<(JournalFile File, int PayloadPosition)> AppendAsync(int payloadLength);

    /// <summary>Whether the active file holds anything and another is ready.</summary>
    bool CanRoll { get; }

    /// <summary>Seals the active file and goes on in the next, which admission has seen to.</summary>
    void Roll();

    /// <summary>Makes all rounds so far durable.</summary>
    ValueTask SyncAsync();

    /// <summary>Makes a sealed file durable.</summary>
    ValueTask SyncSealedAsync(JournalFile file);

    /// <summary>The sealed files, oldest first.</summary>
    IReadOnlyList<JournalFile> Sealed { get; }

    /// <summary>The file being written.</summary>
    JournalFile Active { get; }

    /// <summary>Takes a file out of the journal: its content lives elsewhere, durably.</summary>
    void Release(JournalFile file, bool keep);
}

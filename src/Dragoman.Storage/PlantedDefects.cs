namespace Dragoman.Storage;

/// <summary>
/// Mistakes that tests plant, one at a time, to see that the simulator would find them. All are off but in those tests.
/// </summary>
internal sealed record PlantedDefects
{
    /// <summary>Completes commits before they are synced.</summary>
    public bool AcknowledgeEarly { get; init; }

    /// <summary>Takes rounds whose hash is wrong for whole during recovery.</summary>
    public bool IgnoreTornTail { get; init; }

    /// <summary>Drops journal files after a checkpoint without having switched the manifest.</summary>
    public bool DropManifestSwitch { get; init; }

    /// <summary>Applies events again that a snapshot includes already.</summary>
    public bool ApplyEventTwice { get; init; }

    /// <summary>Compacts past the start of open transactions.</summary>
    public bool CompactOpenTransactions { get; init; }
}

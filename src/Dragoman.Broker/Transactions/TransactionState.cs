namespace Dragoman.Broker.Transactions;

/// <summary>Where a producer's newest transaction stands.</summary>
public enum TransactionState : byte
{
    /// <summary>None has begun since the producer was initialised.</summary>
    Empty = 0,

    /// <summary>It is open: partitions and groups may join.</summary>
    Ongoing = 1,

    /// <summary>It will be committed whatever happens; its partitions and groups are being told.</summary>
    PrepareCommit = 2,

    /// <summary>It will be aborted whatever happens; its partitions and groups are being told.</summary>
    PrepareAbort = 3,

    /// <summary>It is committed everywhere.</summary>
    CompleteCommit = 4,

    /// <summary>It is aborted everywhere.</summary>
    CompleteAbort = 5,
}

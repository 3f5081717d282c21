namespace Dragoman.Broker.Transactions;

/// <summary>How a request to the coordinator of transactions ended.</summary>
public enum TransactionStatus
{
    /// <summary>It was done, and is durable.</summary>
    Ok,

    /// <summary>The transactional id is unknown, or has another producer id.</summary>
    UnknownProducer,

    /// <summary>A newer instance of the producer has taken over.</summary>
    Fenced,

    /// <summary>The end of an earlier transaction is under way: ask again soon.</summary>
    Concurrent,

    /// <summary>What was asked for does not fit the state that the transaction is in.</summary>
    InvalidState,

    /// <summary>The partition or group is not part of the open transaction.</summary>
    NotInTransaction,

    /// <summary>The time-out is not allowed.</summary>
    InvalidTimeout,

    /// <summary>The transactional id is not allowed.</summary>
    InvalidId,

    /// <summary>Another node coordinates this transactional id now.</summary>
    Moved,

    /// <summary>There is no room on disk; later there may be.</summary>
    Full,

    /// <summary>The disk failed.</summary>
    StorageError,
}

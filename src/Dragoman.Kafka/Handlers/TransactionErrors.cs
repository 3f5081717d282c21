using Dragoman.Broker.Transactions;
using Dragoman.Kafka.Wire;

namespace Dragoman.Kafka.Handlers;

/// <summary>
/// What the coordinator of transactions says, in Kafka's error codes. Producers that are fenced hear so in the code that
/// their generation knows (KIP-588): before <see cref="ErrorCode.ProducerFenced"/> was there, in
/// <see cref="ErrorCode.InvalidProducerEpoch"/>.
/// </summary>
internal static class TransactionErrors
{
    /// <summary>The code for an answer.</summary>
    /// <param name="status">The answer.</param>
    /// <param name="knowsFenced">Whether the request's version knows <see cref="ErrorCode.ProducerFenced"/>.</param>
    public static ErrorCode Of(TransactionStatus status, bool knowsFenced) => status switch
    {
        TransactionStatus.Ok => ErrorCode.None,
        TransactionStatus.UnknownProducer => ErrorCode.InvalidProducerIdMapping,
        TransactionStatus.Fenced => knowsFenced ? ErrorCode.ProducerFenced : ErrorCode.InvalidProducerEpoch,
        TransactionStatus.Concurrent => ErrorCode.ConcurrentTransactions,
        TransactionStatus.InvalidState or TransactionStatus.NotInTransaction => ErrorCode.InvalidTxnState,
        TransactionStatus.InvalidTimeout => ErrorCode.InvalidTransactionTimeout,
        TransactionStatus.InvalidId => ErrorCode.InvalidRequest,
        TransactionStatus.Moved => ErrorCode.NotCoordinator,
        TransactionStatus.Full or TransactionStatus.StorageError => ErrorCode.CoordinatorNotAvailable,
        _ => ErrorCode.UnknownServerError,
    };
}

using Dragoman.Storage.Records;

namespace Dragoman.Broker.Transactions;

/// <summary>Tells a partition how a producer's transaction ended.</summary>
/// <param name="Producer">The producer; its epoch fences older instances at the partition.</param>
/// <param name="Transaction">
/// The transaction's number among the producer's. A partition takes each number once, so a marker can be sent again as
/// often as is needed. -1 for a marker that an operator asks for: it is taken whenever it comes.
/// </param>
/// <param name="IsCommit">Whether the transaction's records count.</param>
public readonly record struct TransactionMarker(ProducerIdentity Producer, int Transaction, bool IsCommit)
{
    /// <summary>The record batch that says so.</summary>
    /// <param name="timestamp">When the transaction ended, in milliseconds since 1970.</param>
    internal byte[] ToBatch(long timestamp)
    {
        using var builder = new RecordBatchBuilder();
        var marker = new EndTransactionMarker(IsCommit ? ControlRecordType.Commit : ControlRecordType.Abort, Transaction);
        return marker.Build(builder, Producer.Id, Producer.Epoch, timestamp).ToArray();
    }
}

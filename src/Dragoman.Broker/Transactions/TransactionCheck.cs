using Dragoman.Broker.Topics;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Transactions;

/// <summary>
/// The check of a batch that would begin a transaction at a partition (KIP-890). The coordinator is asked before the
/// log's lock is taken, so the transaction may end in between: the log then has a marker of its number, and refuses.
/// </summary>
internal sealed class TransactionCheck(TransactionGate gate, TransactionalId id, TransactionPartition partition)
{
    /// <summary>How the check ended, in the partition's terms.</summary>
    public PartitionStatus Status { get; private set; } = PartitionStatus.NotInTransaction;

    /// <summary>The number of the transaction that the partition is part of.</summary>
    public int Transaction { get; private set; } = -1;

    /// <summary>Asks the coordinator.</summary>
    public ValueTask AskAsync(in RecordBatchHeader batch)
    {
        if (gate.Coordinator is not { } coordinator)
        {
            Status = PartitionStatus.CoordinatorBusy;
            return default;
        }
        var asking = coordinator.VerifyAsync(id, new ProducerIdentity(batch.ProducerId, batch.ProducerEpoch), partition);
        if (!asking.IsCompletedSuccessfully) return WaitAsync(asking);
        Take(asking.Result);
        return default;
    }

    private async ValueTask WaitAsync(ValueTask<VerifyAnswer> asking) => Take(await asking);

    private void Take(VerifyAnswer answer)
    {
        Transaction = answer.Transaction;
        Status = answer.Status switch
        {
            TransactionStatus.Ok => PartitionStatus.Ok,
            TransactionStatus.Fenced => PartitionStatus.StaleProducerEpoch,
            TransactionStatus.UnknownProducer or TransactionStatus.InvalidId => PartitionStatus.UnknownProducer,
            TransactionStatus.NotInTransaction or TransactionStatus.InvalidState => PartitionStatus.NotInTransaction,
            _ => PartitionStatus.CoordinatorBusy,
        };
    }
}

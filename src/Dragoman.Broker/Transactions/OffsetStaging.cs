using Dragoman.Broker.Groups;
using Dragoman.Broker.Groups.Offsets;
using Dragoman.Storage.Journal;

namespace Dragoman.Broker.Transactions;

/// <summary>Keeps offsets aside that a group has read up to within a transaction, until that ends.</summary>
internal sealed class OffsetStaging(TransactionContext context)
{
    public async ValueTask<TransactionalOffsetsAnswer> StageAsync(
        TransactionalId id, ProducerIdentity producer, string group, GroupCaller caller, IReadOnlyList<OffsetCommit> offsets, CancellationToken cancellation)
    {
        var name = new GroupName(id.Namespace, group);
        try
        {
            var commit = await context.Store.BeginAsync(CommitMode.Fsync, context.Offsets.BytesOf(name, offsets), cancellation);
            var answer = Enqueue(commit, id, producer, name, caller, offsets, out var committed);
            await committed;
            return answer;
        }
        catch (StorageFullException)
        {
            return new TransactionalOffsetsAnswer(TransactionStatus.Full, GroupStatus.Full);
        }
        catch (StoreFailedException)
        {
            return new TransactionalOffsetsAnswer(TransactionStatus.StorageError, GroupStatus.StorageError);
        }
    }

    private TransactionalOffsetsAnswer Enqueue(
        Commit commit, TransactionalId id, ProducerIdentity producer, GroupName group, GroupCaller caller, IReadOnlyList<OffsetCommit> offsets, out ValueTask committed)
    {
        var offsetShard = context.Offsets.ShardOf(group);
        var shard = context.ShardOf(id);
        using var locks = new LockSet(2);
        locks.Enter(offsetShard.Lock);
        locks.Enter(shard.Lock);
        var answer = Check(((TransactionShard)shard.Machine).Find(id), producer, group, caller);
        if (answer is { Status: TransactionStatus.Ok, Group: GroupStatus.Ok })
            context.Offsets.Stage(commit, group, producer.Id, producer.Epoch, offsets);
        // A refusal waits for what it has seen as well.
        committed = context.Store.Enqueue(commit);
        return answer;
    }

    private TransactionalOffsetsAnswer Check(TransactionEntry? entry, ProducerIdentity producer, GroupName group, GroupCaller caller)
    {
        var status = context.IsStopped ? TransactionStatus.Moved : TransactionCoordinator.Check(entry, producer);
        if (status == TransactionStatus.Ok && (entry!.State != TransactionState.Ongoing || !entry.Groups.Contains(group.Name)))
            status = TransactionStatus.NotInTransaction;
        return new TransactionalOffsetsAnswer(status, status == TransactionStatus.Ok ? context.Offsets.Check(group, caller) : GroupStatus.Ok);
    }
}

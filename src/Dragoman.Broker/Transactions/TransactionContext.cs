using System.Text;
using Dragoman.Broker.Groups;
using Dragoman.Broker.Groups.Offsets;
using Dragoman.Broker.Producers;
using Dragoman.Broker.Topics;
using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Transactions;

/// <summary>What the parts of the coordinator share: where transactional ids are kept, and what they need of the broker.</summary>
/// <param name="Store">The store.</param>
/// <param name="Topics">Finds the partitions that take part in transactions.</param>
/// <param name="Offsets">Keeps the offsets that groups commit with transactions.</param>
/// <param name="ProducerIds">Gives new producers their ids.</param>
/// <param name="Options">What is allowed.</param>
/// <param name="Defects">Mistakes that tests plant.</param>
internal sealed record TransactionContext(
    Store Store, ITopics Topics, ITransactionalOffsets Offsets, IProducerIds ProducerIds, TransactionOptions Options, TransactionDefects Defects) : IDisposable
{
    public const int Shards = 8;

    private readonly CancellationTokenSource _stop = new();

    /// <summary>Fires when this coordinator has nothing more to say.</summary>
    public CancellationToken Stopped => _stop.Token;

    public bool IsStopped => _stop.IsCancellationRequested;

    public long Now => Store.Time.GetUtcNow().ToUnixTimeMilliseconds();

#pragma warning disable CA1849, VSTHRD103 // CancelAsync leaves the scheduler that the simulator drives.
    public void Stop() => _stop.Cancel();
#pragma warning restore CA1849, VSTHRD103

    public void Dispose() => _stop.Dispose();

    /// <summary>The share that keeps an id. Which one it is never changes.</summary>
    public StateLog ShardOf(TransactionalId id)
    {
        Span<byte> bytes = stackalloc byte[256];
        var name = id.Name.Length <= 80 ? bytes[..Encoding.UTF8.GetBytes(id.Name, bytes)] : Encoding.UTF8.GetBytes(id.Name);
        return Store.GetState(Broker.FirstTransactionState + KeyPartitioner.Choose(name, Shards));
    }

    /// <summary>All shares.</summary>
    public IEnumerable<StateLog> AllShards
    {
        get
        {
            for (var i = 0; i < Shards; i++) yield return Store.GetState(Broker.FirstTransactionState + i);
        }
    }

    /// <summary>Waits until all that a share was seen to say is durable.</summary>
    public static async ValueTask SettleAsync(StateLog shard) => await shard.ExecuteAsync(CommitMode.Fsync, static _ => 0, 0);

    /// <summary>The states that hold the offsets of groups, each once, in the order in which they are locked.</summary>
    public List<StateLog> OffsetShardsOf(TransactionalId id, IEnumerable<string> groups)
    {
        var shards = new SortedList<long, StateLog>();
        foreach (var group in groups)
        {
            var shard = Offsets.ShardOf(new GroupName(id.Namespace, group));
            shards[shard.Id] = shard;
        }
        return [.. shards.Values];
    }

    /// <summary>The handle of a partition; null if the topic is gone.</summary>
    public IPartitionHandle? Find(TransactionPartition partition)
    {
        var topic = Topics.Find(partition.TopicId);
        return topic is { IsDeleted: false } && partition.Index < topic.Partitions.Count ? topic.Partitions[partition.Index] : null;
    }
}

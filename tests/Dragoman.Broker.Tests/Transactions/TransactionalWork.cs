using System.Text;
using Dragoman.Broker.Topics;
using Dragoman.Broker.Transactions;
using Dragoman.Storage.Log;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Tests.Transactions;

/// <summary>A producer of transactions, and a reader of what they leave, as plain as can be.</summary>
internal sealed class TransactionalProducer(ITransactions transactions, string name)
{
    private readonly Dictionary<TransactionPartition, int> _sequences = [];

    public TransactionalId Id { get; } = TransactionalId.InDefault(name);

    public ProducerIdentity Identity { get; set; }

    public async Task<TransactionStatus> InitialiseAsync(int timeoutMs = 60_000, ProducerIdentity? known = null)
    {
        var answer = await transactions.InitialiseAsync(Id, timeoutMs, known);
        if (answer.Status == TransactionStatus.Ok) Identity = answer.Producer;
        _sequences.Clear();
        return answer.Status;
    }

    public ValueTask<TransactionStatus> AddAsync(params (ITopicHandle Topic, int Index)[] partitions) =>
        transactions.AddPartitionsAsync(Id, Identity, partitions.Select(p => new TransactionPartition(p.Topic.Id, p.Index)).ToArray());

    public ValueTask<TransactionStatus> EndAsync(bool commit) => transactions.EndAsync(Id, Identity, commit);

    /// <summary>Appends a batch of one record, as part of the transaction.</summary>
    public async Task<PartitionStatus> SendAsync(ITopicHandle topic, int index, string value)
    {
        var at = new TransactionPartition(topic.Id, index);
        var sequence = _sequences.GetValueOrDefault(at);
        var answer = await topic.Partitions[index].AppendAsync(BatchOf(Identity, sequence, value), Id);
        if (answer.Status == PartitionStatus.Ok) _sequences[at] = sequence + 1;
        return answer.Status;
    }

    public static byte[] BatchOf(ProducerIdentity producer, int sequence, string value, bool isTransactional = true)
    {
        using var builder = new RecordBatchBuilder();
        builder.Add(1000, NullableBytes.Null, Encoding.UTF8.GetBytes(value));
        return builder.Build(new BatchOptions { IsTransactional = isTransactional, Producer = new BatchProducer(producer.Id, producer.Epoch, sequence) }).ToArray();
    }

    /// <summary>What a read-committed consumer makes of a partition that it reads from its start.</summary>
    public static async Task<List<string>> ReadCommittedAsync(IPartitionHandle partition)
    {
        var values = new List<string>();
        Assert.True(partition.TryGetOffsets(out var offsets));
        using var read = new LogRead();
        var from = offsets.Start;
        var aborted = new List<AbortedTransaction>();
        Assert.Equal(PartitionStatus.Ok, await partition.ReadStableAsync(from, int.MaxValue, read, aborted));
        Assert.True(read.NextOffset <= offsets.LastStable);
        var bytes = new byte[read.TotalBytes];
        read.CopyTo(bytes);
        using var reader = new RecordBatchReader();
        for (var at = 0; at < bytes.Length;)
        {
            Assert.True(RecordBatchHeader.TryRead(bytes.AsSpan(at), out var header));
            Assert.Equal(BatchError.None, reader.Open(bytes.AsMemory(at, (int)header.TotalSize)));
            at += (int)header.TotalSize;
            var (producer, offset) = (header.ProducerId, header.BaseOffset);
            var isAborted = header.IsTransactional && aborted.Any(t => t.ProducerId == producer && t.FirstOffset <= offset && offset <= t.LastOffset);
            if (header.IsControl || isAborted) continue;
            var records = reader.Records;
            while (records.MoveNext()) values.Add(Encoding.UTF8.GetString(records.Current.Value.Span));
            reader.Close();
        }
        return values;
    }
}

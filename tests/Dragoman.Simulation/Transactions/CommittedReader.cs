using System.Globalization;
using System.Text;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Log;
using Dragoman.Storage.Records;

namespace Dragoman.Simulation.Transactions;

/// <summary>A read-committed consumer of one partition. What it has seen, it has seen: it outlives the broker.</summary>
internal sealed class CommittedReader(TransactionModel model, int partition)
{
    private readonly HashSet<string> _values = [];
    private long _position;

    /// <summary>What it has seen.</summary>
    public IReadOnlySet<string> Values => _values;

    /// <summary>Reads on, and checks that nothing is there which nobody has asked to commit, or a second time.</summary>
    public async Task<bool> ReadAsync(Broker.Broker broker, int maxBytes)
    {
        var handle = broker.Topics.Find(TopicName.InDefault("t"))!.Partitions[partition];
        using var read = new LogRead();
        var aborted = new List<AbortedTransaction>();
        var status = await handle.ReadStableAsync(_position, maxBytes, read, aborted);
        TransactionModel.Check(status == PartitionStatus.Ok, $"partition {partition} can be read at {_position}: {status}");
        if (read.TotalBytes == 0) return false;
        TransactionModel.Check(handle.TryGetOffsets(out var offsets) && read.NextOffset <= offsets.LastStable, $"a stable read of partition {partition} ends before the last stable offset");
        var bytes = new byte[read.TotalBytes];
        read.CopyTo(bytes);
        foreach (var value in Decode(bytes, aborted))
        {
            var number = int.Parse(value.AsSpan(0, value.IndexOf('/', StringComparison.Ordinal)), CultureInfo.InvariantCulture);
            var transaction = model.All[number - 1];
            TransactionModel.Check(transaction.CommitAsked && transaction.IsCommitted != false, $"{value} is seen, and nobody committed {transaction}");
            TransactionModel.Check(_values.Add(value), $"{value} is seen once");
        }
        _position = read.NextOffset;
        return true;
    }

    private List<string> Decode(byte[] bytes, List<AbortedTransaction> aborted)
    {
        var values = new List<string>();
        using var reader = new RecordBatchReader();
        for (var at = 0; at < bytes.Length;)
        {
            TransactionModel.Check(reader.Open(bytes.AsMemory(at)) == BatchError.None, "a batch can be read");
            var (producer, first, size) = (reader.Header.ProducerId, reader.Header.BaseOffset, (int)reader.Header.TotalSize);
            at += size;
            if (reader.Header.IsControl || aborted.Exists(t => t.ProducerId == producer && t.FirstOffset <= first && first <= t.LastOffset)) continue;
            var records = reader.Records;
            while (records.MoveNext())
                if (records.Current.Offset >= _position) values.Add(Encoding.UTF8.GetString(records.Current.Value.Span).TrimEnd('.'));
        }
        return values;
    }
}

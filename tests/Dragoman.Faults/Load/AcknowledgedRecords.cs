namespace Dragoman.Faults.Load;

/// <summary>What a broker has acknowledged, to be held against what it holds.</summary>
internal sealed class AcknowledgedRecords(int partitions)
{
    private readonly SortedDictionary<long, LoadMessage>[] _byOffset = [.. Enumerable.Range(0, partitions).Select(_ => new SortedDictionary<long, LoadMessage>())];

    /// <summary>How many there are.</summary>
    public int Count => _byOffset.Sum(partition => partition.Count);

    public void Add(IEnumerable<(LoadMessage Message, long Offset)> acknowledged)
    {
        foreach (var (message, offset) in acknowledged)
        {
            if (!_byOffset[message.Partition].TryAdd(offset, message))
                Assert.Fail($"Offset {offset} of partition {message.Partition} was acknowledged twice: for {_byOffset[message.Partition][offset]}, and for {message}.");
        }
    }

    /// <summary>
    /// Checks that a partition holds all of them, each at its offset, those of one producer in the order in which they
    /// were sent, none twice, and nothing else.
    /// </summary>
    public void AssertAllIn(int partition, IReadOnlyList<(long Offset, byte[] Value)> records)
    {
        var acknowledged = _byOffset[partition];
        var next = new Dictionary<int, long>();
        var expectedOffset = 0L;
        foreach (var (offset, value) in records)
        {
            Assert.True(offset == expectedOffset, $"Offset {expectedOffset} of partition {partition} is followed by {offset}.");
            expectedOffset++;
            var message = LoadMessage.Parse(value);
            Assert.True(message.Partition == partition, $"{message} is in partition {partition}.");
            var due = next.GetValueOrDefault(message.Producer);
            Assert.True(message.Sequence == due, $"{message} is at offset {offset}, where message {due} should be: {(message.Sequence < due ? "it is there twice" : "something is missing")}.");
            next[message.Producer] = due + 1;
            Assert.True(acknowledged.TryGetValue(offset, out var known) && known == message, $"Offset {offset} of partition {partition} holds {message}, and was acknowledged for {(acknowledged.ContainsKey(offset) ? known.ToString() : "nothing")}.");
        }
        Assert.True(acknowledged.Count == records.Count, $"{acknowledged.Count} records were acknowledged in partition {partition}, and {records.Count} are there.");
    }
}

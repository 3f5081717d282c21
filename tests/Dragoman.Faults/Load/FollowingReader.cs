using Confluent.Kafka;

namespace Dragoman.Faults.Load;

/// <summary>
/// Reads along while the broker is killed and started. Whatever it has seen was committed, so it must be there ever
/// after, at the same offsets.
/// </summary>
internal sealed class FollowingReader : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<LoadMessage>[] _seen;
    private readonly Task _reading;

    public FollowingReader(string bootstrap, string topic, int partitions)
    {
        _seen = [.. Enumerable.Range(0, partitions).Select(_ => new List<LoadMessage>())];
        _reading = Task.Run(() => Read(bootstrap, topic));
    }

    /// <summary>Records seen so far.</summary>
    public long Count { get; private set; }

    /// <summary>Ends reading and checks that what was seen of a partition is the beginning of what it holds.</summary>
    public async Task AssertSeenIsKeptAsync(int partition, IReadOnlyList<(long Offset, byte[] Value)> records)
    {
        await _stop.CancelAsync();
        await _reading;
        var seen = _seen[partition];
        Assert.True(seen.Count <= records.Count, $"A reader saw {seen.Count} records of partition {partition}, and {records.Count} are left.");
        for (var i = 0; i < seen.Count; i++)
        {
            var kept = LoadMessage.Parse(records[i].Value);
            Assert.True(kept == seen[i], $"At offset {i} a reader saw {seen[i]}, and now there is {kept}.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private void Read(string bootstrap, string topic)
    {
        using var consumer = KafkaReader.Consumer(bootstrap);
        consumer.Assign(_seen.Select((_, partition) => new TopicPartitionOffset(topic, partition, 0)));
        while (!_stop.IsCancellationRequested)
        {
            ConsumeResult<Ignore, byte[]>? result;
            try
            {
                result = consumer.Consume(TimeSpan.FromMilliseconds(100));
            }
            catch (ConsumeException error) when (!error.Error.IsFatal && error.Error.Code != ErrorCode.OffsetOutOfRange)
            {
                continue;
            }
            if (result is null || result.IsPartitionEOF) continue;
            var seen = _seen[result.Partition.Value];
            Assert.True(result.Offset.Value == seen.Count, $"A reader of partition {result.Partition.Value} got offset {result.Offset.Value} after {seen.Count - 1}.");
            seen.Add(LoadMessage.Parse(result.Message.Value));
            Count++;
        }
    }
}

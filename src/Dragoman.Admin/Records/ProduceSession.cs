using Dragoman.Admin.Http;
using Dragoman.Admin.Model;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Records;

namespace Dragoman.Admin.Records;

/// <summary>One request that appends records to a topic: chooses partitions and keeps their writers.</summary>
internal sealed class ProduceSession : IAsyncDisposable
{
    private readonly ITopicHandle _topic;
    private readonly CompressionCodec _codec;
    private readonly int? _partition;
    private readonly TimeProvider _time;
    private readonly SortedDictionary<int, PartitionWriter> _writers = [];
    private int _keyless;

    /// <param name="topic">Where to.</param>
    /// <param name="partition">The partition of records that name none; null to choose by key.</param>
    /// <param name="codec">How to compress batches.</param>
    /// <param name="time">The clock.</param>
    public ProduceSession(ITopicHandle topic, int? partition, CompressionCodec codec, TimeProvider time)
    {
        _topic = topic;
        _codec = codec;
        _time = time;
        _partition = partition;
        if (partition is { } given) Check(given);
        // Requests of one record each, too, should reach all partitions.
        _keyless = (int)(time.GetTimestamp() % topic.Partitions.Count);
    }

    /// <summary>Records that are durable so far.</summary>
    public long Appended => _writers.Values.Sum(w => w.Records);

    public ProduceResult Result => new(Appended, [.. _writers.Values.Where(w => w.Result is not null).Select(w => w.Result!)]);

    /// <summary>The writer that takes a record of that key and size; sends its batch first if that is full.</summary>
    public ValueTask<PartitionWriter> WriterForAsync(NullableBytes key, int? partition, long bytes, CancellationToken cancellation)
    {
        if (partition is { } given) Check(given);
        var index = partition ?? _partition ?? (key.IsNull ? _keyless : KeyPartitioner.Choose(key.Span, _topic.Partitions.Count));
        var writer = WriterOf(index);
        if (!writer.IsFullFor(bytes)) return ValueTask.FromResult(writer);
        // Records without a key go to the next partition batch by batch, as large batches are cheaper for everybody.
        if (index == _keyless && key.IsNull && partition is null && _partition is null) _keyless = (_keyless + 1) % _topic.Partitions.Count;
        return SendFirstAsync(writer, cancellation);
    }

    /// <summary>The time of a record that states none.</summary>
    public long Now => _time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Sends what has gathered, for the input pauses.</summary>
    public async ValueTask SendAsync(CancellationToken cancellation)
    {
        foreach (var writer in _writers.Values) await writer.SendAsync(cancellation);
    }

    /// <summary>Sends the rest and waits until all is durable.</summary>
    public async ValueTask<ProduceResult> CompleteAsync(CancellationToken cancellation)
    {
        await SendAsync(cancellation);
        foreach (var writer in _writers.Values) await writer.WaitAsync();
        return Result;
    }

    private static async ValueTask<PartitionWriter> SendFirstAsync(PartitionWriter writer, CancellationToken cancellation)
    {
        await writer.SendAsync(cancellation);
        return writer;
    }

    private PartitionWriter WriterOf(int index)
    {
        if (!_writers.TryGetValue(index, out var writer)) _writers.Add(index, writer = new PartitionWriter(_topic.Partitions[index], _topic.Settings, _codec));
        return writer;
    }

    private void Check(int partition)
    {
        if ((uint)partition >= (uint)_topic.Partitions.Count)
            throw ProblemException.BadRequest($"Topic '{_topic.Name}' has no partition {partition}; it has {_topic.Partitions.Count}, counted from 0.");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var writer in _writers.Values)
        {
            await writer.SettleAsync();
            writer.Dispose();
        }
    }
}

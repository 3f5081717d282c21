using System.Buffers;
using System.Globalization;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Records;

namespace Dragoman.Amqp.Sessions;

/// <summary>Messages on their way to logs: a batch for each partition.</summary>
internal sealed class LogAppends(ITopicHandle[] logs)
{
    // A record's own fields, and the batch's header.
    private const int Slack = 4096;

    private readonly Dictionary<(int Log, int Partition), RecordBatchBuilder> _batches = [];
    private RecordHeadersWriter? _headers;

    /// <summary>Bytes of all batches.</summary>
    public long Bytes { get; private set; }

    /// <summary>Whether another message fits into every batch.</summary>
    public bool HasRoomFor(long bytes)
    {
        foreach (var log in logs)
            if (Bytes + bytes + Slack > log.Settings.MaxMessageBytes) return false;
        return true;
    }

    /// <summary>
    /// Adds a message to each log. The routing key is the record's key, as far as there is one, and chooses the partition: so
    /// messages of one key stay in order, as they do for Kafka's own producers.
    /// </summary>
    public void Add(in MessageProperties properties, ReadOnlySpan<byte> routingKey, in ReadOnlySequence<byte> body, RecordHeaders headers)
    {
        if (properties.ExpiresAt >= 0 || properties.Priority >= 0)
        {
            // What queues act upon they write themselves; a log has no other place for it.
            _headers ??= new RecordHeadersWriter();
            _headers.Clear();
            _headers.Add(headers);
            if (properties.ExpiresAt >= 0) AddNumber(CanonicalHeaders.ExpiresAt, properties.ExpiresAt);
            if (properties.Priority >= 0) AddNumber(CanonicalHeaders.Priority, properties.Priority);
            headers = _headers.Headers;
        }
        var key = routingKey.IsEmpty ? default : new NullableBytes(routingKey);
        for (var i = 0; i < logs.Length; i++)
        {
            var partitions = logs[i].Partitions.Count;
            var partition = partitions == 1 ? 0 : KeyPartitioner.Choose(routingKey, partitions);
            if (!_batches.TryGetValue((i, partition), out var batch)) _batches[(i, partition)] = batch = new RecordBatchBuilder();
            batch.Add(properties.Timestamp, key, body, headers);
        }
        Bytes += body.Length + headers.Encoded.Length + routingKey.Length;
    }

    /// <summary>Appends all batches.</summary>
    /// <returns>What is wrong, if something is.</returns>
    public async Task<string?> AppendAsync()
    {
        _headers?.Dispose();
        // All are under way before the first is awaited.
        var appends = new List<Task<string?>>(_batches.Count);
        foreach (var ((log, partition), batch) in _batches) appends.Add(AppendAsync(logs[log].Partitions[partition], batch));
        string? problem = null;
        foreach (var append in appends)
        {
            var found = await append.ConfigureAwait(false);
            problem ??= found;
        }
        return problem;
    }

    private void AddNumber(ReadOnlySpan<byte> name, long number)
    {
        Span<byte> digits = stackalloc byte[20];
        number.TryFormat(digits, out var length, default, CultureInfo.InvariantCulture);
        _headers!.Add(name, digits[..length]);
    }

    private static async Task<string?> AppendAsync(IPartitionHandle partition, RecordBatchBuilder batch)
    {
        using (batch)
        {
            var answer = await partition.AppendAsync(batch.Build(new BatchOptions())).ConfigureAwait(false);
            return answer.Status == PartitionStatus.Ok ? null : answer.Message ?? answer.Status.ToString();
        }
    }
}

using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Messages;

/// <summary>
/// Messages on their way to queues, encoded once, in pooled memory, as they are stored. Rented, filled, and handed to a
/// publish, which owns it from then on and gives it back; or given back unused. Not safe for concurrent use.
/// </summary>
public sealed class MessageBatch : IDisposable
{
    /// <summary>The most bytes that a batch may reach; a single larger message makes a batch of its own.</summary>
    public const int MaxBytes = 1 << 20;

    private const int PooledBatches = 256;
    private const int PooledBytes = 4 << 20;

    private static readonly ConcurrentQueue<MessageBatch> Pool = new();
    private static readonly List<(int Index, MessageProperties Properties)> NoneSpecial = [];
    private static int _pooled;

    private readonly RecordBatchBuilder _builder = new();
    private readonly RecordHeadersWriter _headers = new();
    private List<(int Index, MessageProperties Properties)>? _special;
    private bool _rented;

    private MessageBatch()
    {
    }

    /// <summary>An empty batch.</summary>
    public static MessageBatch Rent()
    {
        if (Pool.TryDequeue(out var batch)) Interlocked.Decrement(ref _pooled);
        else batch = new MessageBatch();
        batch._rented = true;
        return batch;
    }

    /// <summary>Messages added.</summary>
    public int Count => _builder.RecordCount;

    /// <summary>Bytes of the batch as it is stored.</summary>
    public int Bytes => _builder.UncompressedSize;

    /// <summary>Whether any message has a key.</summary>
    internal bool HasKeys { get; private set; }

    /// <summary>The time of the first message, in milliseconds since 1970.</summary>
    internal long FirstTimestamp => _builder.BaseTimestamp;

    /// <summary>Bytes of the values, which is what length limits count.</summary>
    public long ValueBytes { get; private set; }

    /// <summary>The messages of which a queue has to know more than that they are there, in order.</summary>
    internal IReadOnlyList<(int Index, MessageProperties Properties)> Special => _special ?? NoneSpecial;

    /// <summary>Adds a message.</summary>
    /// <param name="properties">What the queue acts upon; it is added to the headers.</param>
    /// <param name="key">The key: the ordering key where there is one.</param>
    /// <param name="value">The value.</param>
    /// <param name="headers">The other headers; copied.</param>
    /// <exception cref="InvalidOperationException">The batch would exceed <see cref="RecordBatchBuilder.MaxRecordsBytes"/>.</exception>
    public void Add(in MessageProperties properties, NullableBytes key, in ReadOnlySequence<byte> value, RecordHeaders headers = default)
    {
        if (properties.IsPlain)
        {
            _builder.Add(properties.Timestamp, key, value, headers);
        }
        else
        {
            (_special ??= []).Add((Count, properties));
            _headers.Clear();
            AddProperties(properties);
            _headers.Add(headers);
            _builder.Add(properties.Timestamp, key, value, _headers.Headers);
        }
        ValueBytes += value.Length;
        HasKeys |= !key.IsNull;
    }

    /// <inheritdoc cref="Add(in MessageProperties, NullableBytes, in ReadOnlySequence{byte}, RecordHeaders)"/>
    public void Add(in MessageProperties properties, NullableBytes key, ReadOnlySpan<byte> value, RecordHeaders headers = default)
    {
        if (properties.IsPlain)
        {
            _builder.Add(properties.Timestamp, key, value, headers);
        }
        else
        {
            (_special ??= []).Add((Count, properties));
            _headers.Clear();
            AddProperties(properties);
            _headers.Add(headers);
            _builder.Add(properties.Timestamp, key, value, _headers.Headers);
        }
        ValueBytes += value.Length;
        HasKeys |= !key.IsNull;
    }

    private void AddProperties(in MessageProperties properties)
    {
        if (properties.ExpiresAt >= 0) AddNumber(CanonicalHeaders.ExpiresAt, properties.ExpiresAt);
        if (properties.DeliverAt >= 0) AddNumber(CanonicalHeaders.DeliverAt, properties.DeliverAt);
        if (properties.Priority >= 0) AddNumber(CanonicalHeaders.Priority, properties.Priority);
        if (properties.DeduplicationId is { } id) _headers.Add(CanonicalHeaders.DeduplicationId, Encoding.UTF8.GetBytes(id));
    }

    private void AddNumber(ReadOnlySpan<byte> name, long value)
    {
        Span<byte> digits = stackalloc byte[20];
        value.TryFormat(digits, out var length, default, CultureInfo.InvariantCulture);
        _headers.Add(name, digits[..length]);
    }

    /// <summary>A batch of some of the messages, in order; this one stays as it is.</summary>
    /// <param name="taken">Which: called once for each, in order.</param>
    internal MessageBatch Select(Func<int, bool> taken)
    {
        var selected = Rent();
        var special = 0;
        var index = 0;
        var records = new RecordReader(_builder.UncompressedBody.Span, Count);
        // The reader gives times as they count from the first record's.
        var baseTimestamp = _builder.BaseTimestamp;
        while (records.MoveNext())
        {
            var record = records.Current;
            var isSpecial = _special is not null && special < _special.Count && _special[special].Index == index;
            if (taken(index))
            {
                if (isSpecial) (selected._special ??= []).Add((selected.Count, _special![special].Properties));
                selected._builder.Add(baseTimestamp + record.TimestampDelta, record.Key, record.Value, record.Headers);
                selected.ValueBytes += record.Value.Length;
                selected.HasKeys |= !record.Key.IsNull;
            }
            if (isSpecial) special++;
            index++;
        }
        return selected;
    }

    internal delegate void MessageVisitor(in Subscriptions.MessageView message);

    /// <summary>Shows each message, at an offset that means nothing.</summary>
    internal void ForEach(MessageVisitor visit)
    {
        var records = new RecordReader(_builder.UncompressedBody.Span, Count);
        while (records.MoveNext())
        {
            var record = records.Current;
            visit(new Subscriptions.MessageView(-1, _builder.BaseTimestamp + record.TimestampDelta, record.Key, record.Value, record.Headers));
        }
    }

    /// <summary>Bytes of each value, in order.</summary>
    internal void ReadSizes(List<int> target)
    {
        var records = new RecordReader(_builder.UncompressedBody.Span, Count);
        while (records.MoveNext()) target.Add(records.Current.Value.Length);
    }

    /// <summary>The batch as a log takes it; valid until the batch is given back.</summary>
    internal Memory<byte> Build() => _builder.Build(new BatchOptions { Producer = Producer });

    /// <summary>The idempotent producer that it comes from, so that the log knows a second copy as one; null for none.</summary>
    internal BatchProducer? Producer { get; set; }

    /// <summary>Gives the batch back.</summary>
    public void Dispose()
    {
        if (!_rented) return;
        _rented = false;
        var large = _builder.UncompressedSize > PooledBytes;
        _builder.Reset();
        _special?.Clear();
        Producer = null;
        ValueBytes = 0;
        HasKeys = false;
        if (!large && Volatile.Read(ref _pooled) < PooledBatches)
        {
            Interlocked.Increment(ref _pooled);
            Pool.Enqueue(this);
            return;
        }
        _builder.Dispose();
        _headers.Dispose();
    }
}

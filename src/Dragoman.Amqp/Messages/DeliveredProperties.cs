using System.Buffers.Text;
using Dragoman.Amqp.Wire;
using Dragoman.Broker.Messages;
using Dragoman.Storage.Records;

namespace Dragoman.Amqp.Messages;

/// <summary>
/// Turns record headers into what AMQP says of a message: the exchange and routing key, the properties and the headers
/// table. Messages in a row that differ in nothing but their bodies cost one comparison.
/// </summary>
internal sealed class DeliveredProperties : IDisposable
{
    private readonly PooledBuffer _source = new();
    private readonly PooledBuffer _address = new();
    private readonly PooledBuffer _encoded = new();
    private readonly PooledBuffer _table = new();
    private int _exchangeLength;
    private bool _isPlain;

    /// <summary>The exchange that the message was published to.</summary>
    public ReadOnlySpan<byte> Exchange => _address.WrittenSpan[.._exchangeLength];

    /// <summary>The routing key.</summary>
    public ReadOnlySpan<byte> RoutingKey => _address.WrittenSpan[_exchangeLength..];

    /// <summary>The encoded properties, flags first.</summary>
    public ReadOnlySpan<byte> Encoded => _encoded.WrittenSpan;

    /// <summary>Takes in a message.</summary>
    /// <param name="headers">Its record headers.</param>
    /// <param name="key">Its key: what stands in for a routing key where other protocols wrote the message.</param>
    /// <param name="timestamp">When it was published, in milliseconds since 1970.</param>
    /// <param name="fallbackExchange">The exchange of a message that does not say.</param>
    /// <param name="deliveries">Deliveries before this one to be told of, or -1.</param>
    /// <param name="streamOffset">Its offset, to be told, or -1.</param>
    public void Read(RecordHeaders headers, NullableBytes key, long timestamp, ReadOnlySpan<byte> fallbackExchange, long deliveries = -1, long streamOffset = -1)
    {
        // The key and the timestamp show only in messages of other protocols.
        if (_isPlain && deliveries < 0 && streamOffset < 0 && headers.Encoded.SequenceEqual(_source.WrittenSpan)) return;
        _source.Clear();
        _source.Write(headers.Encoded);
        Convert(headers, key, timestamp, fallbackExchange, deliveries, streamOffset);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _source.Dispose();
        _address.Dispose();
        _encoded.Dispose();
        _table.Dispose();
    }

    private void Convert(RecordHeaders headers, NullableBytes key, long timestamp, ReadOnlySpan<byte> fallbackExchange, long deliveries, long streamOffset)
    {
        _table.Clear();
        var table = new WireWriter(_table);
        var properties = new AmqpProperties();
        ReadOnlySpan<byte> exchange = fallbackExchange, routingKey = key.Span, types = default, deaths = default;
        var isOurs = false;
        long createdAt = -1;
        if (headers.TryGetLast(HeaderTypes.Header, out var declared)) types = declared.Span;
        if (headers.TryGetLast(CanonicalHeaders.Deaths, out var history)) deaths = history.Span;
        foreach (var header in headers)
        {
            var name = header.Key;
            var value = header.Value.Span;
            if (TakeProperty(ref properties, name, value)) continue;
            if (name.SequenceEqual(CanonicalHeaders.Topic))
            {
                exchange = value;
                isOurs = true;
            }
            else if (name.SequenceEqual(CanonicalHeaders.RoutingKey))
            {
                routingKey = value;
            }
            else if (name.SequenceEqual(CanonicalHeaders.CreatedAt) && Utf8Parser.TryParse(value, out long time, out var used) && used == value.Length)
            {
                createdAt = time;
            }
            else if (!IsInternal(name) && !(name.SequenceEqual("x-death"u8) && !deaths.IsEmpty))
            {
                var shown = name.StartsWith(FreeHeaders.Escape) ? name[FreeHeaders.Escape.Length..] : name;
                table.ShortString(shown.Length > byte.MaxValue ? shown[..byte.MaxValue] : shown);
                FieldText.Read(table, HeaderTypes.Find(types, name), header.Value);
            }
        }
        if (!deaths.IsEmpty) DeathTable.Write(table, DeathHistory.Decode(deaths));
        // A lifetime ends with the first death: it would expire again where it was put.
        if (!deaths.IsEmpty) properties.Flags &= ~PropertyFlags.Expiration;
        if (deliveries >= 0) AddNumber(table, "x-delivery-count"u8, deliveries);
        if (streamOffset >= 0) AddNumber(table, "x-stream-offset"u8, streamOffset);
        // A message of another protocol has its time in one of these.
        var said = createdAt >= 0 ? createdAt : isOurs ? -1 : timestamp;
        if (!properties.Has(PropertyFlags.Timestamp) && said >= 0)
        {
            properties.Flags |= PropertyFlags.Timestamp;
            properties.Timestamp = (ulong)(said / 1000);
        }
        if (_table.Length > 0)
        {
            properties.Flags |= PropertyFlags.Headers;
            properties.Headers = _table.WrittenSpan;
        }
        _address.Clear();
        _address.Write(Short(exchange));
        _exchangeLength = _address.Length;
        _address.Write(Short(routingKey));
        _encoded.Clear();
        properties.Write(new WireWriter(_encoded));
        _isPlain = isOurs && deliveries < 0 && streamOffset < 0;
    }

    private static bool TakeProperty(ref AmqpProperties properties, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        // Longer values do not fit into a property, and stay headers.
        if (value.Length > byte.MaxValue) return false;
        switch (name.Length)
        {
            case 4 when name.SequenceEqual(CanonicalHeaders.Type):
                properties.Type = value;
                properties.Flags |= PropertyFlags.Type;
                return true;
            case 6 when name.SequenceEqual(CanonicalHeaders.AppId):
                properties.AppId = value;
                properties.Flags |= PropertyFlags.AppId;
                return true;
            case 7 when name.SequenceEqual(CanonicalHeaders.UserId):
                properties.UserId = value;
                properties.Flags |= PropertyFlags.UserId;
                return true;
            case 8 when name.SequenceEqual(CanonicalHeaders.ReplyTo):
                properties.ReplyTo = value;
                properties.Flags |= PropertyFlags.ReplyTo;
                return true;
            case 8 when name.SequenceEqual(CanonicalHeaders.Priority) && Utf8Parser.TryParse(value, out byte priority, out var used) && used == value.Length:
                properties.Priority = priority;
                properties.Flags |= PropertyFlags.Priority;
                return true;
            case 9 when name.SequenceEqual(AmqpHeaders.Timestamp) && Utf8Parser.TryParse(value, out long seconds, out var used) && used == value.Length:
                properties.Timestamp = (ulong)seconds;
                properties.Flags |= PropertyFlags.Timestamp;
                return true;
            case 10 when name.SequenceEqual(CanonicalHeaders.MessageId):
                properties.MessageId = value;
                properties.Flags |= PropertyFlags.MessageId;
                return true;
            case 10 when name.SequenceEqual(AmqpHeaders.Expiration):
                properties.Expiration = value;
                properties.Flags |= PropertyFlags.Expiration;
                return true;
            case 10 when name.SequenceEqual(AmqpHeaders.ClusterId):
                properties.ClusterId = value;
                properties.Flags |= PropertyFlags.ClusterId;
                return true;
            case 12 when name.SequenceEqual(CanonicalHeaders.ContentType):
                properties.ContentType = value;
                properties.Flags |= PropertyFlags.ContentType;
                return true;
            case 13 when name.SequenceEqual(AmqpHeaders.DeliveryMode) && Utf8Parser.TryParse(value, out byte mode, out var used) && used == value.Length:
                properties.DeliveryMode = mode;
                properties.Flags |= PropertyFlags.DeliveryMode;
                return true;
            case 14 when name.SequenceEqual(CanonicalHeaders.CorrelationId):
                properties.CorrelationId = value;
                properties.Flags |= PropertyFlags.CorrelationId;
                return true;
            case 16 when name.SequenceEqual(CanonicalHeaders.ContentEncoding):
                properties.ContentEncoding = value;
                properties.Flags |= PropertyFlags.ContentEncoding;
                return true;
            default:
                return false;
        }
    }

    /// <summary>What the broker keeps with a message, and AMQP says in other ways or not at all.</summary>
    private static bool IsInternal(ReadOnlySpan<byte> name) =>
        name.SequenceEqual(HeaderTypes.Header) || name.SequenceEqual(CanonicalHeaders.ExpiresAt) || name.SequenceEqual(CanonicalHeaders.DeliverAt) || name.SequenceEqual(CanonicalHeaders.Deaths)
        || name.SequenceEqual(CanonicalHeaders.Lifetime) || name.SequenceEqual(CanonicalHeaders.CreatedAt) || name.SequenceEqual(CanonicalHeaders.MoreRoutingKeys) || name.SequenceEqual(CanonicalHeaders.PassedTopics);

    private static void AddNumber(WireWriter table, ReadOnlySpan<byte> name, long number)
    {
        table.ShortString(name);
        table.Octet((byte)FieldType.Int64);
        table.LongLong((ulong)number);
    }

    private static ReadOnlySpan<byte> Short(ReadOnlySpan<byte> text) => text.Length > byte.MaxValue ? text[..byte.MaxValue] : text;
}

using System.Globalization;
using System.Text;
using Dragoman.Amqp.Wire;
using Dragoman.Broker.Messages;
using Dragoman.Storage.Records;

namespace Dragoman.Amqp.Messages;

/// <summary>
/// Turns what a publish says of its message into record headers: its address and properties into canonical ones, its
/// headers table into free ones, with their types.
/// </summary>
internal sealed class PublishedHeaders : IDisposable
{
    private readonly RecordHeadersWriter _headers = new();
    private readonly PooledBuffer _types = new();
    private readonly PooledBuffer _scratch = new();
    private readonly PooledBuffer _name = new();

    /// <summary>The record headers; valid until the next <see cref="Write"/>.</summary>
    public RecordHeaders Headers => _headers.Headers;

    /// <summary>Writes the headers of a message.</summary>
    /// <param name="exchange">The exchange that it was published to.</param>
    /// <param name="routingKey">The routing key.</param>
    /// <param name="properties">The properties.</param>
    /// <param name="withPriority">Whether the priority is written here, and not where the message is stored.</param>
    /// <param name="delay">For how many milliseconds it is held back; 0 for not at all. Whoever receives it sees that it was.</param>
    /// <exception cref="AmqpWireException">The headers table is malformed.</exception>
    public void Write(ReadOnlySpan<byte> exchange, ReadOnlySpan<byte> routingKey, in AmqpProperties properties, bool withPriority, long delay = 0)
    {
        _headers.Clear();
        _headers.Add(CanonicalHeaders.Topic, exchange);
        _headers.Add(CanonicalHeaders.RoutingKey, routingKey);
        if (properties.Has(PropertyFlags.ContentType)) _headers.Add(CanonicalHeaders.ContentType, properties.ContentType);
        if (properties.Has(PropertyFlags.ContentEncoding)) _headers.Add(CanonicalHeaders.ContentEncoding, properties.ContentEncoding);
        if (properties.Has(PropertyFlags.DeliveryMode)) AddNumber(AmqpHeaders.DeliveryMode, properties.DeliveryMode);
        if (withPriority && properties.Has(PropertyFlags.Priority)) AddNumber(CanonicalHeaders.Priority, properties.Priority);
        if (properties.Has(PropertyFlags.CorrelationId)) _headers.Add(CanonicalHeaders.CorrelationId, properties.CorrelationId);
        if (properties.Has(PropertyFlags.ReplyTo)) _headers.Add(CanonicalHeaders.ReplyTo, properties.ReplyTo);
        if (properties.Has(PropertyFlags.Expiration)) _headers.Add(AmqpHeaders.Expiration, properties.Expiration);
        if (properties.Has(PropertyFlags.MessageId)) _headers.Add(CanonicalHeaders.MessageId, properties.MessageId);
        if (properties.Has(PropertyFlags.Timestamp)) AddNumber(AmqpHeaders.Timestamp, (long)properties.Timestamp);
        if (properties.Has(PropertyFlags.Type)) _headers.Add(CanonicalHeaders.Type, properties.Type);
        if (properties.Has(PropertyFlags.UserId)) _headers.Add(CanonicalHeaders.UserId, properties.UserId);
        if (properties.Has(PropertyFlags.AppId)) _headers.Add(CanonicalHeaders.AppId, properties.AppId);
        if (properties.Has(PropertyFlags.ClusterId)) _headers.Add(AmqpHeaders.ClusterId, properties.ClusterId);
        if (delay > 0 && properties.Has(PropertyFlags.Expiration)) _headers.Add(CanonicalHeaders.Lifetime, properties.Expiration);
        if (!properties.Headers.IsEmpty) AddTable(properties.Headers, delay);
    }

    /// <summary>Adds more keys to route by.</summary>
    public void AddRoutingKeys(List<string> keys)
    {
        foreach (var key in keys) _headers.Add(CanonicalHeaders.MoreRoutingKeys, Encoding.UTF8.GetBytes(key));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _headers.Dispose();
        _types.Dispose();
        _scratch.Dispose();
        _name.Dispose();
    }

    private void AddTable(ReadOnlySpan<byte> table, long delay)
    {
        _types.Clear();
        var reader = new WireReader(table);
        while (!reader.Rest.IsEmpty)
        {
            var name = reader.ShortString();
            var type = (FieldType)reader.Octet();
            var value = reader.SkipValue(type);
            // Blind copies are blind: nobody who receives the message learns of them.
            if (name.SequenceEqual("BCC"u8)) continue;
            if (delay > 0 && name.SequenceEqual(MessageDelay.Header)) AddServedDelay(delay);
            else AddField(name, type, value);
        }
        if (_types.Length > 0) _headers.Add(HeaderTypes.Header, _types.WrittenSpan);
    }

    private void AddField(ReadOnlySpan<byte> name, FieldType type, ReadOnlySpan<byte> value)
    {
        if (FreeHeaders.NeedsEscape(name))
        {
            _name.Clear();
            _name.Write(FreeHeaders.Escape);
            _name.Write(name);
            name = _name.WrittenSpan;
        }
        if (type == FieldType.LongString)
        {
            _headers.Add(name, value);
            return;
        }
        _scratch.Clear();
        var typeCode = (byte)(type == (FieldType)'L' ? FieldType.Int64 : type);
        _headers.Add(name, FieldText.Write(type, value, _scratch));
        HeaderTypes.Add(_types, name, [typeCode]);
    }

    /// <summary>Negative, as the plugin of RabbitMQ has it: so it is not held back a second time further on.</summary>
    private void AddServedDelay(long delay)
    {
        AddNumber(MessageDelay.Header, -delay);
        HeaderTypes.Add(_types, MessageDelay.Header, [(byte)(delay <= int.MaxValue ? FieldType.Int32 : FieldType.Int64)]);
    }

    private void AddNumber(ReadOnlySpan<byte> name, long number)
    {
        Span<byte> digits = stackalloc byte[20];
        number.TryFormat(digits, out var length, default, CultureInfo.InvariantCulture);
        _headers.Add(name, digits[..length]);
    }
}

using System.Buffers.Binary;

namespace Dragoman.Amqp.Wire;

/// <summary>Which properties a message has: the flags in front of them, most significant first.</summary>
[Flags]
internal enum PropertyFlags : ushort
{
    None = 0,
    ClusterId = 1 << 2,
    AppId = 1 << 3,
    UserId = 1 << 4,
    Type = 1 << 5,
    Timestamp = 1 << 6,
    MessageId = 1 << 7,
    Expiration = 1 << 8,
    ReplyTo = 1 << 9,
    CorrelationId = 1 << 10,
    Priority = 1 << 11,
    DeliveryMode = 1 << 12,
    Headers = 1 << 13,
    ContentEncoding = 1 << 14,
    ContentType = 1 << 15,
}

/// <summary>
/// The payload of a header frame: class (2 bytes), weight (2), length of the body (8), and the properties: flags (2) and
/// those that are there (AMQP 0-9-1, section 4.2.6.1).
/// </summary>
internal readonly ref struct ContentHeader
{
    /// <summary>Bytes before the properties.</summary>
    public const int PrefixSize = 12;

    private ContentHeader(ushort classId, ulong bodyLength, ReadOnlySpan<byte> properties)
    {
        ClassId = classId;
        BodyLength = bodyLength;
        Properties = properties;
    }

    /// <summary>The class of the method that the content belongs to.</summary>
    public ushort ClassId { get; }

    /// <summary>Bytes of the body.</summary>
    public ulong BodyLength { get; }

    /// <summary>The encoded properties, flags included.</summary>
    public ReadOnlySpan<byte> Properties { get; }

    /// <summary>Reads a header frame's payload.</summary>
    /// <exception cref="AmqpWireException">It is too short.</exception>
    public static ContentHeader Read(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < PrefixSize + sizeof(ushort)) throw new AmqpWireException(ReplyCode.FrameError, "a content header that is too short");
        return new ContentHeader(BinaryPrimitives.ReadUInt16BigEndian(payload), BinaryPrimitives.ReadUInt64BigEndian(payload[4..]), payload[PrefixSize..]);
    }

    /// <summary>Writes all that precedes the properties.</summary>
    public static void WritePrefix(Span<byte> target, long bodyLength)
    {
        BinaryPrimitives.WriteUInt16BigEndian(target, 60);
        BinaryPrimitives.WriteUInt16BigEndian(target[2..], 0);
        BinaryPrimitives.WriteInt64BigEndian(target[4..], bodyLength);
    }
}

/// <summary>A message's properties as views on their encoded form; those that are absent are empty.</summary>
internal ref struct AmqpProperties
{
    public PropertyFlags Flags;
    public ReadOnlySpan<byte> ContentType;
    public ReadOnlySpan<byte> ContentEncoding;
    public ReadOnlySpan<byte> Headers;
    public byte DeliveryMode;
    public byte Priority;
    public ReadOnlySpan<byte> CorrelationId;
    public ReadOnlySpan<byte> ReplyTo;
    public ReadOnlySpan<byte> Expiration;
    public ReadOnlySpan<byte> MessageId;
    public ulong Timestamp;
    public ReadOnlySpan<byte> Type;
    public ReadOnlySpan<byte> UserId;
    public ReadOnlySpan<byte> AppId;
    public ReadOnlySpan<byte> ClusterId;

    /// <summary>Whether a property is there.</summary>
    public readonly bool Has(PropertyFlags flag) => (Flags & flag) != 0;

    /// <summary>Reads encoded properties.</summary>
    /// <exception cref="AmqpWireException">They are malformed.</exception>
    public static AmqpProperties Read(ReadOnlySpan<byte> encoded)
    {
        var reader = new WireReader(encoded);
        var properties = new AmqpProperties { Flags = (PropertyFlags)reader.Short() };
        // The last bit says that more flags follow, and this class has none.
        if (((ushort)properties.Flags & 3) != 0) throw new AmqpWireException(ReplyCode.SyntaxError, "property flags that the class does not have");
        if (properties.Has(PropertyFlags.ContentType)) properties.ContentType = reader.ShortString();
        if (properties.Has(PropertyFlags.ContentEncoding)) properties.ContentEncoding = reader.ShortString();
        if (properties.Has(PropertyFlags.Headers)) properties.Headers = reader.EncodedTable();
        if (properties.Has(PropertyFlags.DeliveryMode)) properties.DeliveryMode = reader.Octet();
        if (properties.Has(PropertyFlags.Priority)) properties.Priority = reader.Octet();
        if (properties.Has(PropertyFlags.CorrelationId)) properties.CorrelationId = reader.ShortString();
        if (properties.Has(PropertyFlags.ReplyTo)) properties.ReplyTo = reader.ShortString();
        if (properties.Has(PropertyFlags.Expiration)) properties.Expiration = reader.ShortString();
        if (properties.Has(PropertyFlags.MessageId)) properties.MessageId = reader.ShortString();
        if (properties.Has(PropertyFlags.Timestamp)) properties.Timestamp = reader.LongLong();
        if (properties.Has(PropertyFlags.Type)) properties.Type = reader.ShortString();
        if (properties.Has(PropertyFlags.UserId)) properties.UserId = reader.ShortString();
        if (properties.Has(PropertyFlags.AppId)) properties.AppId = reader.ShortString();
        if (properties.Has(PropertyFlags.ClusterId)) properties.ClusterId = reader.ShortString();
        return properties;
    }

    /// <summary>Writes the properties, flags first.</summary>
    public readonly void Write(scoped WireWriter writer)
    {
        writer.Short((ushort)Flags);
        if (Has(PropertyFlags.ContentType)) writer.ShortString(ContentType);
        if (Has(PropertyFlags.ContentEncoding)) writer.ShortString(ContentEncoding);
        if (Has(PropertyFlags.Headers)) writer.LongString(Headers);
        if (Has(PropertyFlags.DeliveryMode)) writer.Octet(DeliveryMode);
        if (Has(PropertyFlags.Priority)) writer.Octet(Priority);
        if (Has(PropertyFlags.CorrelationId)) writer.ShortString(CorrelationId);
        if (Has(PropertyFlags.ReplyTo)) writer.ShortString(ReplyTo);
        if (Has(PropertyFlags.Expiration)) writer.ShortString(Expiration);
        if (Has(PropertyFlags.MessageId)) writer.ShortString(MessageId);
        if (Has(PropertyFlags.Timestamp)) writer.LongLong(Timestamp);
        if (Has(PropertyFlags.Type)) writer.ShortString(Type);
        if (Has(PropertyFlags.UserId)) writer.ShortString(UserId);
        if (Has(PropertyFlags.AppId)) writer.ShortString(AppId);
        if (Has(PropertyFlags.ClusterId)) writer.ShortString(ClusterId);
    }
}

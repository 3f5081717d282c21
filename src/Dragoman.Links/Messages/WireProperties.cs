using System.Buffers;
using System.Text;
using Dragoman.Amqp.Wire;
using RabbitMQ.Client;

namespace Dragoman.Links.Messages;

/// <summary>A message's properties as the client library has them, and as they are on the wire.</summary>
internal static class WireProperties
{
    /// <summary>Writes properties, flags first.</summary>
    public static byte[] Encode(BasicProperties source)
    {
        var target = new ArrayBufferWriter<byte>(256);
        var headers = new ArrayBufferWriter<byte>(256);
        var properties = new AmqpProperties();
        if (source.ContentType is { } contentType) properties.ContentType = Bytes(ref properties.Flags, PropertyFlags.ContentType, contentType);
        if (source.ContentEncoding is { } encoding) properties.ContentEncoding = Bytes(ref properties.Flags, PropertyFlags.ContentEncoding, encoding);
        if (source.Headers is { } table)
        {
            new WireWriter(headers).Fields(Fields.FromDictionary(table));
            properties.Headers = headers.WrittenSpan;
            properties.Flags |= PropertyFlags.Headers;
        }
        if (source.IsDeliveryModePresent())
        {
            properties.DeliveryMode = (byte)source.DeliveryMode;
            properties.Flags |= PropertyFlags.DeliveryMode;
        }
        if (source.IsPriorityPresent())
        {
            properties.Priority = source.Priority;
            properties.Flags |= PropertyFlags.Priority;
        }
        if (source.CorrelationId is { } correlation) properties.CorrelationId = Bytes(ref properties.Flags, PropertyFlags.CorrelationId, correlation);
        if (source.ReplyTo is { } replyTo) properties.ReplyTo = Bytes(ref properties.Flags, PropertyFlags.ReplyTo, replyTo);
        if (source.Expiration is { } expiration) properties.Expiration = Bytes(ref properties.Flags, PropertyFlags.Expiration, expiration);
        if (source.MessageId is { } messageId) properties.MessageId = Bytes(ref properties.Flags, PropertyFlags.MessageId, messageId);
        if (source.IsTimestampPresent())
        {
            properties.Timestamp = (ulong)source.Timestamp.UnixTime;
            properties.Flags |= PropertyFlags.Timestamp;
        }
        if (source.Type is { } type) properties.Type = Bytes(ref properties.Flags, PropertyFlags.Type, type);
        if (source.UserId is { } userId) properties.UserId = Bytes(ref properties.Flags, PropertyFlags.UserId, userId);
        if (source.AppId is { } appId) properties.AppId = Bytes(ref properties.Flags, PropertyFlags.AppId, appId);
        if (source.ClusterId is { } clusterId) properties.ClusterId = Bytes(ref properties.Flags, PropertyFlags.ClusterId, clusterId);
        properties.Write(new WireWriter(target));
        return target.WrittenSpan.ToArray();
    }

    /// <summary>Reads encoded properties.</summary>
    public static BasicProperties Decode(ReadOnlySpan<byte> encoded)
    {
        var source = AmqpProperties.Read(encoded);
        var properties = new BasicProperties();
        if (source.Has(PropertyFlags.ContentType)) properties.ContentType = Text(source.ContentType);
        if (source.Has(PropertyFlags.ContentEncoding)) properties.ContentEncoding = Text(source.ContentEncoding);
        if (source.Has(PropertyFlags.Headers)) properties.Headers = source.Headers.IsEmpty ? new Dictionary<string, object?>() : Fields.ToDictionary(new WireReader(source.Headers).Fields());
        if (source.Has(PropertyFlags.DeliveryMode)) properties.DeliveryMode = (DeliveryModes)source.DeliveryMode;
        if (source.Has(PropertyFlags.Priority)) properties.Priority = source.Priority;
        if (source.Has(PropertyFlags.CorrelationId)) properties.CorrelationId = Text(source.CorrelationId);
        if (source.Has(PropertyFlags.ReplyTo)) properties.ReplyTo = Text(source.ReplyTo);
        if (source.Has(PropertyFlags.Expiration)) properties.Expiration = Text(source.Expiration);
        if (source.Has(PropertyFlags.MessageId)) properties.MessageId = Text(source.MessageId);
        if (source.Has(PropertyFlags.Timestamp)) properties.Timestamp = new AmqpTimestamp((long)source.Timestamp);
        if (source.Has(PropertyFlags.Type)) properties.Type = Text(source.Type);
        if (source.Has(PropertyFlags.UserId)) properties.UserId = Text(source.UserId);
        if (source.Has(PropertyFlags.AppId)) properties.AppId = Text(source.AppId);
        if (source.Has(PropertyFlags.ClusterId)) properties.ClusterId = Text(source.ClusterId);
        return properties;
    }

    private static byte[] Bytes(ref PropertyFlags flags, PropertyFlags flag, string text)
    {
        flags |= flag;
        return Encoding.UTF8.GetBytes(text);
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}

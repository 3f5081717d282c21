using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using Dragoman.Amqp.Messages;
using Dragoman.Amqp.Wire;

namespace Dragoman.Amqp.Sessions;

/// <summary>Writes <c>basic.deliver</c> and its content straight into a connection's memory.</summary>
internal static class DeliveryWriter
{
    // Body frames are copied in steps no larger than this, so that the connection's memory is filled block by block.
    private const int Step = 4096;

    /// <summary>Writes all frames of a delivery.</summary>
    /// <returns>The bytes written.</returns>
    public static int Write(PipeWriter writer, Channel channel, ReadOnlySpan<byte> consumerTag, ulong tag, bool isRedelivery, DeliveredProperties properties, ReadOnlySpan<byte> body)
    {
        var exchange = properties.Exchange;
        var routingKey = properties.RoutingKey;
        var encoded = properties.Encoded;
        var methodLength = 4 + 1 + consumerTag.Length + 8 + 1 + 1 + exchange.Length + 1 + routingKey.Length;
        var headerLength = ContentHeader.PrefixSize + encoded.Length;
        var head = methodLength + headerLength + 2 * FrameHeader.Overhead;
        var span = writer.GetSpan(head);
        new FrameHeader(FrameType.Method, channel.Number, methodLength).Write(span);
        var at = FrameHeader.Size;
        BinaryPrimitives.WriteUInt32BigEndian(span[at..], 60 << 16 | 60);
        at = Short(span, at + 4, consumerTag);
        BinaryPrimitives.WriteUInt64BigEndian(span[at..], tag);
        span[at + 8] = isRedelivery ? (byte)1 : (byte)0;
        at = Short(span, at + 9, exchange);
        at = Short(span, at, routingKey);
        span[at++] = FrameHeader.EndMark;
        new FrameHeader(FrameType.Header, channel.Number, headerLength).Write(span[at..]);
        ContentHeader.WritePrefix(span[(at + FrameHeader.Size)..], body.Length);
        encoded.CopyTo(span[(at + FrameHeader.Size + ContentHeader.PrefixSize)..]);
        span[at + FrameHeader.Size + headerLength] = FrameHeader.EndMark;
        writer.Advance(head);
        return head + WriteBody(writer, channel, body);
    }

    private static int WriteBody(PipeWriter writer, Channel channel, ReadOnlySpan<byte> body)
    {
        var written = 0;
        var most = channel.Session.FrameMax - FrameHeader.Overhead;
        while (!body.IsEmpty)
        {
            var part = body.Length > most ? body[..most] : body;
            body = body[part.Length..];
            written += part.Length + FrameHeader.Overhead;
            if (part.Length <= Step)
            {
                // Most messages fit into a block, envelope and all.
                var span = writer.GetSpan(part.Length + FrameHeader.Overhead);
                new FrameHeader(FrameType.Body, channel.Number, part.Length).Write(span);
                part.CopyTo(span[FrameHeader.Size..]);
                span[FrameHeader.Size + part.Length] = FrameHeader.EndMark;
                writer.Advance(part.Length + FrameHeader.Overhead);
                continue;
            }
            new FrameHeader(FrameType.Body, channel.Number, part.Length).Write(writer.GetSpan(FrameHeader.Size));
            writer.Advance(FrameHeader.Size);
            writer.Write(part);
            writer.GetSpan(1)[0] = FrameHeader.EndMark;
            writer.Advance(1);
        }
        return written;
    }

    private static int Short(Span<byte> target, int at, ReadOnlySpan<byte> text)
    {
        target[at] = (byte)text.Length;
        text.CopyTo(target[(at + 1)..]);
        return at + 1 + text.Length;
    }
}

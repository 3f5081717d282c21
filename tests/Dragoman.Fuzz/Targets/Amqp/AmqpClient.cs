using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;

namespace Dragoman.Fuzz.Targets.Amqp;

/// <summary>Makes what clients of AMQP send, from the first byte on.</summary>
internal static class AmqpClient
{
    private const int Channels = 3;

    private static readonly AmqpMethod[] s_methods = [.. AmqpMethod.All.Where(method => method.Name is not ("ConnectionClose" or "ConnectionCloseOk"))];

    private static readonly AmqpMethod s_publish = AmqpMethod.Named(nameof(BasicPublish));

    /// <summary>A connection that is opened, with channels, and then does things.</summary>
    public static byte[] Connection(Random random)
    {
        var output = new ArrayBufferWriter<byte>();
        output.Write(ProtocolHeader.Bytes);
        Method(output, 0, new ConnectionStartOk { ClientProperties = new AmqpFiller(random).Table(1), Mechanism = "PLAIN", Response = Encoding.ASCII.GetBytes("\0guest\0guest"), Locale = "en_US" });
        Method(output, 0, new ConnectionTuneOk { ChannelMax = 100, FrameMax = 4096 });
        Method(output, 0, new ConnectionOpen { VirtualHost = "/" });
        for (ushort channel = 1; channel < Channels; channel++)
        {
            Method(output, channel, new ChannelOpen());
            if (random.Next(2) == 0) Method(output, channel, new ConfirmSelect());
        }
        for (var n = random.Next(1, 10); n > 0; n--) Step(output, random);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Frames of one thing that a client does.</summary>
    public static void Step(IBufferWriter<byte> output, Random random)
    {
        var channel = (ushort)random.Next(random.Next(8) == 0 ? 0 : 1, Channels);
        switch (random.Next(8))
        {
            case 0 or 1:
                Frame(output, FrameType.Method, channel, s_publish.Make(random));
                Content(output, channel, random);
                break;
            case 2:
                var names = new AmqpFiller(random);
                Method(output, channel, new QueueDeclare { Queue = names.Name(), Durable = random.Next(2) == 0, Arguments = random.Next(2) == 0 ? FieldTable.Empty : names.Table(1) });
                break;
            case 3:
                Method(output, channel, new BasicConsume { Queue = $"q{random.Next(3)}", ConsumerTag = new AmqpFiller(random).Name(), NoAck = random.Next(2) == 0, Arguments = FieldTable.Empty });
                break;
            case 4 when random.Next(4) == 0:
                Frame(output, FrameType.Heartbeat, 0, []);
                break;
            default:
                Frame(output, FrameType.Method, channel, s_methods[random.Next(s_methods.Length)].Make(random));
                break;
        }
    }

    private static void Content(IBufferWriter<byte> output, ushort channel, Random random)
    {
        var body = new byte[random.Next(3) == 0 ? random.Next(9000) : random.Next(50)];
        Frame(output, FrameType.Header, channel, Header(body.Length, random));
        for (var at = 0; at < body.Length;)
        {
            var part = Math.Min(body.Length - at, random.Next(1, 4000));
            Frame(output, FrameType.Body, channel, body.AsSpan(at, part));
            at += part;
        }
    }

    /// <summary>A content header with some properties.</summary>
    public static byte[] Header(long length, Random random)
    {
        var names = new AmqpFiller(random);
        var headers = new ArrayBufferWriter<byte>();
        new WireWriter(headers).Table(names.Table(2));
        var properties = new AmqpProperties
        {
            Flags = (PropertyFlags)(random.Next(65536) & ~3),
            ContentType = Encoding.UTF8.GetBytes(names.Name()),
            Headers = headers.WrittenSpan[4..],
            DeliveryMode = (byte)random.Next(1, 3),
            Priority = (byte)random.Next(12),
            CorrelationId = Encoding.UTF8.GetBytes(names.Name()),
            ReplyTo = Encoding.UTF8.GetBytes(names.Name()),
            Expiration = random.Next(2) == 0 ? "1000"u8 : Encoding.UTF8.GetBytes(names.Name()),
            MessageId = Encoding.UTF8.GetBytes(names.Name()),
            Timestamp = (ulong)random.NextInt64(),
            UserId = "guest"u8,
        };
        var output = new ArrayBufferWriter<byte>();
        ContentHeader.WritePrefix(output.GetSpan(ContentHeader.PrefixSize), length);
        output.Advance(ContentHeader.PrefixSize);
        properties.Write(new WireWriter(output));
        return output.WrittenSpan.ToArray();
    }

    private static void Method<T>(IBufferWriter<byte> output, ushort channel, T method)
        where T : struct, IMethod<T>
    {
        var payload = new ArrayBufferWriter<byte>();
        MethodCodec.Write(payload, method);
        Frame(output, FrameType.Method, channel, payload.WrittenSpan);
    }

    /// <summary>One frame.</summary>
    public static void Frame(IBufferWriter<byte> output, FrameType type, ushort channel, ReadOnlySpan<byte> payload)
    {
        new FrameHeader(type, channel, payload.Length).Write(output.GetSpan(FrameHeader.Size));
        output.Advance(FrameHeader.Size);
        output.Write(payload);
        output.Write([FrameHeader.EndMark]);
    }

    /// <summary>Puts the lengths and end marks of frames right, as far as frames can be told.</summary>
    public static byte[] Seal(byte[] bytes, int from)
    {
        for (var at = from; at + FrameHeader.Overhead <= bytes.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(at + 3));
            if (length > bytes.Length - at - FrameHeader.Overhead)
            {
                // To the next end mark, or to the end.
                var mark = bytes.AsSpan(at + FrameHeader.Size).IndexOf(FrameHeader.EndMark);
                length = (uint)(mark >= 0 ? mark : bytes.Length - at - FrameHeader.Overhead);
                BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(at + 3), length);
            }
            at += FrameHeader.Size + (int)length;
            bytes[at++] = FrameHeader.EndMark;
        }
        return bytes;
    }
}

using System.Buffers.Binary;

namespace Dragoman.Amqp.Wire;

/// <summary>What a frame carries.</summary>
internal enum FrameType : byte
{
    /// <summary>A method.</summary>
    Method = 1,

    /// <summary>The properties of a message whose body follows.</summary>
    Header = 2,

    /// <summary>A part of a message's body.</summary>
    Body = 3,

    /// <summary>A sign of life.</summary>
    Heartbeat = 8,
}

/// <summary>
/// The envelope of everything that is sent after the protocol header: type (1 byte), channel (2), length of the payload
/// (4), the payload, and an end mark (AMQP 0-9-1, section 4.2.3).
/// </summary>
internal readonly record struct FrameHeader(FrameType Type, ushort Channel, int PayloadLength)
{
    /// <summary>Bytes before the payload.</summary>
    public const int Size = 7;

    /// <summary>Bytes around the payload.</summary>
    public const int Overhead = Size + 1;

    /// <summary>The last byte of every frame.</summary>
    public const byte EndMark = 0xCE;

    /// <summary>The smallest <c>frame_max</c> that may be agreed on.</summary>
    public const int MinFrameMax = 4096;

    /// <summary>Reads the header at the start of at least <see cref="Size"/> bytes.</summary>
    /// <exception cref="AmqpWireException">It announces more than may be sent.</exception>
    public static FrameHeader Read(ReadOnlySpan<byte> source, int frameMax)
    {
        var length = BinaryPrimitives.ReadUInt32BigEndian(source[3..]);
        if (length > (uint)(frameMax - Overhead))
            throw new AmqpWireException(ReplyCode.FrameError, $"type {source[0]}, all octets = <<>>: {{frame_too_large,{length},{frameMax - Overhead}}}");
        return new FrameHeader((FrameType)source[0], BinaryPrimitives.ReadUInt16BigEndian(source[1..]), (int)length);
    }

    /// <summary>Writes the header to the start of at least <see cref="Size"/> bytes.</summary>
    public void Write(Span<byte> target)
    {
        target[0] = (byte)Type;
        BinaryPrimitives.WriteUInt16BigEndian(target[1..], Channel);
        BinaryPrimitives.WriteInt32BigEndian(target[3..], PayloadLength);
    }
}

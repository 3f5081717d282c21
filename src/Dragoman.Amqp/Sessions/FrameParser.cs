using System.Buffers;
using Dragoman.Amqp.Wire;

namespace Dragoman.Amqp.Sessions;

/// <summary>Cuts what has arrived into frames.</summary>
internal static class FrameParser
{
    /// <summary>Takes the first frame out, if all of it is there.</summary>
    /// <param name="bytes">What has arrived; afterwards, what follows the frame.</param>
    /// <param name="frameMax">The largest frame.</param>
    /// <param name="header">Its header.</param>
    /// <param name="payload">Its payload, where it lies.</param>
    /// <exception cref="AmqpWireException">It is too large, or does not end where it should.</exception>
    public static bool TryRead(ref ReadOnlySequence<byte> bytes, int frameMax, out FrameHeader header, out ReadOnlySequence<byte> payload)
    {
        header = default;
        payload = default;
        var first = bytes.FirstSpan;
        if (first.Length >= FrameHeader.Size)
        {
            header = FrameHeader.Read(first, frameMax);
        }
        else
        {
            if (bytes.Length < FrameHeader.Size) return false;
            Span<byte> copy = stackalloc byte[FrameHeader.Size];
            bytes.Slice(0, FrameHeader.Size).CopyTo(copy);
            header = FrameHeader.Read(copy, frameMax);
        }
        var end = FrameHeader.Size + header.PayloadLength;
        byte mark;
        if (end < first.Length)
        {
            payload = bytes.Slice(FrameHeader.Size, header.PayloadLength);
            mark = first[end];
        }
        else
        {
            if (bytes.Length <= end) return false;
            payload = bytes.Slice(FrameHeader.Size, header.PayloadLength);
            mark = bytes.Slice(end, 1).FirstSpan[0];
        }
        if (mark != FrameHeader.EndMark)
            throw new AmqpWireException(ReplyCode.FrameError, $"type {(byte)header.Type}, first 16 octets = <<>>: {{invalid_frame_end_marker,{mark}}}");
        bytes = bytes.Slice(end + 1);
        return true;
    }
}

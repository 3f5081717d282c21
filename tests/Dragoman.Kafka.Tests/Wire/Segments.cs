using System.Buffers;

namespace Dragoman.Kafka.Tests.Wire;

/// <summary>Cuts bytes into the segments that a pipe might deliver them in.</summary>
internal static class Segments
{
    public static ReadOnlySequence<byte> Cut(ReadOnlyMemory<byte> bytes, Func<int> nextLength)
    {
        var first = new Segment(ReadOnlyMemory<byte>.Empty, null);
        Segment last = first;
        while (!bytes.IsEmpty)
        {
            int length = Math.Min(nextLength(), bytes.Length);
            last = new Segment(bytes[..length], last);
            bytes = bytes[length..];
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, Segment? previous)
        {
            Memory = memory;
            if (previous is null)
                return;
            previous.Next = this;
            RunningIndex = previous.RunningIndex + previous.Memory.Length;
        }
    }
}

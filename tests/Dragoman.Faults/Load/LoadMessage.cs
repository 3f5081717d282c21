using System.Buffers.Binary;
using System.Globalization;

namespace Dragoman.Faults.Load;

/// <summary>
/// A message of a load: who sent it, as which of its messages to that partition, and filling that follows from the two,
/// so that whoever reads it can tell that it is what was sent, to the last byte.
/// </summary>
/// <param name="Producer">Who sent it.</param>
/// <param name="Partition">To which partition.</param>
/// <param name="Sequence">As its how manieth message to that partition, from 0.</param>
internal readonly record struct LoadMessage(int Producer, int Partition, long Sequence)
{
    private const int HeaderSize = 16;

    /// <summary>Bytes of the largest.</summary>
    public const int MaxSize = HeaderSize + 3000;

    private int Size => HeaderSize + (int)(Mix(0) % 8 == 0 ? Mix(1) % 3000 : Mix(1) % 300);

    public byte[] ToBytes()
    {
        var bytes = new byte[Size];
        BinaryPrimitives.WriteInt32BigEndian(bytes, Producer);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4), Partition);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(8), Sequence);
        for (var i = HeaderSize; i < bytes.Length; i++) bytes[i] = (byte)Mix((ulong)i);
        return bytes;
    }

    /// <summary>Reads a message and checks every byte of it.</summary>
    /// <exception cref="InvalidDataException">It is not what any load sent.</exception>
    public static LoadMessage Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderSize) throw new InvalidDataException($"A message has {bytes.Length} bytes.");
        var message = new LoadMessage(BinaryPrimitives.ReadInt32BigEndian(bytes), BinaryPrimitives.ReadInt32BigEndian(bytes[4..]), BinaryPrimitives.ReadInt64BigEndian(bytes[8..]));
        return bytes.SequenceEqual(message.ToBytes()) ? message : throw new InvalidDataException($"{message} has other bytes than it was sent with.");
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"message {Sequence} of producer {Producer} to partition {Partition}");

    private ulong Mix(ulong salt)
    {
        var z = (ulong)Sequence * 0x9E3779B97F4A7C15 + (ulong)Producer * 0xD1B54A32D192ED03 + (ulong)Partition * 0x8CB92BA72F3D8DD7 + salt * 0xA24BAED4963EE407;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        return z ^ (z >> 29);
    }
}

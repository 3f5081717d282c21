using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;
using Dragoman.Aws.Http;
using Dragoman.Broker.Subscriptions;

namespace Dragoman.Aws.Sqs;

/// <summary>What a client gives back to say which receipt of which message it means: opaque to it, new for every receipt.</summary>
/// <param name="Queue">The queue's id.</param>
/// <param name="Lease">The message's offset and the lease that it was delivered under.</param>
/// <param name="ReceivedAt">When it was received, in milliseconds since 1970.</param>
internal readonly record struct ReceiptHandle(Guid Queue, LeaseToken Lease, long ReceivedAt)
{
    private const byte Version = 2;
    private const int Size = 1 + 16 + 8 + 8 + 6;

    /// <summary>Characters of a handle.</summary>
    public const int Characters = (Size + 2) / 3 * 4;

    /// <summary>Writes it, in Base64.</summary>
    public void Write(Span<byte> target)
    {
        Span<byte> bytes = stackalloc byte[Size];
        bytes[0] = Version;
        Queue.TryWriteBytes(bytes[1..]);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[17..], Lease.Offset);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[25..], Lease.Lease);
        // Six bytes last for some thousands of years.
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[33..], (ushort)(ReceivedAt >> 32));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[35..], (uint)ReceivedAt);
        Base64.EncodeToUtf8(bytes, target, out _, out _);
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        Span<byte> text = stackalloc byte[Characters];
        Write(text);
        return Encoding.ASCII.GetString(text);
    }

    /// <summary>Reads what a client gave.</summary>
    /// <exception cref="AwsException">It was never one.</exception>
    public static ReceiptHandle Parse(string text)
    {
        Span<byte> bytes = stackalloc byte[Size + 3];
        if (text.Length != Characters || !Convert.TryFromBase64String(text, bytes, out var length) || length != Size || bytes[0] != Version) throw SqsErrors.InvalidHandle(text);
        return new ReceiptHandle(new Guid(bytes[1..17]), new LeaseToken(BinaryPrimitives.ReadInt64LittleEndian(bytes[17..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[25..])),
            ((long)BinaryPrimitives.ReadUInt16LittleEndian(bytes[33..]) << 32) | BinaryPrimitives.ReadUInt32LittleEndian(bytes[35..]));
    }
}

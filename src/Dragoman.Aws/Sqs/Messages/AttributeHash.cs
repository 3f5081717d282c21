using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Dragoman.Storage.Records;

namespace Dragoman.Aws.Sqs.Messages;

/// <summary>A message attribute: a text or bytes, and what it calls its type.</summary>
/// <param name="Name">The name.</param>
/// <param name="DataType"><c>String</c>, <c>Number</c> or <c>Binary</c>, perhaps with a label behind a dot.</param>
/// <param name="Value">The bytes, or the text in UTF-8.</param>
internal readonly record struct MessageAttribute(string Name, string DataType, ReadOnlyMemory<byte> Value)
{
    /// <summary>Whether the value is bytes.</summary>
    public bool IsBinary => DataType.StartsWith("Binary", StringComparison.Ordinal);

    /// <summary>The bytes that count towards a message's size.</summary>
    public int Size => Encoding.UTF8.GetByteCount(Name) + Encoding.UTF8.GetByteCount(DataType) + Value.Length;
}

/// <summary>
/// The MD5 by which clients check that attributes arrived whole: in the order of their names, each name, type and value
/// after its length in four bytes, and before the value one byte that says which kind it is.
/// </summary>
[SuppressMessage("Security", "CA5351", Justification = "It is what clients compare with; nothing is to be safe by it.")]
internal static class AttributeHash
{
    private const byte TextKind = 1;
    private const byte BinaryKind = 2;

    /// <summary>The hash, in hexadecimal.</summary>
    public static string Compute(List<MessageAttribute> attributes)
    {
        attributes.Sort(static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        using var buffer = new PooledBuffer();
        foreach (var attribute in attributes)
        {
            WriteText(buffer, attribute.Name);
            WriteText(buffer, attribute.DataType);
            buffer.GetSpan(1)[0] = attribute.IsBinary ? BinaryKind : TextKind;
            buffer.Advance(1);
            WriteLength(buffer, attribute.Value.Length);
            buffer.Write(attribute.Value.Span);
        }
        return Convert.ToHexStringLower(MD5.HashData(buffer.WrittenSpan));
    }

    /// <summary>The hash of a body, in hexadecimal digits.</summary>
    /// <param name="body">The body.</param>
    /// <param name="digits">Takes 32 of them.</param>
    public static void OfBody(ReadOnlySpan<byte> body, Span<byte> digits)
    {
        Span<byte> hash = stackalloc byte[MD5.HashSizeInBytes];
        MD5.HashData(body, hash);
        Convert.TryToHexStringLower(hash, digits, out _);
    }

    private static void WriteText(PooledBuffer buffer, string text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        WriteLength(buffer, length);
        Encoding.UTF8.GetBytes(text, buffer.GetSpan(length));
        buffer.Advance(length);
    }

    private static void WriteLength(PooledBuffer buffer, int length)
    {
        BinaryPrimitives.WriteInt32BigEndian(buffer.GetSpan(4), length);
        buffer.Advance(4);
    }
}

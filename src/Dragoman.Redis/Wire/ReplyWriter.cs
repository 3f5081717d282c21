using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Dragoman.Storage.Records;

namespace Dragoman.Redis.Wire;

/// <summary>Writes replies in RESP 2 or 3 (redis.io, "RESP protocol description"). Not safe for concurrent use.</summary>
internal sealed class ReplyWriter(PooledBuffer target)
{
    /// <summary>The version that the client has chosen: 2 or 3.</summary>
    public int Protocol { get; set; } = 2;

    /// <summary>Bytes written.</summary>
    public int Length => target.Length;

    /// <summary>What was written.</summary>
    public ReadOnlySpan<byte> Written => target.WrittenSpan;

    /// <summary>Takes back what was written behind a length.</summary>
    public void Truncate(int length) => target.Truncate(length);

    /// <summary>Forgets what was written.</summary>
    public void Clear() => target.Clear();

    /// <summary><c>+OK</c>.</summary>
    public void Ok() => target.Write("+OK\r\n"u8);

    /// <summary>A simple string.</summary>
    public void Simple(ReadOnlySpan<byte> text)
    {
        Byte('+');
        target.Write(text);
        target.Write("\r\n"u8);
    }

    /// <summary>An error: its code and what is wrong. Line breaks become spaces.</summary>
    public void Error(string text)
    {
        Byte('-');
        var bytes = target.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length));
        var length = Encoding.UTF8.GetBytes(text, bytes);
        bytes[..length].Replace((byte)'\r', (byte)' ');
        bytes[..length].Replace((byte)'\n', (byte)' ');
        target.Advance(length);
        target.Write("\r\n"u8);
    }

    /// <summary>A whole number.</summary>
    public void Integer(long value) => Head(':', value);

    /// <summary>A string.</summary>
    public void Bulk(ReadOnlySpan<byte> value) => WriteBulk(target, value);

    /// <summary>A string.</summary>
    public void Bulk(string value) => Bulk(Encoding.UTF8.GetBytes(value));

    /// <summary>A string that is text for a person (RESP 3 says so).</summary>
    public void Verbatim(string value)
    {
        if (Protocol == 2)
        {
            Bulk(value);
            return;
        }
        var bytes = Encoding.UTF8.GetBytes(value);
        Head('=', bytes.Length + 4);
        target.Write("txt:"u8);
        target.Write(bytes);
        target.Write("\r\n"u8);
    }

    /// <summary>Nothing.</summary>
    public void Null() => target.Write(Protocol == 2 ? "$-1\r\n"u8 : "_\r\n"u8);

    /// <summary>Nothing, where an array could be.</summary>
    public void NullArray() => target.Write(Protocol == 2 ? "*-1\r\n"u8 : "_\r\n"u8);

    /// <summary>Begins an array of as many elements.</summary>
    public void Array(int count) => Head('*', count);

    /// <summary>Begins a map of as many pairs; an array in RESP 2.</summary>
    public void Map(int count)
    {
        if (Protocol == 2) Head('*', 2L * count);
        else Head('%', count);
    }

    /// <summary>Begins a set; an array in RESP 2.</summary>
    public void Set(int count) => Head(Protocol == 2 ? '*' : '~', count);

    /// <summary>Begins what is pushed to the client; an array in RESP 2.</summary>
    public void Push(int count) => Head(Protocol == 2 ? '*' : '>', count);

    /// <summary>Bytes that are encoded already.</summary>
    public void Raw(ReadOnlySpan<byte> bytes) => target.Write(bytes);

    /// <summary>Writes a string.</summary>
    public static void WriteBulk(PooledBuffer target, ReadOnlySpan<byte> value)
    {
        WriteHead(target, '$', value.Length);
        var span = target.GetSpan(value.Length + 2);
        value.CopyTo(span);
        span[value.Length] = (byte)'\r';
        span[value.Length + 1] = (byte)'\n';
        target.Advance(value.Length + 2);
    }

    private void Head(char type, long number) => WriteHead(target, type, number);

    private static void WriteHead(PooledBuffer target, char type, long number)
    {
        var span = target.GetSpan(24);
        span[0] = (byte)type;
        int length;
        if ((ulong)number < 10)
        {
            span[1] = (byte)('0' + number);
            length = 1;
        }
        else
        {
            Utf8Formatter.TryFormat(number, span[1..], out length);
        }
        span[length + 1] = (byte)'\r';
        span[length + 2] = (byte)'\n';
        target.Advance(length + 3);
    }

    private void Byte(char c)
    {
        target.GetSpan(1)[0] = (byte)c;
        target.Advance(1);
    }

    /// <summary>A number as Redis writes it in texts.</summary>
    internal static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}

using Dragoman.Storage.Records;

namespace Dragoman.Redis.Wire;

/// <summary>Splits a line as Redis does: words between spaces, in double quotes with escapes, or in single quotes.</summary>
internal static class InlineArguments
{
    /// <summary>Splits a line.</summary>
    /// <param name="line">The line.</param>
    /// <param name="target">Takes the arguments' bytes.</param>
    /// <param name="request">Takes their places.</param>
    /// <returns>False if a quote is not closed, or something follows it closely.</returns>
    public static bool TrySplit(ReadOnlySpan<byte> line, PooledBuffer target, Request request)
    {
        var at = 0;
        while (true)
        {
            while (at < line.Length && IsSpace(line[at])) at++;
            if (at == line.Length) return true;
            var start = target.Length;
            while (at < line.Length && !IsSpace(line[at]))
            {
                var b = line[at++];
                if (b == '"')
                {
                    if (!ReadQuoted(line, ref at, target)) return false;
                    break;
                }
                if (b == '\'')
                {
                    if (!ReadSingleQuoted(line, ref at, target)) return false;
                    break;
                }
                Add(target, b);
            }
            // Nothing but a space may follow a closing quote.
            if (at < line.Length && !IsSpace(line[at])) return false;
            // An empty argument must not look like no argument at all.
            request.Add(start, target.Length - start);
            if (target.Length == 0) Add(target, 0);
        }
    }

    private static bool ReadQuoted(ReadOnlySpan<byte> line, ref int at, PooledBuffer target)
    {
        while (at < line.Length)
        {
            var b = line[at++];
            if (b == '"') return true;
            if (b == '\\' && at + 2 < line.Length && line[at] == 'x' && char.IsAsciiHexDigit((char)line[at + 1]) && char.IsAsciiHexDigit((char)line[at + 2]))
            {
                Add(target, (byte)(HexValue(line[at + 1]) << 4 | HexValue(line[at + 2])));
                at += 3;
            }
            else if (b == '\\' && at < line.Length)
            {
                var escaped = line[at++];
                Add(target, escaped switch
                {
                    (byte)'n' => (byte)'\n',
                    (byte)'r' => (byte)'\r',
                    (byte)'t' => (byte)'\t',
                    (byte)'b' => (byte)'\b',
                    (byte)'a' => (byte)'\a',
                    _ => escaped,
                });
            }
            else
            {
                Add(target, b);
            }
        }
        return false;
    }

    private static bool ReadSingleQuoted(ReadOnlySpan<byte> line, ref int at, PooledBuffer target)
    {
        while (at < line.Length)
        {
            var b = line[at++];
            if (b == '\'') return true;
            if (b == '\\' && at < line.Length && line[at] == '\'') b = line[at++];
            Add(target, b);
        }
        return false;
    }

    private static void Add(PooledBuffer target, byte b)
    {
        target.GetSpan(1)[0] = b;
        target.Advance(1);
    }

    private static int HexValue(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;

    private static bool IsSpace(byte b) => b is (byte)' ' or (>= 9 and <= 13) or 0;
}

namespace Dragoman.Broker.Channels;

/// <summary>
/// A pattern of channel names as Redis has them, over bytes: <c>*</c>, <c>?</c>, <c>[a-z]</c>, <c>[^x]</c>, and a backslash
/// before what is meant literally. A star is tried at its last place only, so the time is at most the product of both lengths.
/// </summary>
public sealed class Glob
{
    private readonly byte[] _pattern;

    // What every match begins with, and where the rest of the pattern begins: most channels are told apart here.
    private readonly byte[] _prefix;
    private readonly int _rest;

    /// <summary>Reads a pattern; there are no wrong ones.</summary>
    public Glob(ReadOnlySpan<byte> pattern)
    {
        _pattern = pattern.ToArray();
        var prefix = new List<byte>();
        var at = 0;
        for (; at < _pattern.Length; at++)
        {
            var b = _pattern[at];
            if (b is (byte)'*' or (byte)'?' or (byte)'[') break;
            if (b == '\\' && at + 1 < _pattern.Length) b = _pattern[++at];
            prefix.Add(b);
        }
        _prefix = [.. prefix];
        _rest = at;
    }

    /// <summary>What every name that matches begins with.</summary>
    public ReadOnlySpan<byte> Prefix => _prefix;

    /// <summary>Whether a name matches.</summary>
    public bool Matches(ReadOnlySpan<byte> name)
    {
        if (!name.StartsWith(_prefix)) return false;
        var pattern = _pattern.AsSpan(_rest);
        return pattern.Length == 1 && pattern[0] == '*' || Matches(pattern, name[_prefix.Length..]);
    }

    private static bool Matches(ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> name)
    {
        int p = 0, n = 0, star = -1, resume = 0;
        while (n < name.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                star = p++;
                resume = n;
            }
            else if (p < pattern.Length && MatchesOne(pattern, p, name[n], out var next))
            {
                p = next;
                n++;
            }
            else if (star >= 0)
            {
                p = star + 1;
                n = ++resume;
            }
            else
            {
                return false;
            }
        }
        while (p < pattern.Length && pattern[p] == '*') p++;
        return p == pattern.Length;
    }

    private static bool MatchesOne(ReadOnlySpan<byte> pattern, int at, byte c, out int next)
    {
        next = at + 1;
        switch (pattern[at])
        {
            case (byte)'?':
                return true;
            case (byte)'\\' when at + 1 < pattern.Length:
                next = at + 2;
                return pattern[at + 1] == c;
            case (byte)'[':
                return MatchesClass(pattern, at + 1, c, out next);
            default:
                return pattern[at] == c;
        }
    }

    private static bool MatchesClass(ReadOnlySpan<byte> pattern, int at, byte c, out int next)
    {
        var negated = at < pattern.Length && pattern[at] == '^';
        if (negated) at++;
        var found = false;
        // A class that is never closed ends with the pattern, as in Redis.
        while (at < pattern.Length && pattern[at] != ']')
        {
            if (pattern[at] == '\\' && at + 1 < pattern.Length)
            {
                found |= pattern[at + 1] == c;
                at += 2;
            }
            else if (at + 2 < pattern.Length && pattern[at + 1] == '-')
            {
                var (low, high) = (pattern[at], pattern[at + 2]);
                if (low > high) (low, high) = (high, low);
                found |= c >= low && c <= high;
                at += 3;
            }
            else
            {
                found |= pattern[at] == c;
                at++;
            }
        }
        next = Math.Min(at + 1, pattern.Length);
        return found != negated;
    }
}

using System.Numerics;

namespace Dragoman.Broker.Security;

/// <summary>
/// Matches Redis' globs. A star is tried at its last place only, so the time is at most the product of both lengths.
/// </summary>
public static class GlobMatcher
{
    /// <summary>Whether a name matches a glob.</summary>
    public static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> name) => MatchesAll(pattern, name);

    /// <summary>Whether a name matches a glob, byte by byte.</summary>
    public static bool Matches(ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> name) => MatchesAll(pattern, name);

    private static bool MatchesAll<T>(ReadOnlySpan<T> pattern, ReadOnlySpan<T> name) where T : unmanaged, IBinaryInteger<T>
    {
        int p = 0, n = 0, star = -1, resume = 0;
        while (n < name.Length)
        {
            if (p < pattern.Length && Is(pattern[p], '*'))
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
        while (p < pattern.Length && Is(pattern[p], '*')) p++;
        return p == pattern.Length;
    }

    private static bool MatchesOne<T>(ReadOnlySpan<T> pattern, int at, T c, out int next) where T : unmanaged, IBinaryInteger<T>
    {
        next = at + 1;
        if (Is(pattern[at], '?')) return true;
        if (Is(pattern[at], '[')) return MatchesClass(pattern, at + 1, c, out next);
        if (!Is(pattern[at], '\\') || at + 1 >= pattern.Length) return pattern[at] == c;
        next = at + 2;
        return pattern[at + 1] == c;
    }

    private static bool MatchesClass<T>(ReadOnlySpan<T> pattern, int at, T c, out int next) where T : unmanaged, IBinaryInteger<T>
    {
        var negated = at < pattern.Length && Is(pattern[at], '^');
        if (negated) at++;
        var found = false;
        // A class that is never closed ends with the pattern, as in Redis.
        while (at < pattern.Length && !Is(pattern[at], ']'))
        {
            if (Is(pattern[at], '\\') && at + 1 < pattern.Length)
            {
                found |= pattern[at + 1] == c;
                at += 2;
            }
            else if (at + 2 < pattern.Length && Is(pattern[at + 1], '-'))
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

    private static bool Is<T>(T value, char special) where T : unmanaged, IBinaryInteger<T> => value == T.CreateTruncating(special);
}

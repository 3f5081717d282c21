namespace Dragoman.Broker.Security;

/// <summary>
/// Matches Redis' globs. A star is tried at its last place only, so the time is at most the product of both lengths.
/// </summary>
public static class GlobMatcher
{
    /// <summary>Whether a name matches a glob.</summary>
    public static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> name)
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

    private static bool MatchesOne(ReadOnlySpan<char> pattern, int at, char c, out int next)
    {
        next = at + 1;
        switch (pattern[at])
        {
            case '?':
                return true;
            case '\\' when at + 1 < pattern.Length:
                next = at + 2;
                return pattern[at + 1] == c;
            case '[':
                return MatchesClass(pattern, at + 1, c, out next);
            default:
                return pattern[at] == c;
        }
    }

    private static bool MatchesClass(ReadOnlySpan<char> pattern, int at, char c, out int next)
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

using Dragoman.Broker.Security;

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
        return pattern.Length == 1 && pattern[0] == '*' || GlobMatcher.Matches(pattern, name[_prefix.Length..]);
    }
}

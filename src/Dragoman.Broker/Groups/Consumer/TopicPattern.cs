using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.RegularExpressions;

namespace Dragoman.Broker.Groups.Consumer;

/// <summary>
/// A pattern of topic names as KIP-848 has it: in RE2's syntax, and for the whole name. It is matched in time linear in
/// the name, whatever the pattern, as clients write it and the broker runs it.
/// </summary>
internal static class TopicPattern
{
    /// <summary>The longest pattern taken, in characters.</summary>
    public const int MaxLength = 8192;

    // RE2 allows a thousand repetitions, nested ones multiplied. Here the whole pattern is bounded, written out.
    private const long MaxExpandedSize = 20_000;

    /// <summary>Compiles a pattern.</summary>
    public static bool TryCompile(string pattern, [NotNullWhen(true)] out Regex? compiled, [NotNullWhen(false)] out string? why)
    {
        compiled = null;
        why = null;
        if (pattern.Length > MaxLength)
        {
            why = $"A pattern has at most {MaxLength} characters.";
            return false;
        }
        if (ExpandedSize(pattern) > MaxExpandedSize)
        {
            why = "The pattern repeats too much.";
            return false;
        }
        try
        {
            compiled = new Regex($@"\A(?:{Translate(pattern)})\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
            return true;
        }
        catch (Exception error) when (error is ArgumentException or NotSupportedException)
        {
            // What needs backtracking, RE2 does not have either.
            why = $"The pattern '{pattern}' is not valid: {error.Message}";
            return false;
        }
    }

    /// <summary>How many characters the pattern has if its counted repetitions are written out; no more than a bound on its automaton.</summary>
    private static long ExpandedSize(string pattern)
    {
        var open = new Stack<(long Sum, long Last)>();
        long sum = 0, last = 0;
        for (var i = 0; i < pattern.Length; i++)
        {
            switch (pattern[i])
            {
                case '\\':
                    i++;
                    goto default;
                case '(':
                    open.Push((sum + last, 0));
                    (sum, last) = (0, 0);
                    break;
                case ')' when open.Count > 0:
                    last += sum;
                    sum = open.Pop().Sum;
                    break;
                case '{':
                    last *= Math.Max(1, LargestNumber(pattern, ref i));
                    if (last > MaxExpandedSize) return last;
                    break;
                default:
                    sum += last;
                    last = 1;
                    break;
            }
        }
        while (open.TryPop(out var outer)) sum += outer.Sum;
        return sum + last;
    }

    private static long LargestNumber(string pattern, ref int i)
    {
        long largest = 0, number = 0;
        for (i++; i < pattern.Length && pattern[i] != '}'; i++)
        {
            number = char.IsAsciiDigit(pattern[i]) ? Math.Min(number * 10 + (pattern[i] - '0'), MaxExpandedSize + 1) : 0;
            largest = Math.Max(largest, number);
        }
        return largest;
    }

    /// <summary>Spells what RE2 and .NET spell differently: named groups, quotations, and classes of POSIX.</summary>
    private static string Translate(string pattern)
    {
        var text = new StringBuilder(pattern.Length + 16);
        var inClass = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            var rest = pattern.AsSpan(i);
            if (!inClass && rest.StartsWith(@"\Q"))
            {
                var end = pattern.IndexOf(@"\E", i + 2, StringComparison.Ordinal);
                var quoted = end < 0 ? pattern[(i + 2)..] : pattern[(i + 2)..end];
                text.Append(Regex.Escape(quoted));
                i = end < 0 ? pattern.Length : end + 1;
            }
            else if (rest[0] == '\\' && rest.Length > 1)
            {
                text.Append(rest[..2]);
                i++;
            }
            else if (!inClass && rest.StartsWith("(?P<"))
            {
                text.Append("(?<");
                i += 3;
            }
            else if (inClass && rest.StartsWith("[:") && PosixClass(rest, out var length) is { } members)
            {
                text.Append(members);
                i += length - 1;
            }
            else
            {
                if (rest[0] == '[' && !inClass)
                {
                    inClass = true;
                    text.Append('[');
                    if (rest.Length > 1 && rest[1] == '^') text.Append(pattern[++i]);
                    // A bracket that closes at once stands for itself.
                    if (i + 1 < pattern.Length && pattern[i + 1] == ']')
                    {
                        text.Append(@"\]");
                        i++;
                    }
                    continue;
                }
                // .NET would take this for the start of a subtraction.
                if (rest[0] == '[' && inClass) text.Append('\\');
                if (rest[0] == ']' && inClass) inClass = false;
                text.Append(rest[0]);
            }
        }
        return text.ToString();
    }

    private static string? PosixClass(ReadOnlySpan<char> text, out int length)
    {
        var end = text.IndexOf(":]");
        length = end + 2;
        return end < 0 ? null : text[2..end] switch
        {
            "alnum" => "0-9A-Za-z",
            "alpha" => "A-Za-z",
            "ascii" => @"\x00-\x7F",
            "blank" => @"\t ",
            "cntrl" => @"\x00-\x1F\x7F",
            "digit" => "0-9",
            "graph" => "!-~",
            "lower" => "a-z",
            "print" => " -~",
            "punct" => @"!-/:-@\[-`{-~",
            "space" => @"\t\n\v\f\r ",
            "upper" => "A-Z",
            "word" => "0-9A-Za-z_",
            "xdigit" => "0-9A-Fa-f",
            _ => null,
        };
    }
}

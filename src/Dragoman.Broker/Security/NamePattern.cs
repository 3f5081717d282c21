using System.Text.RegularExpressions;

namespace Dragoman.Broker.Security;

/// <summary>How a pattern is to be read.</summary>
public enum PatternKind
{
    /// <summary>The name itself; <c>*</c> alone stands for every name, as in Kafka.</summary>
    Literal = 1,

    /// <summary>All names that begin so.</summary>
    Prefix = 2,

    /// <summary>A regular expression that is found in the name, as in RabbitMQ.</summary>
    Regex = 3,

    /// <summary>A glob, as in Redis: <c>*</c>, <c>?</c>, <c>[a-z]</c>, <c>[^x]</c> and a backslash before what is meant literally.</summary>
    Glob = 4,
}

/// <summary>Says which names are meant. Two are equal if kind and text are.</summary>
public sealed class NamePattern : IEquatable<NamePattern>
{
    /// <summary>The literal pattern that stands for every name.</summary>
    public const string Wildcard = "*";

    private static readonly TimeSpan LongestMatch = TimeSpan.FromMilliseconds(100);

    private readonly Regex? _regex;

    /// <summary>Creates a pattern.</summary>
    /// <exception cref="ArgumentException">The text is no regular expression.</exception>
    public NamePattern(PatternKind kind, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        Kind = kind;
        Text = text;
        // RabbitMQ takes the empty expression for "none".
        if (kind == PatternKind.Regex && text.Length > 0) _regex = Compile(text);
    }

    /// <summary>Every name.</summary>
    public static NamePattern All { get; } = new(PatternKind.Literal, Wildcard);

    /// <summary>How the text is to be read.</summary>
    public PatternKind Kind { get; }

    /// <summary>The text.</summary>
    public string Text { get; }

    /// <summary>Whether a name is meant.</summary>
    public bool Matches(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Kind switch
        {
            PatternKind.Literal => Text == Wildcard || name == Text,
            PatternKind.Prefix => name.StartsWith(Text, StringComparison.Ordinal),
            PatternKind.Regex => _regex is not null && IsFound(_regex, name),
            _ => GlobMatcher.Matches(Text, name),
        };
    }

    private static Regex Compile(string text)
    {
        try
        {
            // Without backtracking, no expression can be made to take long.
            return new Regex(text, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (NotSupportedException)
        {
            // Permissions of RabbitMQ look ahead at times, as in "^(?!amq\.)", which needs it; so these have a time.
            return new Regex(text, RegexOptions.CultureInvariant, LongestMatch);
        }
    }

    private static bool IsFound(Regex regex, string name)
    {
        try
        {
            return regex.IsMatch(name);
        }
        catch (RegexMatchTimeoutException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public bool Equals(NamePattern? other) => other is not null && Kind == other.Kind && Text == other.Text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as NamePattern);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Kind, Text);

    /// <inheritdoc/>
    public override string ToString() => $"{Kind}:{Text}";
}

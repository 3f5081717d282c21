using System.Net;
using System.Text;

namespace Dragoman.Broker.Routing.Filters;

/// <summary>How a value is looked at.</summary>
internal enum FilterConditionKind : byte
{
    Exists,
    Equal,
    EqualIgnoringCase,
    Prefix,
    Suffix,
    Wildcard,
    Range,
    Network,
    AnythingBut,
}

/// <summary>A condition on one value. Which members count follows from its kind.</summary>
internal sealed class FilterCondition
{
    public required FilterConditionKind Kind { get; init; }

    /// <summary>Whether a value has to be there, or not.</summary>
    public bool MustExist { get; init; }

    /// <summary>What kind of value it has to equal.</summary>
    public FilterValueKind ValueKind { get; init; }

    /// <summary>What it is compared with.</summary>
    public byte[] Text { get; init; } = [];

    /// <summary>The number that it has to equal.</summary>
    public decimal Number { get; init; }

    public decimal? Above { get; init; }

    public decimal? AtLeast { get; init; }

    public decimal? Below { get; init; }

    public decimal? AtMost { get; init; }

    /// <summary>The addresses that it may be one of.</summary>
    public IPNetwork Network { get; init; }

    /// <summary>The parts of a pattern: what stands between its asterisks.</summary>
    public byte[][] Parts { get; init; } = [];

    /// <summary>What must not hold.</summary>
    public FilterCondition[] Excluded { get; init; } = [];

    public bool Matches(in FilterValue value)
    {
        switch (Kind)
        {
            case FilterConditionKind.Equal:
                return value.Kind == ValueKind && (ValueKind == FilterValueKind.Number ? value.Number == Number : value.Text.SequenceEqual(Text));
            case FilterConditionKind.EqualIgnoringCase:
                return value.Kind == FilterValueKind.Text && EqualsIgnoringCase(value.Text);
            case FilterConditionKind.Prefix:
                return value.Kind == FilterValueKind.Text && value.Text.StartsWith(Text);
            case FilterConditionKind.Suffix:
                return value.Kind == FilterValueKind.Text && value.Text.EndsWith(Text);
            case FilterConditionKind.Wildcard:
                return value.Kind == FilterValueKind.Text && MatchesPattern(value.Text);
            case FilterConditionKind.Range:
                return value.Kind == FilterValueKind.Number
                    && (Above is null || value.Number > Above) && (AtLeast is null || value.Number >= AtLeast)
                    && (Below is null || value.Number < Below) && (AtMost is null || value.Number <= AtMost);
            case FilterConditionKind.Network:
                return value.Kind == FilterValueKind.Text && value.Text.Length <= 64 && IPAddress.TryParse(Encoding.UTF8.GetString(value.Text), out var address)
                    && Network.Contains(address);
            case FilterConditionKind.AnythingBut:
                if (value.Kind == FilterValueKind.Null) return false;
                foreach (var excluded in Excluded)
                    if (excluded.Matches(value)) return false;
                return true;
            default:
                return false;
        }
    }

    private bool EqualsIgnoringCase(ReadOnlySpan<byte> text)
    {
        if (System.Text.Ascii.IsValid(text)) return System.Text.Ascii.EqualsIgnoreCase(text, Text);
        return string.Equals(Encoding.UTF8.GetString(text), Encoding.UTF8.GetString(Text), StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>The first part at the beginning, the last at the end, the others one behind the other between them.</summary>
    private bool MatchesPattern(ReadOnlySpan<byte> text)
    {
        if (Parts.Length == 1) return text.SequenceEqual(Parts[0]);
        if (text.Length < Parts[0].Length + Parts[^1].Length || !text.StartsWith(Parts[0]) || !text.EndsWith(Parts[^1])) return false;
        text = text[Parts[0].Length..^Parts[^1].Length];
        foreach (var part in Parts.AsSpan(1, Parts.Length - 2))
        {
            var at = text.IndexOf(part);
            if (at < 0) return false;
            text = text[(at + part.Length)..];
        }
        return true;
    }
}

using System.Globalization;

namespace Dragoman.Kafka.Generators;

/// <summary>An inclusive range of message versions; open ranges end at <see cref="short.MaxValue"/>.</summary>
internal readonly record struct VersionRange(short Min, short Max)
{
    public static VersionRange None => new(1, 0);

    public bool IsEmpty => Min > Max;

    public static bool TryParse(string? text, out VersionRange range)
    {
        range = None;
        if (string.IsNullOrEmpty(text))
            return false;
        string from = text!, to = text!;
        int dash = text!.IndexOf('-');
        if (text.EndsWith("+", System.StringComparison.Ordinal))
        {
            from = text.Substring(0, text.Length - 1);
            to = short.MaxValue.ToString(CultureInfo.InvariantCulture);
        }
        else if (dash > 0)
        {
            from = text.Substring(0, dash);
            to = text.Substring(dash + 1);
        }

        if (!TryParse(from, out short min) || !TryParse(to, out short max) || min > max)
            return false;
        range = new VersionRange(min, max);
        return true;
    }

    public VersionRange Intersect(VersionRange other) => new(
        Min > other.Min ? Min : other.Min, Max < other.Max ? Max : other.Max);

    public bool Covers(VersionRange other) => Min <= other.Min && Max >= other.Max;

    /// <summary>The C# condition for "version is in this range", given that it is in <paramref name="known"/>.</summary>
    public string Condition(VersionRange known)
    {
        VersionRange overlap = Intersect(known);
        if (overlap.IsEmpty)
            return "false";
        if (overlap.Covers(known))
            return "true";
        if (overlap.Min == known.Min)
            return $"version <= {overlap.Max}";
        return overlap.Max == known.Max
            ? $"version >= {overlap.Min}"
            : $"version is >= {overlap.Min} and <= {overlap.Max}";
    }

    private static bool TryParse(string text, out short value) =>
        short.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
}

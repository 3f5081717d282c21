using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Dragoman.Broker.Routing.Filters;

/// <summary>What kind of value a message has.</summary>
internal enum FilterValueKind : byte
{
    Null,
    Text,
    Number,
    Truth,
}

/// <summary>A value of a message as conditions look at it.</summary>
internal readonly ref struct FilterValue
{
    private FilterValue(FilterValueKind kind, ReadOnlySpan<byte> text, decimal number)
    {
        Kind = kind;
        Text = text;
        Number = number;
    }

    public FilterValueKind Kind { get; }

    /// <summary>The value as it is written, in UTF-8.</summary>
    public ReadOnlySpan<byte> Text { get; }

    /// <summary>The number, where it is one.</summary>
    public decimal Number { get; }

    public static FilterValue OfNull => new(FilterValueKind.Null, "null"u8, 0);

    public static FilterValue OfText(ReadOnlySpan<byte> text) => new(FilterValueKind.Text, text, 0);

    public static FilterValue OfTruth(bool truth) => new(FilterValueKind.Truth, truth ? "true"u8 : "false"u8, 0);

    /// <summary>A number; text if it is none that can be compared.</summary>
    public static FilterValue OfNumber(ReadOnlySpan<byte> text) =>
        TryNumber(text, out var number) ? new FilterValue(FilterValueKind.Number, text, number) : OfText(text);

    public static bool TryNumber(ReadOnlySpan<byte> text, out decimal number)
    {
        if (Utf8Parser.TryParse(text, out number, out var read) && read == text.Length) return true;
        // With an exponent; or too large, and then it is no number that a policy could name.
        return text.Length <= 64 && decimal.TryParse(Encoding.UTF8.GetString(text), NumberStyles.Float, CultureInfo.InvariantCulture, out number);
    }
}

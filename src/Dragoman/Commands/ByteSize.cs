using System.Globalization;

namespace Dragoman.Commands;

/// <summary>Sizes as people write and read them: in powers of 1024.</summary>
internal static class ByteSize
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

    /// <summary>Reads <c>64MiB</c>, <c>64M</c>, <c>64 MB</c> or a plain number of bytes.</summary>
    public static bool TryParse(string text, out long bytes)
    {
        bytes = 0;
        var split = 0;
        while (split < text.Length && char.IsAsciiDigit(text[split])) split++;
        var digits = text.AsSpan(0, split);
        var unit = text[split..].Trim();
        var shift = unit.ToUpperInvariant() switch
        {
            "" or "B" => 0,
            "K" or "KB" or "KIB" => 10,
            "M" or "MB" or "MIB" => 20,
            "G" or "GB" or "GIB" => 30,
            "T" or "TB" or "TIB" => 40,
            _ => -1,
        };
        if (shift < 0 || !long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count > long.MaxValue >> shift) return false;
        bytes = count << shift;
        return true;
    }

    /// <summary>Writes a size with three digits or so.</summary>
    public static string Format(long bytes)
    {
        double value = bytes;
        var unit = 0;
        while (Math.Abs(value) >= 1024 && unit < Units.Length - 1)
        {
            value /= 1024;
            unit++;
        }
        return unit == 0 ? $"{bytes} B" : string.Create(CultureInfo.InvariantCulture, $"{value:0.#} {Units[unit]}");
    }
}

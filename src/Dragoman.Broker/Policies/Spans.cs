using System.Globalization;

namespace Dragoman.Broker.Policies;

/// <summary>Spans of time as streams name them, such as <c>7D</c> or <c>12h</c>.</summary>
public static class Spans
{
    /// <summary>The milliseconds that a text stands for; null if it stands for none.</summary>
    public static long? ToMilliseconds(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length < 2 || !long.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return null;
        long? seconds = text[^1] switch { 'Y' => 31_536_000, 'M' => 2_592_000, 'D' => 86_400, 'h' => 3_600, 'm' => 60, 's' => 1, _ => null };
        return number > long.MaxValue / 1000 / 31_536_000 ? null : number * seconds * 1000;
    }
}

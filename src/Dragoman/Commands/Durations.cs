using System.Globalization;

namespace Dragoman.Commands;

/// <summary>Times as people write and read them: <c>7d</c>, <c>12h</c>, <c>30m</c>, <c>10s</c>, <c>500ms</c>.</summary>
internal static class Durations
{
    /// <summary>The milliseconds that a time is; -1 for <c>forever</c>.</summary>
    /// <exception cref="CommandException">It is no time.</exception>
    public static long Parse(string text, string option)
    {
        if (text is "forever" or "-1") return -1;
        var digits = 0;
        while (digits < text.Length && char.IsAsciiDigit(text[digits])) digits++;
        var unit = text[digits..] switch
        {
            "ms" => 1L,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => 0,
        };
        return unit > 0 && int.TryParse(text.AsSpan(0, digits), out var number) ? number * unit : throw new CommandException($"{option} is '{text}'; it should be a time such as 7d, 12h, 30m, 10s or 500ms, or forever.", ExitCode.Usage);
    }

    /// <summary>Writes a time in the largest unit that fits.</summary>
    public static string Format(long milliseconds) => milliseconds switch
    {
        < 0 => "for ever",
        _ when milliseconds % 86_400_000 == 0 && milliseconds > 0 => $"{milliseconds / 86_400_000} d",
        _ when milliseconds % 3_600_000 == 0 && milliseconds > 0 => $"{milliseconds / 3_600_000} h",
        _ when milliseconds % 60_000 == 0 && milliseconds > 0 => $"{milliseconds / 60_000} min",
        _ when milliseconds % 1000 == 0 => $"{milliseconds / 1000} s",
        _ => $"{milliseconds.ToString(CultureInfo.InvariantCulture)} ms",
    };
}

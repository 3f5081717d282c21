using System.Globalization;
using System.Text;

namespace Dragoman.Aws.Sns;

/// <summary>Where the next page of a list begins: behind an item, or else at a place.</summary>
internal static class PageToken
{
    public static string Encode(int index, string key) => Convert.ToBase64String(Encoding.UTF8.GetBytes($"{index.ToString(CultureInfo.InvariantCulture)}|{key}"));

    /// <summary>The item that was shown last; null if it is no token.</summary>
    public static string? Decode(string token) => Read(token) is { } text ? text[(text.IndexOf('|', StringComparison.Ordinal) + 1)..] : null;

    public static int IndexOf(string token) => Read(token) is { } text ? int.Parse(text.AsSpan(0, text.IndexOf('|', StringComparison.Ordinal)), CultureInfo.InvariantCulture) : 0;

    private static string? Read(string token)
    {
        var bytes = new byte[token.Length];
        if (!Convert.TryFromBase64String(token, bytes, out var length)) return null;
        var text = Encoding.UTF8.GetString(bytes, 0, length);
        var bar = text.IndexOf('|', StringComparison.Ordinal);
        return bar > 0 && int.TryParse(text.AsSpan(0, bar), NumberStyles.None, CultureInfo.InvariantCulture, out _) ? text : null;
    }
}

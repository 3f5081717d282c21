using System.Text.RegularExpressions;

namespace Dragoman.Kafka.Tests.Wire;

/// <summary>Bytes written by hand: pairs of hexadecimal digits, and 'text' for its UTF-8.</summary>
internal static partial class Hex
{
    public static byte[] Parse(string text) => [.. Part().Matches(text).SelectMany(part => part.Groups[1].Success
        ? System.Text.Encoding.UTF8.GetBytes(part.Groups[1].Value)
        : Convert.FromHexString(part.Value))];

    [GeneratedRegex("'([^']*)'|[0-9A-Fa-f]{2}")]
    private static partial Regex Part();
}

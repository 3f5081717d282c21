namespace Dragoman.Admin.Http;

/// <summary>Names of values as JSON has them.</summary>
internal static class Text
{
    /// <summary>A value's name, in camel case.</summary>
    public static string Camel<T>(T value) where T : struct, Enum
    {
        var text = value.ToString();
        return char.ToLowerInvariant(text[0]) + text[1..];
    }

    /// <summary>The value of a name.</summary>
    /// <exception cref="ProblemException">There is no such value.</exception>
    public static T Parse<T>(string text, string field) where T : struct, Enum
    {
        foreach (var value in Enum.GetValues<T>())
            if (Camel(value) == text) return value;
        var names = Enum.GetValues<T>().Select(Camel).ToArray();
        throw ProblemException.BadRequest($"{field} is '{text}'; it should be {string.Join(", ", names[..^1])} or {names[^1]}.");
    }
}

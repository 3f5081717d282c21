using System.Globalization;

namespace Dragoman.Aws.Http;

/// <summary>
/// The parameters of a request, or of a structure within it, whichever protocol they came in. Every read names a parameter
/// as the JSON protocol does; where the Query protocol spells a list or map differently, that is given too.
/// </summary>
internal abstract class Input
{
    /// <summary>Whether the parameter is there, and not null.</summary>
    public abstract bool Has(string name);

    /// <summary>A text; null if there is none.</summary>
    /// <exception cref="AwsException">It is something else.</exception>
    public abstract string? Text(string name);

    /// <summary>A text's UTF-8 bytes, valid as long as the request; false if there is none.</summary>
    public abstract bool TryUtf8(string name, out ReadOnlySpan<byte> utf8);

    /// <summary>A structure; null if there is none.</summary>
    public abstract Input? Structure(string name);

    /// <summary>The structures of a list.</summary>
    /// <param name="name">The list's name.</param>
    /// <param name="prefix">What precedes the number in the Query protocol.</param>
    public abstract IReadOnlyList<Input> Structures(string name, string prefix);

    /// <summary>The texts of a list.</summary>
    public abstract IReadOnlyList<string> Texts(string name, string prefix);

    /// <summary>The structures of a map.</summary>
    /// <param name="name">The map's name.</param>
    /// <param name="prefix">What precedes the number in the Query protocol.</param>
    /// <param name="key">What the Query protocol calls the key.</param>
    /// <param name="value">What it calls the value.</param>
    public abstract IReadOnlyList<(string Key, Input Value)> StructureMap(string name, string prefix, string key = "Name", string value = "Value");

    /// <summary>The texts of a map, in order.</summary>
    public abstract IReadOnlyList<(string Key, string Value)> TextMap(string name, string prefix, string key = "Name", string value = "Value");

    /// <summary>A number; null if there is none.</summary>
    public int? Integer(string name)
    {
        if (Text(name) is not { Length: > 0 } text) return null;
        return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw AwsException.InvalidParameterValue($"Value {text} for parameter {name} is invalid. Reason: Must be a number.");
    }

    /// <summary>A truth value; null if there is none.</summary>
    public bool? Truth(string name) => Text(name) switch
    {
        null or "" => null,
        var text when string.Equals(text, "true", StringComparison.OrdinalIgnoreCase) => true,
        var text when string.Equals(text, "false", StringComparison.OrdinalIgnoreCase) => false,
        var text => throw AwsException.InvalidParameterValue($"Value {text} for parameter {name} is invalid. Reason: Must be true or false."),
    };

    /// <summary>A text that has to be there.</summary>
    /// <exception cref="AwsException">It is missing.</exception>
    public string Required(string name) => Text(name) ?? throw AwsException.MissingParameter(name);
}

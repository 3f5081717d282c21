using System.Globalization;
using Dragoman.Kafka.Wire;

namespace Dragoman.Kafka.Configs;

/// <summary>A configuration that a topic has in Kafka: its type, default and what values it takes.</summary>
/// <param name="Name">The name.</param>
/// <param name="Type">The type of its values.</param>
/// <param name="Default">The value where none was set.</param>
/// <param name="Documentation">What it does here, which is not always what it does in Kafka.</param>
internal sealed record TopicConfig(string Name, ConfigValueType Type, string Default, string Documentation)
{
    /// <summary>The smallest number allowed.</summary>
    public long Min { get; init; } = long.MinValue;

    /// <summary>The largest number allowed.</summary>
    public long Max { get; init; } = long.MaxValue;

    /// <summary>The words allowed, or the words that a list may hold; empty for any.</summary>
    public string[] Words { get; init; } = [];

    /// <summary>Refuses a value that the configuration does not take.</summary>
    /// <exception cref="KafkaRequestException">It does not.</exception>
    public void Check(string value)
    {
        var good = Type switch
        {
            ConfigValueType.Boolean => bool.TryParse(value, out _),
            ConfigValueType.Int => int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) && n >= Min && n <= Max,
            ConfigValueType.Long => long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) && n >= Min && n <= Max,
            ConfigValueType.Double => double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var n) && n >= Min && n <= Max,
            ConfigValueType.List => Words.Length == 0 || SplitList(value).All(Words.Contains),
            _ => Words.Length == 0 || Words.Contains(value),
        };
        if (!good) throw new KafkaRequestException(ErrorCode.InvalidConfig, $"'{value}' is not a value for {Name}{Allowed()}.");
    }

    /// <summary>The items of a list.</summary>
    public static string[] SplitList(string value) => value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private string Allowed()
    {
        if (Words.Length > 0) return $": {string.Join(", ", Words)} are";
        return Type is ConfigValueType.Int or ConfigValueType.Long or ConfigValueType.Double
            ? string.Create(CultureInfo.InvariantCulture, $": a number of at least {Math.Max(Min, Type == ConfigValueType.Int ? int.MinValue : Min)} is")
            : "";
    }
}

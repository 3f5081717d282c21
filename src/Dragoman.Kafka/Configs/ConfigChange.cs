using Dragoman.Kafka.Wire;

namespace Dragoman.Kafka.Configs;

/// <summary>One change of a configuration, as clients ask for it (KIP-339).</summary>
/// <param name="Name">Which configuration.</param>
/// <param name="Operation">What to do with it.</param>
/// <param name="Value">The value, or the items of a list.</param>
internal readonly record struct ConfigChange(string Name, ConfigOperation Operation, string? Value)
{
    /// <summary>The value after the change; null where it is taken away.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="current">The value before.</param>
    /// <exception cref="KafkaRequestException">The change makes no sense.</exception>
    public string? Apply(TopicConfig config, string current)
    {
        if (Operation == ConfigOperation.Delete) return null;
        var value = Value ?? throw new KafkaRequestException(ErrorCode.InvalidRequest, $"Null value not supported for : {Name}");
        if (Operation == ConfigOperation.Set) return value;
        if (Operation is not (ConfigOperation.Append or ConfigOperation.Subtract))
            throw new KafkaRequestException(ErrorCode.InvalidRequest, $"There is no operation {(sbyte)Operation} on configurations.");
        if (config.Type != ConfigValueType.List)
            throw new KafkaRequestException(ErrorCode.InvalidConfig, $"{config.Name} is no list: it cannot be added to or taken from.");
        var items = TopicConfig.SplitList(current).ToList();
        foreach (var item in TopicConfig.SplitList(value))
        {
            if (Operation == ConfigOperation.Subtract) items.Remove(item);
            else if (!items.Contains(item)) items.Add(item);
        }
        return string.Join(',', items);
    }
}

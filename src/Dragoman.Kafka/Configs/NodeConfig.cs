using Dragoman.Kafka.Wire;

namespace Dragoman.Kafka.Configs;

/// <summary>A configuration of a node: what it is at the start, and whether it can be changed after that.</summary>
/// <param name="Definition">Its name, its type, the value where nothing was said, and what values it takes.</param>
/// <param name="AtStart">The value that the node was started with.</param>
internal sealed record NodeConfig(TopicConfig Definition, string AtStart)
{
    /// <summary>Its name.</summary>
    public string Name => Definition.Name;

    /// <summary>Whether it can be changed while the node runs.</summary>
    public bool IsDynamic { get; init; }

    /// <summary>Where the value at the start comes from.</summary>
    public ConfigSource SourceAtStart => AtStart == Definition.Default ? ConfigSource.Default : ConfigSource.StaticBroker;
}

namespace Dragoman.Broker.Configs;

/// <summary>What kind of thing a configuration is of.</summary>
public enum ConfigKind : byte
{
    /// <summary>One node, by its number in digits; the empty name stands for all nodes of the cluster.</summary>
    Node = 1,

    /// <summary>A consumer group, by its name.</summary>
    Group = 2,
}

/// <summary>What a configuration is of.</summary>
/// <param name="Kind">Which kind of thing.</param>
/// <param name="Name">Which one.</param>
public readonly record struct ConfigTarget(ConfigKind Kind, string Name);

/// <summary>How a change of configuration ended.</summary>
public enum ConfigStatus
{
    /// <summary>It was done.</summary>
    Ok,

    /// <summary>There is no room on disk; later there may be.</summary>
    Full,

    /// <summary>The disk failed.</summary>
    StorageError,
}

namespace Dragoman.Kafka.Wire;

/// <summary>Whether records of open and aborted transactions are seen.</summary>
public enum IsolationLevel : sbyte
{
    /// <summary>They are.</summary>
    ReadUncommitted = 0,

    /// <summary>They are not.</summary>
    ReadCommitted = 1,
}

/// <summary>What a coordinator is asked for (FindCoordinatorRequest.json).</summary>
public enum CoordinatorType : sbyte
{
    /// <summary>A group.</summary>
    Group = 0,

    /// <summary>A transactional id.</summary>
    Transaction = 1,

    /// <summary>A partition of a share group.</summary>
    Share = 2,
}

/// <summary>What kind of thing is configured (Kafka's <c>ConfigResource.Type</c>).</summary>
public enum ConfigResourceType : sbyte
{
    /// <summary>Nothing known.</summary>
    Unknown = 0,

    /// <summary>A topic.</summary>
    Topic = 2,

    /// <summary>A node, by its id.</summary>
    Broker = 4,

    /// <summary>The loggers of a node.</summary>
    BrokerLogger = 8,

    /// <summary>A client metrics subscription.</summary>
    ClientMetrics = 16,

    /// <summary>A group.</summary>
    Group = 32,
}

/// <summary>Where a configuration value comes from (Kafka's <c>DescribeConfigsResponse.ConfigSource</c>).</summary>
public enum ConfigSource : sbyte
{
    /// <summary>Not said.</summary>
    NotSaid = -1,

    /// <summary>Nothing known.</summary>
    Unknown = 0,

    /// <summary>Set on the topic.</summary>
    Topic = 1,

    /// <summary>Set on the node while it ran.</summary>
    DynamicBroker = 2,

    /// <summary>Set on all nodes while they ran.</summary>
    DynamicDefaultBroker = 3,

    /// <summary>Set when the node was started.</summary>
    StaticBroker = 4,

    /// <summary>Set nowhere.</summary>
    Default = 5,

    /// <summary>Set on the loggers of the node.</summary>
    DynamicBrokerLogger = 6,

    /// <summary>Set on the client metrics subscription.</summary>
    ClientMetrics = 7,

    /// <summary>Set on the group.</summary>
    Group = 8,
}

/// <summary>The type of a configuration value (Kafka's <c>DescribeConfigsResponse.ConfigType</c>).</summary>
public enum ConfigValueType : sbyte
{
    /// <summary>Not said.</summary>
    Unknown = 0,

    /// <summary>True or false.</summary>
    Boolean = 1,

    /// <summary>Text.</summary>
    String = 2,

    /// <summary>32 bits.</summary>
    Int = 3,

    /// <summary>16 bits.</summary>
    Short = 4,

    /// <summary>64 bits.</summary>
    Long = 5,

    /// <summary>A floating point number.</summary>
    Double = 6,

    /// <summary>A comma-separated list.</summary>
    List = 7,

    /// <summary>The name of a class.</summary>
    Class = 8,

    /// <summary>A secret, which is not shown.</summary>
    Password = 9,
}

/// <summary>What to do with a configuration key (Kafka's <c>AlterConfigOp.OpType</c>).</summary>
public enum ConfigOperation : sbyte
{
    /// <summary>Give it a value.</summary>
    Set = 0,

    /// <summary>Take its value away.</summary>
    Delete = 1,

    /// <summary>Add to a list.</summary>
    Append = 2,

    /// <summary>Take from a list.</summary>
    Subtract = 3,
}

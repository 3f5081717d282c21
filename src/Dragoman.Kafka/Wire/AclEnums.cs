namespace Dragoman.Kafka.Wire;

/// <summary>What a rule is about (Kafka's <c>ResourceType</c>).</summary>
public enum AclResourceType : sbyte
{
    /// <summary>Nothing known.</summary>
    Unknown = 0,

    /// <summary>In a filter: whatever it is.</summary>
    Any = 1,

    /// <summary>A topic.</summary>
    Topic = 2,

    /// <summary>A group.</summary>
    Group = 3,

    /// <summary>The cluster.</summary>
    Cluster = 4,

    /// <summary>A transactional id.</summary>
    TransactionalId = 5,

    /// <summary>A delegation token.</summary>
    DelegationToken = 6,

    /// <summary>A user.</summary>
    User = 7,
}

/// <summary>How a name in a rule is to be read (Kafka's <c>PatternType</c>).</summary>
public enum AclPatternType : sbyte
{
    /// <summary>Nothing known.</summary>
    Unknown = 0,

    /// <summary>In a filter: in any way.</summary>
    Any = 1,

    /// <summary>In a filter: all rules that apply to the name.</summary>
    Match = 2,

    /// <summary>As it is.</summary>
    Literal = 3,

    /// <summary>As a beginning.</summary>
    Prefixed = 4,
}

/// <summary>What a rule lets do (Kafka's <c>AclOperation</c>).</summary>
public enum AclOperation : sbyte
{
    /// <summary>Nothing known.</summary>
    Unknown = 0,

    /// <summary>In a filter: whatever it is.</summary>
    Any = 1,

    /// <summary>Everything.</summary>
    All = 2,

    /// <summary>Consume.</summary>
    Read = 3,

    /// <summary>Produce.</summary>
    Write = 4,

    /// <summary>Create.</summary>
    Create = 5,

    /// <summary>Delete.</summary>
    Delete = 6,

    /// <summary>Change.</summary>
    Alter = 7,

    /// <summary>See.</summary>
    Describe = 8,

    /// <summary>Act as a broker.</summary>
    ClusterAction = 9,

    /// <summary>See the configuration.</summary>
    DescribeConfigs = 10,

    /// <summary>Change the configuration.</summary>
    AlterConfigs = 11,

    /// <summary>Produce idempotently.</summary>
    IdempotentWrite = 12,

    /// <summary>Make tokens for others.</summary>
    CreateTokens = 13,

    /// <summary>See others' tokens.</summary>
    DescribeTokens = 14,

    /// <summary>Use two-phase commit.</summary>
    TwoPhaseCommit = 15,
}

/// <summary>Whether a rule gives or takes (Kafka's <c>AclPermissionType</c>).</summary>
public enum AclPermissionType : sbyte
{
    /// <summary>Nothing known.</summary>
    Unknown = 0,

    /// <summary>In a filter: either.</summary>
    Any = 1,

    /// <summary>It takes.</summary>
    Deny = 2,

    /// <summary>It gives.</summary>
    Allow = 3,
}

/// <summary>A SCRAM mechanism (Kafka's <c>ScramMechanism</c>).</summary>
public enum ScramMechanism : sbyte
{
    /// <summary>Nothing known.</summary>
    Unknown = 0,

    /// <summary>SCRAM-SHA-256.</summary>
    Sha256 = 1,

    /// <summary>SCRAM-SHA-512.</summary>
    Sha512 = 2,
}

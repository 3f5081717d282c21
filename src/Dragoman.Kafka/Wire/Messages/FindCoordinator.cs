namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Asks which node coordinates groups or transactions; many at once from version 4 on.</summary>
[KafkaRequest(ApiKey.FindCoordinator, "0-6", FlexibleFrom = 3)]
public sealed partial class FindCoordinatorRequest
{
    /// <summary>The group id, transactional id or share-group key.</summary>
    [Field("0-3")]
    public string Key { get; set; } = "";

    /// <summary>What the keys are.</summary>
    [Field("1+")]
    public CoordinatorType KeyType { get; set; }

    /// <summary>The group ids, transactional ids or share-group keys.</summary>
    [Field("4+")]
    public List<string> CoordinatorKeys { get; set; } = [];
}

/// <summary>Which node coordinates.</summary>
[KafkaResponse(ApiKey.FindCoordinator, "0-6", FlexibleFrom = 3)]
public sealed partial class FindCoordinatorResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("1+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
    [Field("0-3")]
    public ErrorCode ErrorCode { get; set; }

    /// <summary>What went wrong, in words; null when nothing did.</summary>
    [Field("1-3", Nullable = "1-3")]
    public string? ErrorMessage { get; set; }

    /// <summary>The node's id.</summary>
    [Field("0-3")]
    public int NodeId { get; set; }

    /// <summary>Host name or address to connect to.</summary>
    [Field("0-3")]
    public string Host { get; set; } = "";

    /// <summary>Port to connect to.</summary>
    [Field("0-3")]
    public int Port { get; set; }

    /// <summary>The coordinators, one for each key.</summary>
    [Field("4+")]
    public List<Coordinator> Coordinators { get; set; } = [];

    /// <summary>The coordinator of a key.</summary>
    public sealed partial class Coordinator
    {
        /// <summary>The group id, transactional id or share-group key.</summary>
        [Field("4+")]
        public string Key { get; set; } = "";

        /// <summary>The node's id.</summary>
        [Field("4+")]
        public int NodeId { get; set; }

        /// <summary>Host name or address to connect to.</summary>
        [Field("4+")]
        public string Host { get; set; } = "";

        /// <summary>Port to connect to.</summary>
        [Field("4+")]
        public int Port { get; set; }

        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("4+")]
        public ErrorCode ErrorCode { get; set; }

        /// <summary>What went wrong, in words; null when nothing did.</summary>
        [Field("4+", Nullable = "4+")]
        public string? ErrorMessage { get; set; }
    }
}

namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Asks for the cluster's nodes.</summary>
[KafkaRequest(ApiKey.DescribeCluster, "0-2", FlexibleFrom = 0)]
public sealed partial class DescribeClusterRequest
{
    /// <summary>Whether to answer what the client may do to the cluster.</summary>
    [Field("0+")]
    public bool IncludeClusterAuthorizedOperations { get; set; }

    /// <summary>Whose addresses: 1 the brokers', 2 the controllers'.</summary>
    [Field("1+")]
    public sbyte EndpointType { get; set; } = 1;

    /// <summary>Whether to name nodes that are fenced.</summary>
    [Field("2+")]
    public bool IncludeFencedBrokers { get; set; }
}

/// <summary>The cluster's nodes.</summary>
[KafkaResponse(ApiKey.DescribeCluster, "0-2", FlexibleFrom = 0)]
public sealed partial class DescribeClusterResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("0+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
    [Field("0+")]
    public ErrorCode ErrorCode { get; set; }

    /// <summary>What went wrong, in words; null when nothing did.</summary>
    [Field("0+", Nullable = "0+")]
    public string? ErrorMessage { get; set; }

    /// <summary>Whose addresses: 1 the brokers', 2 the controllers'.</summary>
    [Field("1+")]
    public sbyte EndpointType { get; set; } = 1;

    /// <summary>The cluster's id; null when unknown.</summary>
    [Field("0+")]
    public string ClusterId { get; set; } = "";

    /// <summary>The controller's node id; -1 when there is none.</summary>
    [Field("0+")]
    public int ControllerId { get; set; } = -1;

    /// <summary>The nodes of the cluster.</summary>
    [Field("0+")]
    public List<DescribeClusterBroker> Brokers { get; set; } = [];

    /// <summary>Bits of what the client may do to the cluster; the lowest number when not asked.</summary>
    [Field("0+")]
    public int ClusterAuthorizedOperations { get; set; } = int.MinValue;

    /// <summary>A node of the cluster.</summary>
    public sealed partial class DescribeClusterBroker
    {
        /// <summary>The node's id.</summary>
        [Field("0+")]
        public int BrokerId { get; set; }

        /// <summary>Host name or address to connect to.</summary>
        [Field("0+")]
        public string Host { get; set; } = "";

        /// <summary>Port to connect to.</summary>
        [Field("0+")]
        public int Port { get; set; }

        /// <summary>The rack that the node is in; null when it is in none.</summary>
        [Field("0+", Nullable = "0+")]
        public string? Rack { get; set; }

        /// <summary>Whether the node is fenced.</summary>
        [Field("2+")]
        public bool IsFenced { get; set; }
    }
}

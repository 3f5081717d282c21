namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Asks for elections of leaders.</summary>
[KafkaRequest(ApiKey.ElectLeaders, "0-2", FlexibleFrom = 2)]
public sealed partial class ElectLeadersRequest
{
    /// <summary>0 elects the preferred replica, 1 any that is there.</summary>
    [Field("1+")]
    public sbyte ElectionType { get; set; }

    /// <summary>Which partitions; null for all.</summary>
    [Field("0+", Nullable = "0+")]
    public List<ElectableTopic>? TopicPartitions { get; set; }

    /// <summary>Milliseconds to wait for the work to be done before answering that it was not.</summary>
    [Field("0+")]
    public int TimeoutMs { get; set; } = 60000;

    /// <summary>Partitions of a topic.</summary>
    public sealed partial class ElectableTopic
    {
        /// <summary>The topic's name.</summary>
        [Field("0+")]
        public string Topic { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<int> Partitions { get; set; } = [];
    }
}

/// <summary>How the elections went.</summary>
[KafkaResponse(ApiKey.ElectLeaders, "0-2", FlexibleFrom = 2)]
public sealed partial class ElectLeadersResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("0+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
    [Field("1+")]
    public ErrorCode ErrorCode { get; set; }

    /// <summary>How they went.</summary>
    [Field("0+")]
    public List<ReplicaElectionResult> ReplicaElectionResults { get; set; } = [];

    /// <summary>How the elections in a topic went.</summary>
    public sealed partial class ReplicaElectionResult
    {
        /// <summary>The topic's name.</summary>
        [Field("0+")]
        public string Topic { get; set; } = "";

        /// <summary>How it went in each partition.</summary>
        [Field("0+")]
        public List<PartitionResult> PartitionResult { get; set; } = [];
    }

    /// <summary>How the election in a partition went.</summary>
    public sealed partial class PartitionResult
    {
        /// <summary>The partition.</summary>
        [Field("0+")]
        public int PartitionId { get; set; }

        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0+")]
        public ErrorCode ErrorCode { get; set; }

        /// <summary>What went wrong, in words; null when nothing did.</summary>
        [Field("0+", Nullable = "0+")]
        public string? ErrorMessage { get; set; }
    }
}

namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Asks for the offsets that groups committed; null topics are all. Many groups at once from version 8 on.</summary>
[KafkaRequest(ApiKey.OffsetFetch, "1-9", FlexibleFrom = 6)]
public sealed partial class OffsetFetchRequest
{
    /// <summary>The group.</summary>
    [Field("0-7")]
    public string GroupId { get; set; } = "";

    /// <summary>The topics.</summary>
    [Field("0-7", Nullable = "2-7")]
    public List<OffsetFetchRequestTopic>? Topics { get; set; }

    /// <summary>The groups.</summary>
    [Field("8+")]
    public List<OffsetFetchRequestGroup> Groups { get; set; } = [];

    /// <summary>Whether offsets of open transactions are to be answered with an error.</summary>
    [Field("7+")]
    public bool RequireStable { get; set; }

    /// <summary>Which offsets of a topic are wanted.</summary>
    public sealed partial class OffsetFetchRequestTopic
    {
        /// <summary>The name.</summary>
        [Field("0-7")]
        public string Name { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0-7")]
        public List<int> PartitionIndexes { get; set; } = [];
    }

    /// <summary>Which offsets of a group are wanted.</summary>
    public sealed partial class OffsetFetchRequestGroup
    {
        /// <summary>The group.</summary>
        [Field("8+")]
        public string GroupId { get; set; } = "";

        /// <summary>The member's id; empty when it has none yet.</summary>
        [Field("9+", Nullable = "9+")]
        public string? MemberId { get; set; }

        /// <summary>The member epoch; -1 under the classic protocol.</summary>
        [Field("9+")]
        public int MemberEpoch { get; set; } = -1;

        /// <summary>The topics.</summary>
        [Field("8+", Nullable = "8+")]
        public List<OffsetFetchRequestTopics>? Topics { get; set; }
    }

    /// <summary>Which offsets of a topic are wanted.</summary>
    public sealed partial class OffsetFetchRequestTopics
    {
        /// <summary>The name.</summary>
        [Field("8+")]
        public string Name { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("8+")]
        public List<int> PartitionIndexes { get; set; } = [];
    }
}

/// <summary>The offsets that groups committed.</summary>
[KafkaResponse(ApiKey.OffsetFetch, "1-9", FlexibleFrom = 6)]
public sealed partial class OffsetFetchResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("3+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>The topics.</summary>
    [Field("0-7")]
    public List<OffsetFetchResponseTopic> Topics { get; set; } = [];

    /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
    [Field("2-7")]
    public ErrorCode ErrorCode { get; set; }

    /// <summary>The groups.</summary>
    [Field("8+")]
    public List<OffsetFetchResponseGroup> Groups { get; set; } = [];

    /// <summary>The offsets of a topic.</summary>
    public sealed partial class OffsetFetchResponseTopic
    {
        /// <summary>The name.</summary>
        [Field("0-7")]
        public string Name { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0-7")]
        public List<OffsetFetchResponsePartition> Partitions { get; set; } = [];
    }

    /// <summary>The offsets of a group.</summary>
    public sealed partial class OffsetFetchResponseGroup
    {
        /// <summary>The group.</summary>
        [Field("8+")]
        public string GroupId { get; set; } = "";

        /// <summary>The topics.</summary>
        [Field("8+")]
        public List<OffsetFetchResponseTopics> Topics { get; set; } = [];

        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("8+")]
        public ErrorCode ErrorCode { get; set; }
    }

    /// <summary>The offset of a partition.</summary>
    public sealed partial class OffsetFetchResponsePartition
    {
        /// <summary>The partition.</summary>
        [Field("0-7")]
        public int PartitionIndex { get; set; }

        /// <summary>The offset of the next record to read; -1 when nothing is committed.</summary>
        [Field("0-7")]
        public long CommittedOffset { get; set; }

        /// <summary>The leader epoch of the last record read; -1 when unknown.</summary>
        [Field("5-7")]
        public int CommittedLeaderEpoch { get; set; } = -1;

        /// <summary>Whatever the client kept beside the offset.</summary>
        [Field("0-7", Nullable = "0-7")]
        public string? Metadata { get; set; }

        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0-7")]
        public ErrorCode ErrorCode { get; set; }
    }

    /// <summary>The offsets of a topic.</summary>
    public sealed partial class OffsetFetchResponseTopics
    {
        /// <summary>The name.</summary>
        [Field("8+")]
        public string Name { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("8+")]
        public List<OffsetFetchResponsePartitions> Partitions { get; set; } = [];
    }

    /// <summary>The offset of a partition.</summary>
    public sealed partial class OffsetFetchResponsePartitions
    {
        /// <summary>The partition.</summary>
        [Field("8+")]
        public int PartitionIndex { get; set; }

        /// <summary>The offset of the next record to read; -1 when nothing is committed.</summary>
        [Field("8+")]
        public long CommittedOffset { get; set; }

        /// <summary>The leader epoch of the last record read; -1 when unknown.</summary>
        [Field("8+")]
        public int CommittedLeaderEpoch { get; set; } = -1;

        /// <summary>Whatever the client kept beside the offset.</summary>
        [Field("8+", Nullable = "8+")]
        public string? Metadata { get; set; }

        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("8+")]
        public ErrorCode ErrorCode { get; set; }
    }
}

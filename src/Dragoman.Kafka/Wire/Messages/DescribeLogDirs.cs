namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Asks how much lies in the data directories.</summary>
[KafkaRequest(ApiKey.DescribeLogDirs, "1-4", FlexibleFrom = 2)]
public sealed partial class DescribeLogDirsRequest
{
    /// <summary>Which topics; null for all.</summary>
    [Field("0+", Nullable = "0+")]
    public List<DescribableLogDirTopic>? Topics { get; set; }

    /// <summary>A topic of interest.</summary>
    public sealed partial class DescribableLogDirTopic
    {
        /// <summary>The topic's name.</summary>
        [Field("0+")]
        public string Topic { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<int> Partitions { get; set; } = [];
    }
}

/// <summary>What lies in the data directories.</summary>
[KafkaResponse(ApiKey.DescribeLogDirs, "1-4", FlexibleFrom = 2)]
public sealed partial class DescribeLogDirsResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("0+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
    [Field("3+")]
    public ErrorCode ErrorCode { get; set; }

    /// <summary>The answers.</summary>
    [Field("0+")]
    public List<DescribeLogDirsResult> Results { get; set; } = [];

    /// <summary>A data directory.</summary>
    public sealed partial class DescribeLogDirsResult
    {
        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0+")]
        public ErrorCode ErrorCode { get; set; }

        /// <summary>The directory's path.</summary>
        [Field("0+")]
        public string LogDir { get; set; } = "";

        /// <summary>The topics.</summary>
        [Field("0+")]
        public List<DescribeLogDirsTopic> Topics { get; set; } = [];

        /// <summary>Bytes of the volume; -1 when unknown.</summary>
        [Field("4+")]
        public long TotalBytes { get; set; } = -1;

        /// <summary>Bytes of the volume that are free; -1 when unknown.</summary>
        [Field("4+")]
        public long UsableBytes { get; set; } = -1;
    }

    /// <summary>A topic in it.</summary>
    public sealed partial class DescribeLogDirsTopic
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<DescribeLogDirsPartition> Partitions { get; set; } = [];
    }

    /// <summary>A partition in it.</summary>
    public sealed partial class DescribeLogDirsPartition
    {
        /// <summary>The partition.</summary>
        [Field("0+")]
        public int PartitionIndex { get; set; }

        /// <summary>How many bytes it holds.</summary>
        [Field("0+")]
        public long PartitionSize { get; set; }

        /// <summary>How many offsets it is behind.</summary>
        [Field("0+")]
        public long OffsetLag { get; set; }

        /// <summary>Whether it is a copy that shall replace the partition once it has caught up.</summary>
        [Field("0+")]
        public bool IsFutureKey { get; set; }
    }
}

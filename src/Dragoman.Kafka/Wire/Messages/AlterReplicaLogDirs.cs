namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Moves partitions to other data directories of the node.</summary>
[KafkaRequest(ApiKey.AlterReplicaLogDirs, "1-2", FlexibleFrom = 2)]
public sealed partial class AlterReplicaLogDirsRequest
{
    /// <summary>The directories.</summary>
    [Field("0+")]
    public List<AlterReplicaLogDir> Dirs { get; set; } = [];

    /// <summary>A directory to move to.</summary>
    public sealed partial class AlterReplicaLogDir
    {
        /// <summary>The directory's path.</summary>
        [Field("0+")]
        public string Path { get; set; } = "";

        /// <summary>The topics.</summary>
        [Field("0+")]
        public List<AlterReplicaLogDirTopic> Topics { get; set; } = [];
    }

    /// <summary>A topic to move.</summary>
    public sealed partial class AlterReplicaLogDirTopic
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<int> Partitions { get; set; } = [];
    }
}

/// <summary>Which partitions are moved.</summary>
[KafkaResponse(ApiKey.AlterReplicaLogDirs, "1-2", FlexibleFrom = 2)]
public sealed partial class AlterReplicaLogDirsResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("0+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>The answers.</summary>
    [Field("0+")]
    public List<AlterReplicaLogDirTopicResult> Results { get; set; } = [];

    /// <summary>The answer for a topic.</summary>
    public sealed partial class AlterReplicaLogDirTopicResult
    {
        /// <summary>The topic's name.</summary>
        [Field("0+")]
        public string TopicName { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<AlterReplicaLogDirPartitionResult> Partitions { get; set; } = [];
    }

    /// <summary>The answer for a partition.</summary>
    public sealed partial class AlterReplicaLogDirPartitionResult
    {
        /// <summary>The partition.</summary>
        [Field("0+")]
        public int PartitionIndex { get; set; }

        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0+")]
        public ErrorCode ErrorCode { get; set; }
    }
}

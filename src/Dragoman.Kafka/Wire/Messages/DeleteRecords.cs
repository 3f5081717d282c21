namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Deletes the records before an offset; -1 is the high watermark.</summary>
[KafkaRequest(ApiKey.DeleteRecords, "0-2", FlexibleFrom = 2)]
public sealed partial class DeleteRecordsRequest
{
    /// <summary>The topics.</summary>
    [Field("0+")]
    public List<DeleteRecordsTopic> Topics { get; set; } = [];

    /// <summary>Milliseconds to wait for the work to be done before answering that it was not.</summary>
    [Field("0+")]
    public int TimeoutMs { get; set; }

    /// <summary>What to delete of a topic.</summary>
    public sealed partial class DeleteRecordsTopic
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<DeleteRecordsPartition> Partitions { get; set; } = [];
    }

    /// <summary>What to delete of a partition: everything before the offset.</summary>
    public sealed partial class DeleteRecordsPartition
    {
        /// <summary>The partition.</summary>
        [Field("0+")]
        public int PartitionIndex { get; set; }

        /// <summary>The offset; -1 when there is none.</summary>
        [Field("0+")]
        public long Offset { get; set; }
    }
}

/// <summary>What is left.</summary>
[KafkaResponse(ApiKey.DeleteRecords, "0-2", FlexibleFrom = 2)]
public sealed partial class DeleteRecordsResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("0+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>The topics.</summary>
    [Field("0+")]
    public List<DeleteRecordsTopicResult> Topics { get; set; } = [];

    /// <summary>The answer for a topic.</summary>
    public sealed partial class DeleteRecordsTopicResult
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<DeleteRecordsPartitionResult> Partitions { get; set; } = [];
    }

    /// <summary>The answer for a partition.</summary>
    public sealed partial class DeleteRecordsPartitionResult
    {
        /// <summary>The partition.</summary>
        [Field("0+")]
        public int PartitionIndex { get; set; }

        /// <summary>The first offset that is left; -1 on an error.</summary>
        [Field("0+")]
        public long LowWatermark { get; set; }

        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0+")]
        public ErrorCode ErrorCode { get; set; }
    }
}

namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Writes markers that end transactions; between brokers, and for operators who abort one that hangs.</summary>
[KafkaRequest(ApiKey.WriteTxnMarkers, "0-1", FlexibleFrom = 1)]
public sealed partial class WriteTxnMarkersRequest
{
    /// <summary>The markers.</summary>
    [Field("0+")]
    public List<WritableTxnMarker> Markers { get; set; } = [];

    /// <summary>A marker, and where to write it.</summary>
    public sealed partial class WritableTxnMarker
    {
        /// <summary>The producer's id.</summary>
        [Field("0+")]
        public long ProducerId { get; set; }

        /// <summary>The producer's epoch.</summary>
        [Field("0+")]
        public short ProducerEpoch { get; set; }

        /// <summary>Whether the transaction is committed, and not aborted.</summary>
        [Field("0+")]
        public bool TransactionResult { get; set; }

        /// <summary>The topics.</summary>
        [Field("0+")]
        public List<WritableTxnMarkerTopic> Topics { get; set; } = [];

        /// <summary>The epoch of the coordinator that sends the marker.</summary>
        [Field("0+")]
        public int CoordinatorEpoch { get; set; }
    }

    /// <summary>The partitions of a topic.</summary>
    public sealed partial class WritableTxnMarkerTopic
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<int> PartitionIndexes { get; set; } = [];
    }
}

/// <summary>Says which markers were written.</summary>
[KafkaResponse(ApiKey.WriteTxnMarkers, "0-1", FlexibleFrom = 1)]
public sealed partial class WriteTxnMarkersResponse
{
    /// <summary>The answers, by marker.</summary>
    [Field("0+")]
    public List<WritableTxnMarkerResult> Markers { get; set; } = [];

    /// <summary>The answer for a marker.</summary>
    public sealed partial class WritableTxnMarkerResult
    {
        /// <summary>The producer's id.</summary>
        [Field("0+")]
        public long ProducerId { get; set; }

        /// <summary>The topics.</summary>
        [Field("0+")]
        public List<WritableTxnMarkerTopicResult> Topics { get; set; } = [];
    }

    /// <summary>The answer for a topic.</summary>
    public sealed partial class WritableTxnMarkerTopicResult
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<WritableTxnMarkerPartitionResult> Partitions { get; set; } = [];
    }

    /// <summary>The answer for a partition.</summary>
    public sealed partial class WritableTxnMarkerPartitionResult
    {
        /// <summary>The partition.</summary>
        [Field("0+")]
        public int PartitionIndex { get; set; }

        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0+")]
        public ErrorCode ErrorCode { get; set; }
    }
}

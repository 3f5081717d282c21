namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Deletes topics.</summary>
[KafkaRequest(ApiKey.DeleteTopics, "1-6", FlexibleFrom = 4)]
public sealed partial class DeleteTopicsRequest
{
    /// <summary>The topics.</summary>
    [Field("6+")]
    public List<DeleteTopicState> Topics { get; set; } = [];

    /// <summary>The topics, by name.</summary>
    [Field("0-5")]
    public List<string> TopicNames { get; set; } = [];

    /// <summary>Milliseconds to wait for the work to be done before answering that it was not.</summary>
    [Field("0+")]
    public int TimeoutMs { get; set; }

    /// <summary>A topic to delete, by name or by id.</summary>
    public sealed partial class DeleteTopicState
    {
        /// <summary>The name.</summary>
        [Field("6+", Nullable = "6+")]
        public string? Name { get; set; }

        /// <summary>The topic's id; all zeros when the topic goes by its name.</summary>
        [Field("6+")]
        public Guid TopicId { get; set; }
    }
}

/// <summary>Says which topics were deleted.</summary>
[KafkaResponse(ApiKey.DeleteTopics, "1-6", FlexibleFrom = 4)]
public sealed partial class DeleteTopicsResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("1+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>The answer, by topic.</summary>
    [Field("0+")]
    public List<DeletableTopicResult> Responses { get; set; } = [];

    /// <summary>The answer for a topic.</summary>
    public sealed partial class DeletableTopicResult
    {
        /// <summary>The name.</summary>
        [Field("0+", Nullable = "6+")]
        public string? Name { get; set; } = "";

        /// <summary>The topic's id; all zeros when the topic goes by its name.</summary>
        [Field("6+")]
        public Guid TopicId { get; set; }

        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0+")]
        public ErrorCode ErrorCode { get; set; }

        /// <summary>What went wrong, in words; null when nothing did.</summary>
        [Field("5+", Nullable = "5+")]
        public string? ErrorMessage { get; set; }
    }
}

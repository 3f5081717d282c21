namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Asks for quotas.</summary>
[KafkaRequest(ApiKey.DescribeClientQuotas, "0-1", FlexibleFrom = 1)]
public sealed partial class DescribeClientQuotasRequest
{
    /// <summary>Conditions, all of which an entity must meet.</summary>
    [Field("0+")]
    public List<ComponentData> Components { get; set; } = [];

    /// <summary>Whether entities that have other parts do not match.</summary>
    [Field("0+")]
    public bool Strict { get; set; }

    /// <summary>A condition on one part of an entity.</summary>
    public sealed partial class ComponentData
    {
        /// <summary>Which part: <c>user</c>, <c>client-id</c> or <c>ip</c>.</summary>
        [Field("0+")]
        public string EntityType { get; set; } = "";

        /// <summary>0 the name given, 1 the default, 2 any that is set.</summary>
        [Field("0+")]
        public sbyte MatchType { get; set; }

        /// <summary>The name to match; null where none is needed.</summary>
        [Field("0+", Nullable = "0+")]
        public string? Match { get; set; }
    }
}

/// <summary>Quotas.</summary>
[KafkaResponse(ApiKey.DescribeClientQuotas, "0-1", FlexibleFrom = 1)]
public sealed partial class DescribeClientQuotasResponse
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

    /// <summary>The entities.</summary>
    [Field("0+", Nullable = "0+")]
    public List<EntryData>? Entries { get; set; }

    /// <summary>An entity and its quotas.</summary>
    public sealed partial class EntryData
    {
        /// <summary>Which entity: its parts.</summary>
        [Field("0+")]
        public List<EntityData> Entity { get; set; } = [];

        /// <summary>Its quotas.</summary>
        [Field("0+")]
        public List<ValueData> Values { get; set; } = [];
    }

    /// <summary>A part of an entity.</summary>
    public sealed partial class EntityData
    {
        /// <summary>Which part: <c>user</c>, <c>client-id</c> or <c>ip</c>.</summary>
        [Field("0+")]
        public string EntityType { get; set; } = "";

        /// <summary>Its name; null for the default.</summary>
        [Field("0+", Nullable = "0+")]
        public string? EntityName { get; set; }
    }

    /// <summary>A quota.</summary>
    public sealed partial class ValueData
    {
        /// <summary>The quota's name.</summary>
        [Field("0+")]
        public string Key { get; set; } = "";

        /// <summary>Its value.</summary>
        [Field("0+")]
        public double Value { get; set; }
    }
}

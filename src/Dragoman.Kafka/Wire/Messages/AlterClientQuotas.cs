namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Sets and removes quotas.</summary>
[KafkaRequest(ApiKey.AlterClientQuotas, "0-1", FlexibleFrom = 1)]
public sealed partial class AlterClientQuotasRequest
{
    /// <summary>The entities.</summary>
    [Field("0+")]
    public List<EntryData> Entries { get; set; } = [];

    /// <summary>Whether only to check, and change nothing.</summary>
    [Field("0+")]
    public bool ValidateOnly { get; set; }

    /// <summary>An entity and its quotas.</summary>
    public sealed partial class EntryData
    {
        /// <summary>Which entity: its parts.</summary>
        [Field("0+")]
        public List<EntityData> Entity { get; set; } = [];

        /// <summary>The changes.</summary>
        [Field("0+")]
        public List<OpData> Ops { get; set; } = [];
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

    /// <summary>A change of one quota.</summary>
    public sealed partial class OpData
    {
        /// <summary>The quota's name.</summary>
        [Field("0+")]
        public string Key { get; set; } = "";

        /// <summary>Its value.</summary>
        [Field("0+")]
        public double Value { get; set; }

        /// <summary>Whether to remove it instead.</summary>
        [Field("0+")]
        public bool Remove { get; set; }
    }
}

/// <summary>Which quotas were changed.</summary>
[KafkaResponse(ApiKey.AlterClientQuotas, "0-1", FlexibleFrom = 1)]
public sealed partial class AlterClientQuotasResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("0+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>The entities.</summary>
    [Field("0+")]
    public List<EntryData> Entries { get; set; } = [];

    /// <summary>An entity and its quotas.</summary>
    public sealed partial class EntryData
    {
        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0+")]
        public ErrorCode ErrorCode { get; set; }

        /// <summary>What went wrong, in words; null when nothing did.</summary>
        [Field("0+", Nullable = "0+")]
        public string? ErrorMessage { get; set; }

        /// <summary>Which entity: its parts.</summary>
        [Field("0+")]
        public List<EntityData> Entity { get; set; } = [];
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
}

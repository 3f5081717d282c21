using System.Collections.Immutable;
using System.Globalization;
using Dragoman.Broker.Topics;
using Dragoman.Kafka.Wire;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Records;

namespace Dragoman.Kafka.Configs;

/// <summary>
/// The configurations of topics. Those that mean something to this broker become <see cref="TopicSettings"/>; the others
/// that Kafka knows are checked, kept and given back, and change nothing.
/// </summary>
/// <remarks>Names, types and defaults as in Kafka's documentation, "Topic Configs", of version 4.</remarks>
internal static class TopicConfigs
{
    public const string CleanupPolicy = "cleanup.policy";
    public const string CommitModeName = "dragoman.commit.mode";
    public const string DeleteRetentionMs = "delete.retention.ms";
    public const string MaxCompactionLagMs = "max.compaction.lag.ms";
    public const string MaxMessageBytes = "max.message.bytes";
    public const string MessageTimestampAfterMaxMs = "message.timestamp.after.max.ms";
    public const string MessageTimestampBeforeMaxMs = "message.timestamp.before.max.ms";
    public const string MessageTimestampType = "message.timestamp.type";
    public const string MinCleanableDirtyRatio = "min.cleanable.dirty.ratio";
    public const string MinCompactionLagMs = "min.compaction.lag.ms";
    public const string RetentionBytes = "retention.bytes";
    public const string RetentionMs = "retention.ms";
    public const string SegmentBytes = "segment.bytes";
    public const string SegmentMs = "segment.ms";

    private const string Kept = "Kept and given back; it changes nothing here.";
    private const string MaxLong = "9223372036854775807";

    /// <summary>All of them, by name.</summary>
    public static ImmutableSortedDictionary<string, TopicConfig> All { get; } = ImmutableSortedDictionary.CreateRange(
        StringComparer.Ordinal, new TopicConfig[]
        {
            new(CleanupPolicy, ConfigValueType.List, "delete", "Whether old messages go (delete), or the newest of each key stays (compact).") { Words = ["delete", "compact"] },
            new("compression.gzip.level", ConfigValueType.Int, "-1", Kept),
            new("compression.lz4.level", ConfigValueType.Int, "9", Kept) { Min = 1, Max = 17 },
            new("compression.type", ConfigValueType.String, "producer", "Batches keep the compression that the producer chose, whatever this says.") { Words = ["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"] },
            new("compression.zstd.level", ConfigValueType.Int, "3", Kept) { Min = -131072, Max = 22 },
            new(DeleteRetentionMs, ConfigValueType.Long, "86400000", "How long a tombstone stays in a compacted topic after it was first compacted.") { Min = 0 },
            new(CommitModeName, ConfigValueType.String, "fsync", "What an acknowledgement means: on disk, handed to the operating system, or in memory only. Memory cannot be changed to and from.") { Words = ["fsync", "written", "memory"] },
            new("file.delete.delay.ms", ConfigValueType.Long, "60000", Kept) { Min = 0 },
            new("flush.messages", ConfigValueType.Long, MaxLong, Kept) { Min = 1 },
            new("flush.ms", ConfigValueType.Long, MaxLong, Kept) { Min = 0 },
            new("follower.replication.throttled.replicas", ConfigValueType.List, "", Kept),
            new("index.interval.bytes", ConfigValueType.Int, "4096", Kept) { Min = 0 },
            new("leader.replication.throttled.replicas", ConfigValueType.List, "", Kept),
            new("local.retention.bytes", ConfigValueType.Long, "-2", Kept) { Min = -2 },
            new("local.retention.ms", ConfigValueType.Long, "-2", Kept) { Min = -2 },
            new(MaxCompactionLagMs, ConfigValueType.Long, MaxLong, "A record that is older than this has a compacted topic compacted, whatever the dirty ratio.") { Min = 1 },
            new(MaxMessageBytes, ConfigValueType.Int, "1048588", "The largest record batch taken, in bytes as it arrives.") { Min = 0 },
            new("message.downconversion.enable", ConfigValueType.Boolean, "true", Kept),
            new("message.format.version", ConfigValueType.String, "3.0-IV1", Kept),
            new(MessageTimestampAfterMaxMs, ConfigValueType.Long, MaxLong, "How far a producer's timestamp may lie ahead of the broker's clock. No limit unless set, as before Kafka 4.") { Min = 0 },
            new(MessageTimestampBeforeMaxMs, ConfigValueType.Long, MaxLong, "How far a producer's timestamp may lie behind the broker's clock.") { Min = 0 },
            new("message.timestamp.difference.max.ms", ConfigValueType.Long, MaxLong, Kept) { Min = 0 },
            new(MessageTimestampType, ConfigValueType.String, "CreateTime", "Who sets timestamps: the producer, or the broker on arrival.") { Words = ["CreateTime", "LogAppendTime"] },
            new(MinCleanableDirtyRatio, ConfigValueType.Double, "0.5", "A compacted topic is compacted when more than this part of it was not compacted before.") { Min = 0, Max = 1 },
            new(MinCompactionLagMs, ConfigValueType.Long, "0", "Records that are younger than this are not compacted.") { Min = 0 },
            new("min.insync.replicas", ConfigValueType.Int, "1", "Kept and given back: there is one replica, and dragoman.commit.mode says what its acknowledgement means.") { Min = 1 },
            new("preallocate", ConfigValueType.Boolean, "false", Kept),
            new("remote.log.copy.disable", ConfigValueType.Boolean, "false", Kept),
            new("remote.log.delete.on.disable", ConfigValueType.Boolean, "false", Kept),
            new("remote.storage.enable", ConfigValueType.Boolean, "false", Kept),
            new(RetentionBytes, ConfigValueType.Long, "-1", "Bytes that each partition keeps at least when old messages go; -1 for no limit."),
            new(RetentionMs, ConfigValueType.Long, "604800000", "Messages older than this go; -1 keeps them.") { Min = -1 },
            new(SegmentBytes, ConfigValueType.Int, "1073741824", "So many bytes of a compacted topic in the journal are moved to where they can be compacted. Segments have sizes of their own.") { Min = 14 },
            new("segment.index.bytes", ConfigValueType.Int, "10485760", Kept) { Min = 4 },
            new("segment.jitter.ms", ConfigValueType.Long, "0", Kept) { Min = 0 },
            new(SegmentMs, ConfigValueType.Long, "604800000", "Records of a compacted topic that are older than this are moved out of the journal, to where they can be compacted. Retention does not wait for it.") { Min = 1 },
            new("unclean.leader.election.enable", ConfigValueType.Boolean, "false", Kept),
        }.Select(config => KeyValuePair.Create(config.Name, config)));

    /// <summary>Finds a configuration.</summary>
    /// <exception cref="KafkaRequestException">Neither Kafka nor this broker knows it.</exception>
    public static TopicConfig Find(string name) =>
        All.TryGetValue(name, out var config) ? config : throw new KafkaRequestException(ErrorCode.InvalidConfig, $"Unknown topic config name: {name}");

    /// <summary>A topic's value of a configuration, set or default.</summary>
    public static string ValueOf(TopicConfig config, TopicSettings settings, TopicSettings defaults) => config.Name switch
    {
        // What was asked for; a topic that is compacted only keeps its retention for when it is not.
        CleanupPolicy => Policy(settings),
        RetentionMs or RetentionBytes when !IsAlsoDeleted(settings) =>
            settings.Attributes.GetValueOrDefault(config.Name) ?? Text(config.Name == RetentionMs ? defaults.RetentionMs : defaults.RetentionBytes),
        RetentionMs => Text(settings.RetentionMs),
        RetentionBytes => Text(settings.RetentionBytes),
        MaxMessageBytes => Text(settings.MaxMessageBytes),
        MessageTimestampType => settings.TimestampType.ToString(),
        CommitModeName => TextOf(settings.CommitMode),
        DeleteRetentionMs => Text(settings.Compaction.TombstoneRetentionMs),
        MaxCompactionLagMs => Text(settings.Compaction.MaxLagMs),
        MinCompactionLagMs => Text(settings.Compaction.MinLagMs),
        MinCleanableDirtyRatio => settings.Compaction.MinDirtyRatio.ToString("R", CultureInfo.InvariantCulture),
        SegmentBytes => Text(settings.Compaction.SealAfterBytes),
        SegmentMs => Text(settings.Compaction.SealAfterMs),
        MessageTimestampAfterMaxMs => Text(settings.MaxTimestampAheadMs),
        MessageTimestampBeforeMaxMs => Text(settings.MaxTimestampBehindMs),
        _ => settings.Attributes.GetValueOrDefault(config.Name) ?? config.Default,
    };

    /// <summary>Whether a topic has a value of its own, rather than the broker's.</summary>
    public static bool IsSet(TopicConfig config, TopicSettings settings, TopicSettings defaults) =>
        settings.Attributes.ContainsKey(config.Name) || ValueOf(config, settings, defaults) != ValueOf(config, defaults, defaults);

    /// <summary>What a node calls a topic's configuration where no topic is meant; null where it has no such.</summary>
    /// <remarks>As in Kafka's documentation, "Server Default Property".</remarks>
    public static string? NodeNameOf(TopicConfig config) => config.Name switch
    {
        MaxMessageBytes => "message.max.bytes",
        SegmentMs => "log.roll.ms",
        "segment.jitter.ms" => "log.roll.jitter.ms",
        "segment.index.bytes" => "log.index.size.max.bytes",
        "flush.messages" => "log.flush.interval.messages",
        "flush.ms" => "log.flush.interval.ms",
        "file.delete.delay.ms" => "log.segment.delete.delay.ms",
        MinCleanableDirtyRatio => "log.cleaner.min.cleanable.ratio",
        DeleteRetentionMs or MinCompactionLagMs or MaxCompactionLagMs => "log.cleaner." + config.Name,
        "compression.type" or "compression.gzip.level" or "compression.lz4.level" or "compression.zstd.level" or "min.insync.replicas" or "unclean.leader.election.enable" => config.Name,
        CommitModeName or "follower.replication.throttled.replicas" or "leader.replication.throttled.replicas"
            or "remote.log.copy.disable" or "remote.log.delete.on.disable" or "remote.storage.enable" => null,
        _ => "log." + config.Name,
    };

    /// <summary>A topic's settings with some configurations changed, and the others left alone or taken away.</summary>
    /// <exception cref="KafkaRequestException">A name or value is not allowed.</exception>
    public static TopicSettings Change(TopicSettings settings, TopicSettings defaults, IReadOnlyList<ConfigChange> changes, bool replaceAll)
    {
        var values = new Dictionary<string, string?>(StringComparer.Ordinal);
        if (replaceAll)
        {
            // The commit mode of a topic in memory is what it is made of, and no client of Kafka's knows to repeat it.
            foreach (var config in All.Values)
                if (config.Name != CommitModeName && IsSet(config, settings, defaults)) values[config.Name] = null;
        }
        foreach (var change in changes) values[change.Name] = change.Apply(Find(change.Name), ValueOf(Find(change.Name), settings, defaults));
        return Change(settings, defaults, values);
    }

    /// <summary>A topic's settings with configurations set, or taken away where the value is null.</summary>
    /// <exception cref="KafkaRequestException">A name or value is not allowed.</exception>
    public static TopicSettings Change(TopicSettings settings, TopicSettings defaults, IEnumerable<KeyValuePair<string, string?>> changes)
    {
        var attributes = settings.Attributes.ToBuilder();
        foreach (var (name, value) in changes)
        {
            var config = Find(name);
            if (value is null)
            {
                attributes.Remove(name);
                settings = Apply(settings, config, ValueOf(config, defaults, defaults));
                continue;
            }
            config.Check(value);
            attributes[name] = value;
            settings = Apply(settings, config, value);
        }
        settings = settings with { Attributes = attributes.ToImmutable() };
        if (settings.Compaction.MinLagMs > settings.Compaction.MaxLagMs)
            throw new KafkaRequestException(ErrorCode.InvalidConfig, $"{MinCompactionLagMs} ({settings.Compaction.MinLagMs}) is larger than {MaxCompactionLagMs} ({settings.Compaction.MaxLagMs}).");
        // In Kafka, what is not deleted has no retention.
        if (!IsAlsoDeleted(settings)) return settings with { RetentionMs = -1, RetentionBytes = -1 };
        return settings with
        {
            RetentionMs = Restored(RetentionMs, settings.RetentionMs, defaults.RetentionMs),
            RetentionBytes = Restored(RetentionBytes, settings.RetentionBytes, defaults.RetentionBytes),
        };

        long Restored(string name, long now, long standard) =>
            attributes.TryGetValue(name, out var set) ? Number(set) : changes.Any(c => c.Key == CleanupPolicy) ? standard : now;
    }

    private static TopicSettings Apply(TopicSettings settings, TopicConfig config, string value) => config.Name switch
    {
        CleanupPolicy => settings with { Compacted = TopicConfig.SplitList(value).Contains("compact") },
        RetentionMs => settings with { RetentionMs = Number(value) },
        RetentionBytes => settings with { RetentionBytes = Number(value) },
        MaxMessageBytes => settings with { MaxMessageBytes = (int)Number(value) },
        MessageTimestampType => settings with { TimestampType = Enum.Parse<TimestampType>(value) },
        CommitModeName => settings with { CommitMode = ModeOf(value) },
        DeleteRetentionMs => settings with { Compaction = settings.Compaction with { TombstoneRetentionMs = Number(value) } },
        MaxCompactionLagMs => settings with { Compaction = settings.Compaction with { MaxLagMs = Number(value) } },
        MinCompactionLagMs => settings with { Compaction = settings.Compaction with { MinLagMs = Number(value) } },
        MinCleanableDirtyRatio => settings with { Compaction = settings.Compaction with { MinDirtyRatio = double.Parse(value, NumberStyles.Float, CultureInfo.InvariantCulture) } },
        SegmentBytes => settings with { Compaction = settings.Compaction with { SealAfterBytes = Number(value) } },
        SegmentMs => settings with { Compaction = settings.Compaction with { SealAfterMs = Number(value) } },
        MessageTimestampAfterMaxMs => settings with { MaxTimestampAheadMs = Number(value) },
        MessageTimestampBeforeMaxMs => settings with { MaxTimestampBehindMs = Number(value) },
        _ => settings,
    };

    /// <summary>Whether old messages of a topic go by age and size, though it may be compacted besides.</summary>
    public static bool IsAlsoDeleted(TopicSettings settings) => TopicConfig.SplitList(Policy(settings)).Contains("delete");

    /// <summary>The policy as it was set; where somebody else has changed the setting since, as the setting says.</summary>
    private static string Policy(TopicSettings settings) =>
        settings.Attributes.TryGetValue(CleanupPolicy, out var set) && TopicConfig.SplitList(set).Contains("compact") == settings.Compacted
            ? set
            : settings.Compacted ? "compact" : "delete";

    private static CommitMode ModeOf(string value) => value switch
    {
        "memory" => CommitMode.Memory,
        "written" => CommitMode.Written,
        _ => CommitMode.Fsync,
    };

    private static string TextOf(CommitMode mode) => mode switch
    {
        CommitMode.Memory => "memory",
        CommitMode.Written => "written",
        _ => "fsync",
    };

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static long Number(string value) => long.Parse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
}

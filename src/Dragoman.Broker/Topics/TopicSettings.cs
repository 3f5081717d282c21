using System.Collections.Immutable;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Topics;

/// <summary>How a topic treats its messages. Immutable; replaced as a whole.</summary>
public sealed record TopicSettings
{
    /// <summary>2 adds how compaction goes about it, and bounds of timestamps.</summary>
    private const byte Version = 2;

    /// <summary>Settings of a topic of which nothing was said.</summary>
    public static TopicSettings Default { get; } = new();

    /// <summary>Messages older than this many milliseconds go; -1 keeps them. One week unless set, as in Kafka.</summary>
    public long RetentionMs { get; init; } = 7L * 24 * 3600 * 1000;

    /// <summary>Bytes that each partition keeps at least when the oldest messages go; -1 for no limit.</summary>
    public long RetentionBytes { get; init; } = -1;

    /// <summary>The largest batch taken, in bytes as it arrives.</summary>
    public int MaxMessageBytes { get; init; } = 1024 * 1024 + 12;

    /// <summary>Who sets timestamps.</summary>
    public TimestampType TimestampType { get; init; } = TimestampType.CreateTime;

    /// <summary>What an acknowledgement means.</summary>
    public CommitMode CommitMode { get; init; } = CommitMode.Fsync;

    /// <summary>Whether the newest message of each key is kept: every message must have one.</summary>
    public bool Compacted { get; init; }

    /// <summary>How a topic that is compacted is. Topics whose messages are in memory only are never compacted.</summary>
    public LogCompaction Compaction { get; init; } = LogCompaction.Default;

    /// <summary>How many milliseconds a producer's timestamp may lie behind the broker's clock.</summary>
    public long MaxTimestampBehindMs { get; init; } = long.MaxValue;

    /// <summary>How many milliseconds a producer's timestamp may lie ahead of the broker's clock.</summary>
    public long MaxTimestampAheadMs { get; init; } = long.MaxValue;

    /// <summary>Settings that front ends keep with the topic and give meaning to, by the name the protocol uses.</summary>
    public ImmutableSortedDictionary<string, string> Attributes { get; init; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    internal void Write(in SnapshotWriter writer)
    {
        writer.Byte(Version);
        writer.Int64(RetentionMs);
        writer.Int64(RetentionBytes);
        writer.Int32(MaxMessageBytes);
        writer.Byte((byte)TimestampType);
        writer.Byte((byte)CommitMode);
        writer.Bool(Compacted);
        writer.Int32(Attributes.Count);
        foreach (var (name, value) in Attributes)
        {
            writer.Text(name);
            writer.Text(value);
        }
        writer.Int64(BitConverter.DoubleToInt64Bits(Compaction.MinDirtyRatio));
        writer.Int64(Compaction.MinLagMs);
        writer.Int64(Compaction.MaxLagMs);
        writer.Int64(Compaction.TombstoneRetentionMs);
        writer.Int64(Compaction.SealAfterMs);
        writer.Int64(Compaction.SealAfterBytes);
        writer.Int64(MaxTimestampBehindMs);
        writer.Int64(MaxTimestampAheadMs);
    }

    internal static TopicSettings Read(ref SnapshotReader reader)
    {
        var version = reader.Version(Version, "topic settings");
        var settings = new TopicSettings
        {
            RetentionMs = reader.Int64(),
            RetentionBytes = reader.Int64(),
            MaxMessageBytes = reader.Int32(),
            TimestampType = (TimestampType)reader.Byte(),
            CommitMode = (CommitMode)reader.Byte(),
            Compacted = reader.Bool(),
        };
        var attributes = settings.Attributes.ToBuilder();
        for (var n = reader.Count(); n > 0; n--) attributes[reader.Text()] = reader.Text();
        settings = settings with { Attributes = attributes.ToImmutable() };
        if (version < 2) return settings;
        return settings with
        {
            Compaction = new LogCompaction
            {
                MinDirtyRatio = BitConverter.Int64BitsToDouble(reader.Int64()),
                MinLagMs = reader.Int64(),
                MaxLagMs = reader.Int64(),
                TombstoneRetentionMs = reader.Int64(),
                SealAfterMs = reader.Int64(),
                SealAfterBytes = reader.Int64(),
            },
            MaxTimestampBehindMs = reader.Int64(),
            MaxTimestampAheadMs = reader.Int64(),
        };
    }
}

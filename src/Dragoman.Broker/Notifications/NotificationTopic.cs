using System.Collections.Immutable;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Notifications;

/// <summary>The facet of a topic that hands notifications to subscriptions, as Amazon SNS has it. Immutable; replaced as a whole.</summary>
public sealed record NotificationTopic
{
    // Version 2 added the subscriptions that are gone.
    private const byte Version = 2;

    /// <summary>The topic.</summary>
    public required TopicName Name { get; init; }

    /// <summary>When it was created, in milliseconds since 1970.</summary>
    public required long CreatedAtMs { get; init; }

    /// <summary>Whether the order of a key is kept, and copies are known within <see cref="Notifications.DeduplicationWindowMs"/>.</summary>
    public bool IsOrdered { get; init; }

    /// <summary>What a front end keeps with it; routes are told.</summary>
    public ImmutableSortedDictionary<string, string> Attributes { get; init; } = Empty;

    /// <summary>How many subscriptions it had that are gone.</summary>
    public long SubscriptionsGone { get; init; }

    /// <summary>Its tags.</summary>
    public ImmutableSortedDictionary<string, string> Tags { get; init; } = Empty;

    internal static ImmutableSortedDictionary<string, string> Empty { get; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    internal int EncodedSize => 128 + 3 * (Name.Namespace.Tenant.Length + Name.Namespace.Name.Length + Name.Name.Length) + SizeOf(Attributes) + SizeOf(Tags);

    internal void Write(in SnapshotWriter writer)
    {
        writer.Byte(Version);
        Route.WriteName(writer, Name);
        writer.Int64(CreatedAtMs);
        writer.Bool(IsOrdered);
        Write(writer, Attributes);
        Write(writer, Tags);
        writer.Int64(SubscriptionsGone);
    }

    internal static NotificationTopic Read(ref SnapshotReader reader)
    {
        var version = reader.Version(Version, "notification topic");
        var topic = new NotificationTopic
        {
            Name = Route.ReadName(ref reader),
            CreatedAtMs = reader.Int64(),
            IsOrdered = reader.Bool(),
            Attributes = ReadMap(ref reader),
            Tags = ReadMap(ref reader),
        };
        return version < 2 ? topic : topic with { SubscriptionsGone = reader.Int64() };
    }

    internal static int SizeOf(ImmutableSortedDictionary<string, string> map)
    {
        var size = 4;
        foreach (var (name, value) in map) size += 8 + 3 * (name.Length + value.Length);
        return size;
    }

    internal static void Write(in SnapshotWriter writer, ImmutableSortedDictionary<string, string> map)
    {
        writer.Int32(map.Count);
        foreach (var (name, value) in map)
        {
            writer.Text(name);
            writer.Text(value);
        }
    }

    internal static ImmutableSortedDictionary<string, string> ReadMap(ref SnapshotReader reader)
    {
        var map = Empty.ToBuilder();
        for (var n = reader.Count(); n > 0; n--) map[reader.Text()] = reader.Text();
        return map.ToImmutable();
    }
}

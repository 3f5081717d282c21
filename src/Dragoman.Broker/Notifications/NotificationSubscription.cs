using System.Collections.Immutable;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Routing.Filters;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Notifications;

/// <summary>Who is told of what is published to a <see cref="NotificationTopic"/>, and how. Immutable; replaced as a whole.</summary>
public sealed record NotificationSubscription
{
    private const byte Version = 1;

    /// <summary>The id.</summary>
    public required Guid Id { get; init; }

    /// <summary>The topic.</summary>
    public required TopicName Topic { get; init; }

    /// <summary>How it is told: the front end's word.</summary>
    public required string Protocol { get; init; }

    /// <summary>Where: the front end's word.</summary>
    public required string Endpoint { get; init; }

    /// <summary>When it was made, in milliseconds since 1970.</summary>
    public required long CreatedAtMs { get; init; }

    /// <summary>Whether its endpoint wants it; before that it is told nothing.</summary>
    public bool IsConfirmed { get; init; }

    /// <summary>What its endpoint shows to say that it wants it.</summary>
    public string Token { get; init; } = "";

    /// <summary>The queue that carries its messages; null if it is only recorded, and nothing is delivered.</summary>
    public QueueName? Target { get; init; }

    /// <summary>Where messages go that could not be delivered; null to drop them.</summary>
    public QueueName? DeadLetters { get; init; }

    /// <summary>The policy that says which messages it is told of, as JSON; null for all.</summary>
    public string? FilterPolicy { get; init; }

    /// <summary>What the policy looks at.</summary>
    public FilterScope FilterScope { get; init; }

    /// <summary>What a front end keeps with it.</summary>
    public ImmutableSortedDictionary<string, string> Attributes { get; init; } = NotificationTopic.Empty;

    /// <summary>The topic whose log <see cref="StartOffsets"/> speak of: see <see cref="Route.StartsIn"/>.</summary>
    internal Guid StartsIn { get; init; }

    /// <summary>Where it begins in a log: what was published before is not told. See <see cref="Route.StartOffsets"/>.</summary>
    internal IReadOnlyList<long> StartOffsets { get; init; } = [];

    internal int EncodedSize => 512 + 3 * (Topic.Namespace.Tenant.Length + Topic.Namespace.Name.Length + Topic.Name.Length + Protocol.Length + Endpoint.Length + Token.Length
        + (Target?.ToString().Length ?? 0) + (DeadLetters?.ToString().Length ?? 0) + (FilterPolicy?.Length ?? 0)) + 64 + 8 * StartOffsets.Count + NotificationTopic.SizeOf(Attributes);

    internal void Write(in SnapshotWriter writer)
    {
        writer.Byte(Version);
        writer.Guid(Id);
        Route.WriteName(writer, Topic);
        writer.Text(Protocol);
        writer.Text(Endpoint);
        writer.Int64(CreatedAtMs);
        writer.Bool(IsConfirmed);
        writer.Text(Token);
        Write(writer, Target);
        Write(writer, DeadLetters);
        writer.Bool(FilterPolicy is not null);
        if (FilterPolicy is not null) writer.Text(FilterPolicy);
        writer.Byte((byte)FilterScope);
        NotificationTopic.Write(writer, Attributes);
        writer.Guid(StartsIn);
        writer.Int32(StartOffsets.Count);
        foreach (var offset in StartOffsets) writer.Int64(offset);
    }

    internal static NotificationSubscription Read(ref SnapshotReader reader)
    {
        reader.Version(Version, "notification subscription");
        var subscription = new NotificationSubscription
        {
            Id = reader.Guid(),
            Topic = Route.ReadName(ref reader),
            Protocol = reader.Text(),
            Endpoint = reader.Text(),
            CreatedAtMs = reader.Int64(),
            IsConfirmed = reader.Bool(),
            Token = reader.Text(),
            Target = ReadQueue(ref reader),
            DeadLetters = ReadQueue(ref reader),
            FilterPolicy = reader.Bool() ? reader.Text() : null,
            FilterScope = (FilterScope)reader.Byte(),
            Attributes = NotificationTopic.ReadMap(ref reader),
            StartsIn = reader.Guid(),
        };
        var starts = new long[reader.Count()];
        for (var i = 0; i < starts.Length; i++) starts[i] = reader.Int64();
        return subscription with { StartOffsets = starts };
    }

    private static void Write(in SnapshotWriter writer, QueueName? queue)
    {
        writer.Bool(queue is not null);
        if (queue is null) return;
        writer.Text(queue.Namespace.Tenant);
        writer.Text(queue.Namespace.Name);
        writer.Text(queue.Name);
    }

    private static QueueName? ReadQueue(ref SnapshotReader reader) =>
        reader.Bool() ? new QueueName(new NamespaceName(reader.Text(), reader.Text()), reader.Text()) : null;
}

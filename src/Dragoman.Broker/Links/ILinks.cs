using Dragoman.Broker.Namespaces;

namespace Dragoman.Broker.Links;

/// <summary>What a link does at the moment.</summary>
public enum LinkState
{
    /// <summary>It connects.</summary>
    Starting,

    /// <summary>It carries messages, or waits for some.</summary>
    Running,

    /// <summary>Its target takes no messages at the moment.</summary>
    Blocked,

    /// <summary>It has failed, and is tried again after a while.</summary>
    Terminated,
}

/// <summary>How a link is.</summary>
public sealed record LinkStatus
{
    /// <summary>What it does.</summary>
    public required LinkState State { get; init; }

    /// <summary>Since when.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>Why it is terminated; null if it is not.</summary>
    public string? Reason { get; init; }

    /// <summary>Messages that it has carried since it was started.</summary>
    public long Forwarded { get; init; }

    /// <summary>Messages that it is writing.</summary>
    public int Pending { get; init; }

    /// <summary>Messages until its work is done; -1 if it never is.</summary>
    public long Remaining { get; init; } = -1;

    /// <summary>Messages that were handed out once more, and were known.</summary>
    public long Repeated { get; init; }

    /// <summary>Messages that may be at the target twice, because nobody could tell: after a broker elsewhere was killed.</summary>
    public long Uncertain { get; init; }
}

/// <summary>One end of a link.</summary>
/// <param name="Uri">The broker, without user and password.</param>
/// <param name="Queue">The queue, if it is one.</param>
/// <param name="Exchange">The exchange, if it is one.</param>
/// <param name="Key">The routing key, if one is named.</param>
public sealed record LinkEnd(string Uri, string? Queue, string? Exchange, string? Key);

/// <summary>A shovel.</summary>
/// <param name="Namespace">The namespace that it belongs to.</param>
/// <param name="Name">Its name.</param>
/// <param name="Source">Where messages come from.</param>
/// <param name="Target">Where they go.</param>
/// <param name="Status">How it is.</param>
public sealed record Shovel(NamespaceName Namespace, string Name, LinkEnd Source, LinkEnd Target, LinkStatus Status);

/// <summary>A link of an exchange or a queue to the one of another broker that it federates with.</summary>
/// <param name="Namespace">The namespace.</param>
/// <param name="Id">What the link is called in addresses.</param>
/// <param name="Upstream">The upstream's name.</param>
/// <param name="Uri">The upstream's broker, without user and password.</param>
/// <param name="IsExchange">Whether it is an exchange's; else a queue's.</param>
/// <param name="Name">The exchange or queue here.</param>
/// <param name="UpstreamName">The exchange or queue there.</param>
/// <param name="ConsumerTag">The tag of its consumer there.</param>
/// <param name="Status">How it is.</param>
public sealed record FederationLink(NamespaceName Namespace, string Id, string Upstream, string Uri, bool IsExchange, string Name, string UpstreamName, string ConsumerTag, LinkStatus Status);

/// <summary>The links between this broker and others, for those who watch over them.</summary>
public interface ILinks
{
    /// <summary>The shovels, by namespace and name.</summary>
    IReadOnlyList<Shovel> Shovels { get; }

    /// <summary>The links of federated exchanges and queues.</summary>
    IReadOnlyList<FederationLink> FederationLinks { get; }

    /// <summary>Stops a shovel and starts it again.</summary>
    /// <returns>False if there is none of the name.</returns>
    ValueTask<bool> RestartShovelAsync(NamespaceName space, string name);

    /// <summary>Stops a federation link and starts it again.</summary>
    /// <returns>False if there is none of the id.</returns>
    ValueTask<bool> RestartFederationLinkAsync(string id);
}

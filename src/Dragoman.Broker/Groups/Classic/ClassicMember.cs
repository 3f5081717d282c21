using Dragoman.Broker.Topics;

namespace Dragoman.Broker.Groups.Classic;

/// <summary>A member of a group whose members assign themselves.</summary>
internal sealed class ClassicMember(string id, string? instanceId, string clientId, string clientHost)
{
    public string Id { get; } = id;

    public string? InstanceId { get; } = instanceId;

    public string ClientId { get; } = clientId;

    public string ClientHost { get; } = clientHost;

    public int SessionTimeoutMs { get; set; }

    public int RebalanceTimeoutMs { get; set; }

    /// <summary>The ways of assigning that it knows, the best first.</summary>
    public IReadOnlyList<GroupProtocol> Protocols { get; set; } = [];

    /// <summary>The topics that it reads; null if unknown.</summary>
    public IReadOnlyList<TopicName>? Topics { get; set; }

    /// <summary>Its share in the current generation.</summary>
    public GroupShare Share { get; set; } = GroupShare.None;

    /// <summary>A join request that waits for the others; null if there is none.</summary>
    public TaskCompletionSource<JoinAnswer>? Joining { get; set; }

    /// <summary>A request for its share that waits for the leader's; null if there is none.</summary>
    public TaskCompletionSource<SyncAnswer>? Syncing { get; set; }

    /// <summary>Whether it has never been in a generation.</summary>
    public bool IsNew { get; set; }

    /// <summary>When it is out unless it shows a sign of life.</summary>
    public long ExpiresAt { get; set; }

    /// <summary>
    /// When it is out. Whoever waits for an answer of ours need not show signs of life; a new member that waits is given
    /// up after a while, as its client may be gone.
    /// </summary>
    public long EffectiveExpiry => !IsNew && (Joining is not null || Syncing is not null) ? long.MaxValue : ExpiresAt;

    public bool Speaks(string protocol)
    {
        foreach (var own in Protocols)
            if (own.Name == protocol) return true;
        return false;
    }

    public byte[] MetadataFor(string? protocol)
    {
        foreach (var own in Protocols)
            if (own.Name == protocol) return own.Metadata;
        return [];
    }

    /// <summary>Whether it says what it said before.</summary>
    public bool Matches(IReadOnlyList<GroupProtocol> protocols)
    {
        if (protocols.Count != Protocols.Count) return false;
        for (var i = 0; i < protocols.Count; i++)
            if (protocols[i].Name != Protocols[i].Name || !protocols[i].Metadata.AsSpan().SequenceEqual(Protocols[i].Metadata)) return false;
        return true;
    }
}

using Dragoman.Broker.Groups.Classic;
using Dragoman.Broker.Groups.Offsets;
using Dragoman.Broker.Groups.State;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Groups.Consumer;

/// <summary>How far a member is on its way to what was assigned to it (KIP-848).</summary>
internal enum MemberState : byte
{
    /// <summary>It has what it shall have.</summary>
    Stable = 0,

    /// <summary>It has yet to give partitions up.</summary>
    Unrevoked = 1,

    /// <summary>It waits for partitions that others have yet to give up.</summary>
    Unreleased = 2,
}

/// <summary>What is kept of a member that follows the classic protocol in a group whose assignments are the broker's.</summary>
/// <param name="SessionTimeoutMs">Its own session timeout, in milliseconds.</param>
/// <param name="Protocols">The ways of assigning that it knows.</param>
internal sealed record ClassicMembership(int SessionTimeoutMs, IReadOnlyList<GroupProtocol> Protocols);

/// <summary>A member of a group whose assignments are the broker's. Immutable, and durable as a whole.</summary>
internal sealed record ConsumerMember
{
    /// <summary>The epoch of a static member that is away and keeps its place.</summary>
    public const int AwayEpoch = -2;

    private const int FixedBytes = 96;
    private const int PartitionBytes = 20;

    public required string Id { get; init; }

    public string? InstanceId { get; init; }

    public string? Rack { get; init; }

    public string ClientId { get; init; } = "";

    public string ClientHost { get; init; } = "";

    public int RebalanceTimeoutMs { get; init; }

    /// <summary>The assignor it asks for; null for the broker's choice.</summary>
    public string? Assignor { get; init; }

    /// <summary>The topics that it names.</summary>
    public IReadOnlyList<TopicName> Topics { get; init; } = [];

    /// <summary>The pattern of further topics; null for none.</summary>
    public string? Pattern { get; init; }

    /// <summary>What it is as a member that follows the classic protocol; null for others.</summary>
    public ClassicMembership? Classic { get; init; }

    public int Epoch { get; init; }

    public int PreviousEpoch { get; init; }

    public MemberState State { get; init; }

    /// <summary>The partitions that are its own.</summary>
    public PartitionSet Assigned { get; init; } = PartitionSet.Empty;

    /// <summary>The partitions that it has yet to give up.</summary>
    public PartitionSet Revoking { get; init; } = PartitionSet.Empty;

    public bool IsReconciledTo(int epoch) => State == MemberState.Stable && Epoch == epoch;

    /// <summary>The same member in an epoch; the one before is remembered, as the member may not have heard of the new one.</summary>
    public ConsumerMember InEpoch(int epoch) => this with { PreviousEpoch = Epoch, Epoch = epoch };

    /// <summary>Whether two subscribe to the same.</summary>
    public bool SubscribesAs(ConsumerMember other) => Pattern == other.Pattern && Topics.SequenceEqual(other.Topics);

    public int SizeBound()
    {
        var size = FixedBytes + PartitionBytes * (Assigned.Count + Revoking.Count)
            + 3 * (Id.Length + (InstanceId?.Length ?? 0) + (Rack?.Length ?? 0) + ClientId.Length + ClientHost.Length + (Assignor?.Length ?? 0) + (Pattern?.Length ?? 0));
        foreach (var topic in Topics) size += 12 + 3 * (topic.Namespace.Tenant.Length + topic.Namespace.Name.Length + topic.Name.Length);
        foreach (var protocol in Classic?.Protocols ?? []) size += 8 + 3 * protocol.Name.Length + protocol.Metadata.Length;
        return size;
    }

    public void Write(in SnapshotWriter writer)
    {
        writer.Text(Id);
        ClassicRecord.WriteOptional(writer, InstanceId);
        ClassicRecord.WriteOptional(writer, Rack);
        writer.Text(ClientId);
        writer.Text(ClientHost);
        writer.Int32(RebalanceTimeoutMs);
        ClassicRecord.WriteOptional(writer, Assignor);
        writer.Int32(Topics.Count);
        foreach (var topic in Topics)
        {
            writer.Text(topic.Namespace.Tenant);
            writer.Text(topic.Namespace.Name);
            writer.Text(topic.Name);
        }
        ClassicRecord.WriteOptional(writer, Pattern);
        writer.Bool(Classic is not null);
        if (Classic is not null)
        {
            writer.Int32(Classic.SessionTimeoutMs);
            writer.Int32(Classic.Protocols.Count);
            foreach (var protocol in Classic.Protocols)
            {
                writer.Text(protocol.Name);
                writer.Bytes(protocol.Metadata);
            }
        }
        writer.Int32(Epoch);
        writer.Int32(PreviousEpoch);
        writer.Byte((byte)State);
        WriteSet(writer, Assigned);
        WriteSet(writer, Revoking);
    }

    public static ConsumerMember Read(ref SnapshotReader reader) => new()
    {
        Id = reader.Text(),
        InstanceId = ClassicRecord.ReadOptional(ref reader),
        Rack = ClassicRecord.ReadOptional(ref reader),
        ClientId = reader.Text(),
        ClientHost = reader.Text(),
        RebalanceTimeoutMs = reader.Int32(),
        Assignor = ClassicRecord.ReadOptional(ref reader),
        Topics = ReadTopics(ref reader),
        Pattern = ClassicRecord.ReadOptional(ref reader),
        Classic = reader.Bool() ? new ClassicMembership(reader.Int32(), ReadProtocols(ref reader)) : null,
        Epoch = reader.Int32(),
        PreviousEpoch = reader.Int32(),
        State = (MemberState)reader.Byte(),
        Assigned = ReadSet(ref reader),
        Revoking = ReadSet(ref reader),
    };

    public static void WriteSet(in SnapshotWriter writer, PartitionSet set)
    {
        writer.Int32(set.Count);
        foreach (var partition in set) GroupEvents.WritePartition(writer, partition);
    }

    public static PartitionSet ReadSet(ref SnapshotReader reader)
    {
        var items = new GroupPartition[reader.Count()];
        for (var i = 0; i < items.Length; i++) items[i] = GroupEvents.ReadPartition(ref reader);
        return PartitionSet.Of(items);
    }

    private static TopicName[] ReadTopics(ref SnapshotReader reader)
    {
        var topics = new TopicName[reader.Count()];
        for (var i = 0; i < topics.Length; i++) topics[i] = new TopicName(new NamespaceName(reader.Text(), reader.Text()), reader.Text());
        return topics;
    }

    private static GroupProtocol[] ReadProtocols(ref SnapshotReader reader)
    {
        var protocols = new GroupProtocol[reader.Count()];
        for (var i = 0; i < protocols.Length; i++) protocols[i] = new GroupProtocol(reader.Text(), reader.Bytes().ToArray());
        return protocols;
    }
}

using Dragoman.Broker.Groups.Classic;
using Dragoman.Broker.Groups.Offsets;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Groups.State;

/// <summary>What is durable of a group whose members assign themselves: its last generation that was assigned, or that it is empty.</summary>
internal sealed record ClassicRecord
{
    private const int MemberBytes = 64;
    private const int PartitionBytes = 20;

    public required string ProtocolType { get; init; }

    public required int Generation { get; init; }

    public required string? Protocol { get; init; }

    public required string? Leader { get; init; }

    /// <summary>Since when it is as it is, in milliseconds since 1970.</summary>
    public required long SinceMs { get; init; }

    public required IReadOnlyList<ClassicMemberRecord> Members { get; init; }

    /// <summary>The most bytes that it takes.</summary>
    public int SizeBound()
    {
        var size = MemberBytes + 3 * (ProtocolType.Length + (Protocol?.Length ?? 0) + (Leader?.Length ?? 0));
        foreach (var member in Members)
        {
            size += MemberBytes + member.Share.Data.Length + PartitionBytes * (member.Share.Partitions?.Count ?? 0) + 3 * (member.Id.Length + (member.InstanceId?.Length ?? 0) + member.ClientId.Length + member.ClientHost.Length);
            foreach (var protocol in member.Protocols) size += 8 + 3 * protocol.Name.Length + protocol.Metadata.Length;
            foreach (var topic in member.Topics ?? []) size += 12 + 3 * (topic.Namespace.Tenant.Length + topic.Namespace.Name.Length + topic.Name.Length);
        }
        return size;
    }

    public void Write(in SnapshotWriter writer)
    {
        writer.Text(ProtocolType);
        writer.Int32(Generation);
        WriteOptional(writer, Protocol);
        WriteOptional(writer, Leader);
        writer.Int64(SinceMs);
        writer.Int32(Members.Count);
        foreach (var member in Members) member.Write(writer);
    }

    public static ClassicRecord Read(ref SnapshotReader reader)
    {
        var type = reader.Text();
        var generation = reader.Int32();
        var protocol = ReadOptional(ref reader);
        var leader = ReadOptional(ref reader);
        var since = reader.Int64();
        var members = new ClassicMemberRecord[reader.Count()];
        for (var i = 0; i < members.Length; i++) members[i] = ClassicMemberRecord.Read(ref reader);
        return new ClassicRecord { ProtocolType = type, Generation = generation, Protocol = protocol, Leader = leader, SinceMs = since, Members = members };
    }

    internal static void WriteOptional(in SnapshotWriter writer, string? text)
    {
        writer.Bool(text is not null);
        if (text is not null) writer.Text(text);
    }

    internal static string? ReadOptional(ref SnapshotReader reader) => reader.Bool() ? reader.Text() : null;
}

/// <summary>What is durable of such a group's member.</summary>
internal sealed record ClassicMemberRecord
{
    public required string Id { get; init; }

    public required string? InstanceId { get; init; }

    public required string ClientId { get; init; }

    public required string ClientHost { get; init; }

    public required int SessionTimeoutMs { get; init; }

    public required int RebalanceTimeoutMs { get; init; }

    public required IReadOnlyList<GroupProtocol> Protocols { get; init; }

    public required IReadOnlyList<TopicName>? Topics { get; init; }

    public required GroupShare Share { get; init; }

    public void Write(in SnapshotWriter writer)
    {
        writer.Text(Id);
        ClassicRecord.WriteOptional(writer, InstanceId);
        writer.Text(ClientId);
        writer.Text(ClientHost);
        writer.Int32(SessionTimeoutMs);
        writer.Int32(RebalanceTimeoutMs);
        writer.Int32(Protocols.Count);
        foreach (var protocol in Protocols)
        {
            writer.Text(protocol.Name);
            writer.Bytes(protocol.Metadata);
        }
        writer.Int32(Topics?.Count ?? -1);
        foreach (var topic in Topics ?? [])
        {
            writer.Text(topic.Namespace.Tenant);
            writer.Text(topic.Namespace.Name);
            writer.Text(topic.Name);
        }
        writer.Bytes(Share.Data);
        writer.Int32(Share.Partitions?.Count ?? -1);
        foreach (var partition in Share.Partitions ?? []) GroupEvents.WritePartition(writer, partition);
    }

    public static ClassicMemberRecord Read(ref SnapshotReader reader)
    {
        var id = reader.Text();
        var instance = ClassicRecord.ReadOptional(ref reader);
        var clientId = reader.Text();
        var clientHost = reader.Text();
        var session = reader.Int32();
        var rebalance = reader.Int32();
        var protocols = new GroupProtocol[reader.Count()];
        for (var i = 0; i < protocols.Length; i++) protocols[i] = new GroupProtocol(reader.Text(), reader.Bytes().ToArray());
        var topicCount = reader.OptionalCount();
        var topics = topicCount < 0 ? null : new TopicName[topicCount];
        for (var i = 0; i < topicCount; i++) topics![i] = new TopicName(new NamespaceName(reader.Text(), reader.Text()), reader.Text());
        var data = reader.Bytes().ToArray();
        var partitionCount = reader.OptionalCount();
        var partitions = partitionCount < 0 ? null : new GroupPartition[partitionCount];
        for (var i = 0; i < partitionCount; i++) partitions![i] = GroupEvents.ReadPartition(ref reader);
        return new ClassicMemberRecord
        {
            Id = id,
            InstanceId = instance,
            ClientId = clientId,
            ClientHost = clientHost,
            SessionTimeoutMs = session,
            RebalanceTimeoutMs = rebalance,
            Protocols = protocols,
            Topics = topics,
            Share = new GroupShare(data, partitions),
        };
    }
}

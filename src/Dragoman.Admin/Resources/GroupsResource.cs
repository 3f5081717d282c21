using Dragoman.Admin.Http;
using Dragoman.Admin.Model;
using Dragoman.Admin.Records;
using Dragoman.Broker.Groups;
using Dragoman.Broker.Groups.Offsets;
using Dragoman.Broker.Topics;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.Resources;

/// <summary><c>/_dragoman/v1/groups</c>: the consumer groups, how far they have come, and where they go on.</summary>
internal sealed class GroupsResource(AdminNode node)
{
    private const int ShownMembers = 3;

    private IGroups Groups => node.Broker.Groups;

    private ITopics Topics => node.Broker.Topics;

    /// <summary>The collection.</summary>
    public async Task HandleAllAsync(HttpContext context)
    {
        RequestPath.RequireMethod(context, HttpMethods.Get);
        var wanted = Scope.Of(context);
        var page = Page.Of(context);
        var answer = await Groups.ListAsync(context.RequestAborted);
        Succeeded(answer.Status, null);
        var (picked, next) = page.Take(answer.Groups, static g => g.Name.ToString(), g => wanted is null || g.Name.Namespace == wanted);
        var overviews = new List<GroupOverview>(picked.Count);
        foreach (var summary in picked)
        {
            // Groups may go while they are listed.
            if (await Groups.DescribeAsync(summary.Name, context.RequestAborted) is not { Group: { } group }) continue;
            var partitions = await PartitionsAsync(group, context.RequestAborted);
            overviews.Add(new GroupOverview(
                group.Name.Namespace.ToString(), group.Name.Name, Text.Camel(group.Kind), Text.Camel(group.State), group.Members.Count,
                [.. partitions.Select(p => p.Topic).Distinct().Order(StringComparer.Ordinal)], TotalLag(partitions)));
        }
        await Json.WriteAsync(context, new GroupList(overviews, next), AdminJson.Default.GroupList);
    }

    /// <summary>One group: describe and delete.</summary>
    public async Task HandleOneAsync(HttpContext context, string name)
    {
        var method = context.Request.Method;
        var full = NameOf(context, name);
        if (HttpMethods.IsGet(method) || HttpMethods.IsHead(method))
        {
            await Json.WriteAsync(context, await DescribeAsync(await FindAsync(full, context.RequestAborted), context.RequestAborted), AdminJson.Default.GroupDetails);
        }
        else if (HttpMethods.IsDelete(method))
        {
            var group = await FindAsync(full, context.RequestAborted);
            var status = await Groups.DeleteAsync(full, context.RequestAborted);
            if (status == GroupStatus.NotEmpty) throw HasMembers(await DescribeOrNullAsync(full, context.RequestAborted) ?? group, "it is deleted");
            Succeeded(status, full);
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
        else
        {
            throw RequestPath.NotAllowed(context, "GET, HEAD, DELETE");
        }
    }

    /// <summary>Has a group without members go on elsewhere.</summary>
    public async Task ResetOffsetsAsync(HttpContext context, string name)
    {
        RequestPath.RequireMethod(context, HttpMethods.Post);
        var request = await Json.ReadAsync(context, AdminJson.Default.ResetOffsetsRequest);
        if (request.To.Length == 0) throw ProblemException.BadRequest("to is empty; it should be earliest, latest, an offset, a time such as 2026-01-31T12:00:00Z, or an age such as 15m.");
        var position = ReadPosition.Parse(request.To, node.Broker.Time, "to");
        var full = NameOf(context, name);
        var group = await DescribeOrNullAsync(full, context.RequestAborted);
        // Somebody who names topics may prepare a group before its members come.
        if (group is null && request.Topics is not { Count: > 0 }) throw ProblemException.NotFound($"There is no group '{full}'. To make it, name the topics that it shall have offsets of.");
        if (group is { Members.Count: > 0 } && !request.DryRun) throw HasMembers(group, "its offsets are reset");
        if (group is { ProtocolType: { Length: > 0 } type } && type != "consumer") throw ProblemException.BadRequest($"Group '{full}' is one of '{type}', not of consumers: it has no offsets to reset.");
        var committed = await CommittedAsync(full, context.RequestAborted);
        var plan = new List<(GroupPartition Partition, OffsetReset Reset)>();
        foreach (var (topic, partition) in Chosen(full, request, committed))
        {
            if (!partition.TryGetOffsets(out var offsets)) continue;
            var key = new GroupPartition(topic.Id, partition.Index);
            var (to, isClamped) = await ResolveAsync(position, partition, offsets);
            plan.Add((key, new OffsetReset(Spell(full, topic), partition.Index, to, offsets.HighWatermark - to, isClamped, committed.TryGetValue(key, out var known) ? known.Committed!.Value.Offset : null)));
        }
        if (plan.Count == 0) throw ProblemException.BadRequest($"Group '{full}' has no committed offsets: name the topics that it shall have offsets of.");
        if (!request.DryRun)
        {
            var commits = plan.ConvertAll(p => new OffsetCommit(p.Partition, new CommittedOffset(p.Reset.To, -1, "")));
            var status = await Groups.CommitOffsetsAsync(full, GroupCaller.Outsider, commits, -1, context.RequestAborted);
            // Somebody may have joined since.
            if (status is GroupStatus.UnknownMember or GroupStatus.NotEmpty or GroupStatus.RebalanceInProgress && await DescribeOrNullAsync(full, context.RequestAborted) is { } joined)
                throw HasMembers(joined, "its offsets are reset");
            Succeeded(status, full);
        }
        plan.Sort(static (a, b) => Order(a.Reset.Topic, a.Reset.Partition, b.Reset.Topic, b.Reset.Partition));
        await Json.WriteAsync(context, new ResetOffsetsResult(request.DryRun, group?.Members.Count ?? 0, [.. plan.Select(p => p.Reset)]), AdminJson.Default.ResetOffsetsResult);
    }

    private static async ValueTask<(long To, bool IsClamped)> ResolveAsync(ReadPosition position, IPartitionHandle partition, PartitionOffsets offsets)
    {
        if (position.IsOffset)
        {
            var wanted = position.Offset!.Value;
            var nearest = Math.Clamp(wanted, offsets.Start, offsets.HighWatermark);
            return (nearest, nearest != wanted);
        }
        // The end is where new records come, whatever transaction is open.
        return (await position.ResolveAsync(partition, offsets, ReadIsolation.Committed), false);
    }

    /// <summary>The partitions that a reset is about.</summary>
    private List<(ITopicHandle Topic, IPartitionHandle Partition)> Chosen(GroupName group, ResetOffsetsRequest request, Dictionary<GroupPartition, FetchedOffset> committed)
    {
        var chosen = new List<(ITopicHandle, IPartitionHandle)>();
        if (request.Partitions is not null && request.Topics is not { Count: 1 }) throw ProblemException.BadRequest("partitions are those of one topic: name it, and it alone, in topics.");
        if (request.Topics is not { Count: > 0 } names)
        {
            foreach (var key in committed.Keys)
                if (Topics.Find(key.Topic) is { } known && key.Partition < known.Partitions.Count) chosen.Add((known, known.Partitions[key.Partition]));
            return chosen;
        }
        foreach (var name in names.Distinct())
        {
            var topic = Topics.Find(new TopicName(group.Namespace, name)) ?? throw ProblemException.NotFound($"There is no topic '{new TopicName(group.Namespace, name)}'.");
            foreach (var index in request.Partitions?.Distinct() ?? Enumerable.Range(0, topic.Partitions.Count))
            {
                if (index < 0 || index >= topic.Partitions.Count) throw ProblemException.BadRequest($"Topic '{topic.Name}' has no partition {index}; it has {topic.Partitions.Count}, counted from 0.");
                chosen.Add((topic, topic.Partitions[index]));
            }
        }
        return chosen;
    }

    private async ValueTask<GroupDetails> DescribeAsync(GroupDescription group, CancellationToken cancellation)
    {
        var partitions = await PartitionsAsync(group, cancellation);
        return new GroupDetails
        {
            Namespace = group.Name.Namespace.ToString(),
            Name = group.Name.Name,
            Kind = Text.Camel(group.Kind),
            State = Text.Camel(group.State),
            Assignor = group.Protocol,
            Epoch = group.Epoch,
            Lag = TotalLag(partitions),
            Members = [.. group.Members.Select(m => new GroupMemberModel(m.Id, m.ClientId, m.ClientHost, m.Partitions?.Count ?? 0, m.Epoch, m.InstanceId, m.Rack, string.IsNullOrEmpty(m.TopicPattern) ? null : m.TopicPattern))],
            Partitions = partitions,
        };
    }

    /// <summary>The partitions that a group has committed, or that a member has, in order; those of topics that are gone are left out.</summary>
    private async ValueTask<List<GroupPartitionModel>> PartitionsAsync(GroupDescription group, CancellationToken cancellation)
    {
        var committed = await CommittedAsync(group.Name, cancellation);
        var holders = new Dictionary<GroupPartition, string>();
        foreach (var member in group.Members)
            foreach (var partition in member.Partitions ?? []) holders[partition] = member.Id;
        var found = new List<GroupPartitionModel>();
        foreach (var key in committed.Keys.Union(holders.Keys))
        {
            if (Topics.Find(key.Topic) is not { } topic || key.Partition >= topic.Partitions.Count || !topic.Partitions[key.Partition].TryGetOffsets(out var offsets)) continue;
            long? offset = null;
            DateTimeOffset? at = null;
            string? metadata = null;
            if (committed.TryGetValue(key, out var known) && known.Committed is { } value)
            {
                offset = value.Offset;
                at = DateTimeOffset.FromUnixTimeMilliseconds(known.CommittedAtMs);
                metadata = value.Metadata.Length == 0 ? null : value.Metadata;
            }
            found.Add(new GroupPartitionModel(
                Spell(group.Name, topic), key.Partition, offsets.Start, offsets.HighWatermark, offset, at, metadata,
                offset is { } from ? Math.Max(0, offsets.HighWatermark - from) : null, holders.GetValueOrDefault(key)));
        }
        found.Sort(static (a, b) => Order(a.Topic, a.Partition, b.Topic, b.Partition));
        return found;
    }

    private async ValueTask<Dictionary<GroupPartition, FetchedOffset>> CommittedAsync(GroupName group, CancellationToken cancellation)
    {
        var answer = await Groups.FetchOffsetsAsync(group, GroupCaller.Outsider, null, requireStable: false, cancellation);
        Succeeded(answer.Status, group);
        return answer.Offsets.Where(static o => o.Committed is not null).ToDictionary(static o => o.Partition);
    }

    private async ValueTask<GroupDescription?> DescribeOrNullAsync(GroupName name, CancellationToken cancellation)
    {
        var answer = await Groups.DescribeAsync(name, cancellation);
        if (answer.Status == GroupStatus.NotFound) return null;
        Succeeded(answer.Status, name);
        return answer.Group;
    }

    private async ValueTask<GroupDescription> FindAsync(GroupName name, CancellationToken cancellation) =>
        await DescribeOrNullAsync(name, cancellation) ?? throw ProblemException.NotFound($"There is no group '{name}'.");

    private static GroupName NameOf(HttpContext context, string name) => new(Scope.OrDefault(context), name);

    private static string Spell(GroupName group, ITopicHandle topic) => topic.Name.Namespace == group.Namespace ? topic.Name.Name : topic.Name.ToString();

    private static long? TotalLag(List<GroupPartitionModel> partitions) => partitions.TrueForAll(static p => p.Lag is null) ? null : partitions.Sum(static p => p.Lag ?? 0);

    private static int Order(string topicA, int partitionA, string topicB, int partitionB) =>
        string.CompareOrdinal(topicA, topicB) is var order && order != 0 ? order : partitionA.CompareTo(partitionB);

    private static ProblemException HasMembers(GroupDescription group, string before)
    {
        var shown = string.Join(", ", group.Members.Take(ShownMembers).Select(m => $"{m.ClientId} at {m.ClientHost.TrimStart('/')}"));
        var more = group.Members.Count > ShownMembers ? $" and {group.Members.Count - ShownMembers} more" : "";
        var who = group.Members.Count == 0 ? "members that are joining" : $"{group.Members.Count} active member{(group.Members.Count == 1 ? "" : "s")} ({shown}{more})";
        return new ProblemException(StatusCodes.Status409Conflict, "Group has members", $"Group '{group.Name}' has {who}. Stop them, or wait for their session to time out, before {before}.");
    }

    private static void Succeeded(GroupStatus status, GroupName? group)
    {
        switch (status)
        {
            case GroupStatus.Ok:
                return;
            case GroupStatus.NotFound:
                throw ProblemException.NotFound($"There is no group '{group}'.");
            case GroupStatus.Full:
                throw new ProblemException(StatusCodes.Status507InsufficientStorage, "Disk full", "There is no room on disk for the change.");
            case GroupStatus.StorageError or GroupStatus.Moved:
                throw new ProblemException(StatusCodes.Status503ServiceUnavailable, "Not available", $"The groups cannot be reached now ({status}).");
            default:
                throw new ProblemException(StatusCodes.Status409Conflict, "Conflict", $"The change of group '{group}' was refused: {status}.");
        }
    }
}

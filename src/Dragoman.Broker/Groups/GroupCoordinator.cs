using System.Diagnostics.CodeAnalysis;
using Dragoman.Broker.Configs;
using Dragoman.Broker.Groups.Classic;
using Dragoman.Broker.Groups.Consumer;
using Dragoman.Broker.Groups.Offsets;
using Dragoman.Broker.Groups.State;
using Dragoman.Broker.Topics;
using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Groups;

/// <summary>The groups of this node, spread over shards by their names.</summary>
internal sealed class GroupCoordinator : IGroups, ITransactionalOffsets, IDisposable
{
    /// <summary>The state id of the first shard.</summary>
    public const long FirstState = 100;

    /// <summary>How many shards there are. It cannot change: a group's shard is a function of its name and of this.</summary>
    public const int Shards = 8;

    private readonly GroupShard[] _shards = new GroupShard[Shards];
    private readonly Store _store;
    private readonly IScheduler _scheduler;
    private readonly ITimer _expiry;
    private int _isExpiring;

    public GroupCoordinator(Store store, ITopics topics, IConfigs configs, GroupOptions options, IScheduler scheduler, Random random, GroupDefects? defects = null)
    {
        Options = options;
        _store = store;
        _scheduler = scheduler;
        for (var i = 0; i < Shards; i++)
            _shards[i] = new GroupShard(store, store.GetState(FirstState + i), topics, configs, options, scheduler, new Random(random.Next()), defects ?? new GroupDefects());
        configs.Changed += target =>
        {
            if (target.Kind != ConfigKind.Group) return;
            foreach (var shard in _shards) shard.OnConfigured(target);
        };
        _expiry = store.Time.CreateTimer(
            static groups => ((GroupCoordinator)groups!).OnExpiryTimer(), this, options.OffsetsRetentionCheckInterval, options.OffsetsRetentionCheckInterval);
    }

    public GroupOptions Options { get; }

    public ITransactionalOffsets Transactional => this;

    /// <summary>The state machines to open the store with.</summary>
    public static IEnumerable<KeyValuePair<long, IStateMachine>> CreateMachines()
    {
        for (var i = 0; i < Shards; i++) yield return KeyValuePair.Create<long, IStateMachine>(FirstState + i, new GroupShardState());
    }

    public ValueTask<JoinAnswer> JoinAsync(JoinRequest request, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Group.Name.Length == 0) return ValueTask.FromResult(new JoinAnswer(GroupStatus.InvalidName, request.MemberId));
        var session = TimeSpan.FromMilliseconds(request.SessionTimeoutMs);
        if (session < Options.MinSessionTimeout || session > Options.MaxSessionTimeout)
            return ValueTask.FromResult(new JoinAnswer(GroupStatus.InvalidSessionTimeout, request.MemberId));
        return Answer(ShardFor(request.Group).JoinAsync(request, cancellation), status => new JoinAnswer(status, request.MemberId));
    }

    public ValueTask<SyncAnswer> SyncAsync(SyncRequest request, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(request);
        return Answer(ShardFor(request.Group).SyncAsync(request, cancellation), SyncAnswer.Refused);
    }

    public ValueTask<ConsumerAnswer> HeartbeatAsync(ConsumerHeartbeat heartbeat, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(heartbeat);
        if (Check(heartbeat) is { } refused) return ValueTask.FromResult(refused);
        return Answer(ShardFor(heartbeat.Group).HeartbeatAsync(heartbeat, cancellation), status => new ConsumerAnswer(status, heartbeat.MemberId, heartbeat.Epoch));
    }

    private static ConsumerAnswer? Check(ConsumerHeartbeat heartbeat)
    {
        ConsumerAnswer Refuse(GroupStatus status, string why) => new(status, heartbeat.MemberId, heartbeat.Epoch) { Message = why };
        if (heartbeat.Group.Name.Length == 0) return Refuse(GroupStatus.InvalidRequest, "GroupId can't be empty.");
        if (heartbeat.InstanceId?.Length == 0) return Refuse(GroupStatus.InvalidRequest, "InstanceId can't be empty.");
        if (heartbeat.Rack?.Length == 0) return Refuse(GroupStatus.InvalidRequest, "RackId can't be empty.");
        if (heartbeat.Epoch < ConsumerHeartbeat.AwayEpoch) return Refuse(GroupStatus.InvalidRequest, "MemberEpoch is invalid.");
        if (heartbeat.Epoch != ConsumerHeartbeat.JoinEpoch && heartbeat.MemberId.Length == 0) return Refuse(GroupStatus.InvalidRequest, "MemberId can't be empty.");
        if (heartbeat.Epoch == ConsumerHeartbeat.AwayEpoch && heartbeat.InstanceId is null) return Refuse(GroupStatus.InvalidRequest, "InstanceId can't be null.");
        if (heartbeat.Epoch == ConsumerHeartbeat.JoinEpoch)
        {
            if (heartbeat.RebalanceTimeoutMs is null) return Refuse(GroupStatus.InvalidRequest, "RebalanceTimeoutMs must be provided in first request.");
            if (heartbeat.Owned is not { Count: 0 }) return Refuse(GroupStatus.InvalidRequest, "TopicPartitions must be empty when (re-)joining.");
            if (heartbeat.Topics is not { Count: > 0 } && string.IsNullOrEmpty(heartbeat.TopicPattern))
                return Refuse(GroupStatus.InvalidRequest, "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.");
        }
        if (heartbeat.Assignor is not null && !ConsumerGroup.AssignorNames.Contains(heartbeat.Assignor))
            return Refuse(GroupStatus.UnsupportedAssignor, $"ServerAssignor {heartbeat.Assignor} is not supported. Supported assignors: {string.Join(", ", ConsumerGroup.AssignorNames)}.");
        if (!string.IsNullOrEmpty(heartbeat.TopicPattern) && !TopicPattern.TryCompile(heartbeat.TopicPattern, out _, out var why)) return Refuse(GroupStatus.InvalidPattern, why);
        return null;
    }

    public GroupStatus Heartbeat(GroupName group, GroupCaller caller) => ShardFor(group).Heartbeat(group, caller);

    public ValueTask<IReadOnlyList<GroupStatus>> LeaveAsync(GroupName group, IReadOnlyList<LeavingMember> members, CancellationToken cancellation) =>
        Answer(ShardFor(group).LeaveAsync(group, members, cancellation), status => [.. members.Select(_ => status)]);

    public ValueTask<GroupStatus> CommitOffsetsAsync(
        GroupName group, GroupCaller caller, IReadOnlyList<OffsetCommit> offsets, long retentionMs, CancellationToken cancellation) =>
        Answer(ShardFor(group).CommitOffsetsAsync(group, caller, offsets, retentionMs, cancellation), static status => status);

    public ValueTask<OffsetsAnswer> FetchOffsetsAsync(
        GroupName group, GroupCaller caller, IReadOnlyList<GroupPartition>? partitions, bool requireStable, CancellationToken cancellation) =>
        Answer(ShardFor(group).FetchOffsetsAsync(group, caller, partitions, requireStable, cancellation), static status => new OffsetsAnswer(status, []));

    public ValueTask<DeleteOffsetsAnswer> DeleteOffsetsAsync(GroupName group, IReadOnlyList<GroupPartition> partitions, CancellationToken cancellation) =>
        Answer(ShardFor(group).DeleteOffsetsAsync(group, partitions, cancellation), static status => new DeleteOffsetsAnswer(status, []));

    public ValueTask<GroupsAnswer> ListAsync(CancellationToken cancellation) => Answer(ListAllAsync(cancellation), static status => new GroupsAnswer(status, []));

    private async ValueTask<GroupsAnswer> ListAllAsync(CancellationToken cancellation)
    {
        var all = new List<GroupSummary>();
        foreach (var listing in _shards.Select(shard => shard.ListAsync(cancellation).AsTask()).ToList()) all.AddRange(await listing);
        all.Sort(static (a, b) => string.CompareOrdinal(a.Name.ToString(), b.Name.ToString()));
        return new GroupsAnswer(GroupStatus.Ok, all);
    }

    public ValueTask<GroupAnswer> DescribeAsync(GroupName group, CancellationToken cancellation) =>
        Answer(ShardFor(group).DescribeAsync(group, cancellation), static status => new GroupAnswer(status, null));

    public ValueTask<GroupStatus> DeleteAsync(GroupName group, CancellationToken cancellation) =>
        Answer(ShardFor(group).DeleteAsync(group, cancellation), static status => status);

    public async Task ExpireAsync()
    {
        foreach (var shard in _shards) await shard.ExpireAsync();
    }

    private void OnExpiryTimer()
    {
        if (Interlocked.Exchange(ref _isExpiring, 1) == 0) _scheduler.Run("group expiry", ExpireInBackgroundAsync);
    }

    [SuppressMessage("Design", "CA1031", Justification = "Nobody waits for this task; what went wrong stops the store, which says so.")]
    private async Task ExpireInBackgroundAsync()
    {
        try
        {
            await ExpireAsync();
        }
        catch (Exception error) when (error is StorageFullException or StoreFailedException or GroupsMovedException)
        {
            // What has expired stays until the next time, if there is one.
        }
        catch (Exception error)
        {
            _store.Fail(error);
        }
        finally
        {
            Volatile.Write(ref _isExpiring, 0);
        }
    }

    public void Dispose()
    {
        _expiry.Dispose();
        foreach (var shard in _shards) shard.Dispose();
    }

    StateLog ITransactionalOffsets.ShardOf(GroupName group) => ShardFor(group).Log;

    int ITransactionalOffsets.BytesOf(GroupName group, IReadOnlyList<OffsetCommit> offsets) => GroupEvents.SizeOf(group, offsets);

    GroupStatus ITransactionalOffsets.Check(GroupName group, GroupCaller caller) => ShardFor(group).CheckCommit(group, caller, transactional: true);

    void ITransactionalOffsets.Stage(Commit commit, GroupName group, long producerId, short producerEpoch, IReadOnlyList<OffsetCommit> offsets) =>
        ShardFor(group).Stage(commit, group, producerId, producerEpoch, offsets);

    bool ITransactionalOffsets.HasPending(StateLog shard, long producerId) => ShardOf(shard).HasPending(producerId);

    void ITransactionalOffsets.Complete(Commit commit, StateLog shard, long producerId, bool committed) =>
        ShardOf(shard).Complete(commit, producerId, committed);

    private GroupShard ShardFor(GroupName group)
    {
        ArgumentNullException.ThrowIfNull(group);
        return _shards[group.StableHash() % Shards];
    }

    private GroupShard ShardOf(StateLog log) => _shards[log.Id - FirstState];

    private static async ValueTask<T> Answer<T>(ValueTask<T> command, Func<GroupStatus, T> refuse)
    {
        try
        {
            return await command;
        }
        catch (StorageFullException)
        {
            return refuse(GroupStatus.Full);
        }
        catch (StoreFailedException)
        {
            return refuse(GroupStatus.StorageError);
        }
        catch (GroupsMovedException)
        {
            return refuse(GroupStatus.Moved);
        }
    }
}

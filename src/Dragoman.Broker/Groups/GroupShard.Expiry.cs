using Dragoman.Broker.Groups.Classic;
using Dragoman.Broker.Groups.Offsets;
using Dragoman.Broker.Groups.State;

namespace Dragoman.Broker.Groups;

/// <summary>
/// Forgetting offsets that nobody has use for any more (KIP-211), those of topics that are gone, and groups of which
/// nothing is left.
/// </summary>
internal sealed partial class GroupShard
{
    // Of a group that has more, the rest goes with the next event.
    private const int ExpiredPerEvent = 4096;

    /// <summary>Looks at every group once.</summary>
    public async Task ExpireAsync()
    {
        List<GroupName> names;
        lock (Log.Lock) names = [.. _state.Groups.Keys];
        foreach (var name in names)
        {
            while (await ExpireAsync(name))
            {
            }
        }
    }

    /// <summary>Forgets what has expired of a group; true if there may be more.</summary>
    private async ValueTask<bool> ExpireAsync(GroupName name)
    {
        List<GroupPartition> expired = [];
        var isOver = false;
        return await RunAsync(
            () =>
            {
                expired.Clear();
                isOver = false;
                if (_disposed || !_state.Groups.TryGetValue(name, out var group)) return -1;
                CollectExpired(group, expired);
                // It goes as a whole where nothing would be left of it.
                isOver = expired.Count == group.Offsets.Count && !group.HasPending && !IsLive(name);
                return isOver ? GroupEvents.SizeOf(name) : expired.Count > 0 ? GroupEvents.SizeOf(name, expired.Count) : -1;
            },
            (commit, _) =>
            {
                if (isOver) Emit(commit, evt => GroupEvents.GroupDeleted(evt, name));
                else if (expired.Count > 0) Emit(commit, evt => GroupEvents.OffsetsDeleted(evt, name, expired));
                return !isOver && expired.Count == ExpiredPerEvent;
            },
            urgent: true);
    }

    private void CollectExpired(GroupRecord group, List<GroupPartition> expired)
    {
        _classic.TryGetValue(group.Name, out var live);
        _consumer.TryGetValue(group.Name, out var consumer);
        var now = WallClockMs;
        var retention = (long)_options.OffsetsRetention.TotalMilliseconds;
        foreach (var (partition, offset) in group.Offsets)
        {
            if (expired.Count == ExpiredPerEvent) return;
            if (group.HasPendingOf(partition)) continue;
            if (_topics.Find(partition.Topic) is not { } topic)
            {
                expired.Add(partition);
                continue;
            }
            long since;
            if (consumer is not null)
            {
                if (consumer.IsSubscribedTo(topic)) continue;
                since = offset.CommittedAtMs;
            }
            else if (live is not { MemberCount: > 0 })
            {
                // From when the last member went, or somebody committed from outside, whichever is later.
                since = Math.Max(offset.CommittedAtMs, group.Classic?.SinceMs ?? group.Consumer?.EmptySinceMs ?? 0);
            }
            else if (live.State == ClassicState.Stable && live.ProtocolType == ClassicGroup.ConsumerType && !live.IsSubscribedTo(topic.Name))
            {
                since = offset.CommittedAtMs;
            }
            else
            {
                continue;
            }
            if (offset.ExpiresAtMs >= 0 ? now >= offset.ExpiresAtMs : now - since >= retention) expired.Add(partition);
        }
    }
}

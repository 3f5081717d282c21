using System.Diagnostics.CodeAnalysis;
using Dragoman.Broker.Configs;
using Dragoman.Broker.Groups.Classic;
using Dragoman.Broker.Groups.Consumer;
using Dragoman.Broker.Groups.State;
using Dragoman.Broker.Topics;
using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Groups;

/// <summary>
/// The groups that one state log holds: a unit of ownership. Everything happens under the lock of the state. Groups that
/// have members live here as objects; what is durable of them, and of the others, is in <see cref="GroupShardState"/>.
/// </summary>
internal sealed partial class GroupShard : IDisposable
{
    private const long Never = long.MaxValue;

    // How long to wait for room on disk before trying again what time has come for.
    private const long RetryMs = 1000;

    private readonly GroupShardState _state;
    private readonly Store _store;
    private readonly IScheduler _scheduler;
    private readonly ITopics _topics;
    private readonly TopicView _topicView;
    private readonly IConfigs _configs;
    private readonly GroupOptions _options;
    private readonly Random _random;
    private readonly GroupDefects _defects;
    private readonly ITimer _timer;
    private readonly long _started;
    private readonly PriorityQueue<GroupName, long> _due = new();
    private long _timerAt = Never;
    private bool _isTimeRunning;
    private bool _disposed;

    public GroupShard(Store store, StateLog log, ITopics topics, IConfigs configs, GroupOptions options, IScheduler scheduler, Random random, GroupDefects defects)
    {
        Log = log;
        _state = (GroupShardState)log.Machine;
        _store = store;
        _topics = topics;
        _options = options;
        _scheduler = scheduler;
        _topicView = new TopicView(topics);
        _configs = configs;
        _random = random;
        _defects = defects;
        _started = store.Time.GetTimestamp();
        _timer = store.Time.CreateTimer(static shard => ((GroupShard)shard!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        lock (Log.Lock)
        {
            foreach (var record in _state.Groups.Values)
            {
                if (record.Classic is { Members.Count: > 0 } classic)
                {
                    var group = ClassicGroup.From(record.Name, classic, options, NowMs);
                    _classic.Add(record.Name, group);
                    Schedule(group);
                }
                else if (record.Consumer is { Members.Count: > 0 } consumer)
                {
                    var group = NewConsumerGroup(record.Name, consumer);
                    _consumer.Add(record.Name, group);
                    group.TakeUp(NowMs);
                    Schedule(group);
                }
            }
        }
    }

    public StateLog Log { get; }

    /// <summary>Milliseconds of a clock that only goes forward.</summary>
    private long NowMs => (long)_store.Time.GetElapsedTime(_started).TotalMilliseconds;

    /// <summary>Milliseconds since 1970.</summary>
    private long WallClockMs => _store.Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Serves no more. Whoever waits is told that the groups have moved, and whoever comes now.</summary>
    public void Dispose()
    {
        if (_defects.ServeAfterMove) return;
        var effects = new GroupEffects();
        lock (Log.Lock)
        {
            _disposed = true;
            foreach (var group in _classic.Values) group.Dissolve(effects, GroupStatus.Moved);
        }
        _timer.Dispose();
        effects.Release();
    }

    /// <summary>Checks, under the lock, that the groups are still served here: another shard may hold their members by now.</summary>
    /// <exception cref="GroupsMovedException">They are not.</exception>
    private void CheckServes()
    {
        if (_disposed) throw new GroupsMovedException();
    }

    /// <summary>
    /// Runs a command under the lock. First it is asked how many bytes of events it may emit: none (a negative number)
    /// lets it run at once; else room for them is admitted first, and its effects and its answer wait for the commit, and
    /// so for all that the command has seen.
    /// </summary>
    private async ValueTask<T> RunAsync<T>(Func<int> needs, Func<Commit?, GroupEffects, T> command, bool urgent, CancellationToken cancellation = default)
    {
        var effects = new GroupEffects();
        Commit? commit = null;
        var admitted = -1;
        T answer;
        ValueTask committed = default;
        while (true)
        {
            int needed;
            bool hasMoved;
            lock (Log.Lock)
            {
                hasMoved = _disposed;
                needed = hasMoved ? 0 : needs();
                if (!hasMoved && (needed <= admitted || needed < 0))
                {
                    answer = Guarded(commit, effects, command);
                    if (commit is not null) committed = _store.Enqueue(commit);
                    break;
                }
            }
            if (commit is not null) _store.Abandon(commit);
            if (hasMoved) throw new GroupsMovedException();
            commit = null;
            commit = await _store.BeginAsync(CommitMode.Fsync, needed, urgent, cancellation);
            admitted = needed;
        }
        await committed;
        effects.Release();
        return answer;
    }

    private T Guarded<T>(Commit? commit, GroupEffects effects, Func<Commit?, GroupEffects, T> command)
    {
        try
        {
            return command(commit, effects);
        }
        catch (Exception error)
        {
            // A command has nothing to throw. The state may be half changed, so nothing may rest on it any more.
            _store.Fail(error);
            throw;
        }
    }

    private void Emit(Commit? commit, Action<PooledBuffer> write)
    {
        Invariant.Check(commit is not null, "a command that emits has asked for room");
        using var evt = new PooledBuffer();
        write(evt);
        Log.Emit(commit, evt.WrittenSpan);
    }

    // ---- Time

    /// <summary>Sees to it that a group is looked at when its time comes. A time that was moved back is noticed then.</summary>
    private void Schedule(ILiveGroup group)
    {
        var next = group.NextDeadline();
        if (next >= group.ScheduledAt) return;
        group.ScheduledAt = next;
        _due.Enqueue(group.Name, next);
        ArmTimer();
    }

    private void ArmTimer()
    {
        if (_disposed || _isTimeRunning || !_due.TryPeek(out _, out var next) || next >= _timerAt) return;
        _timerAt = next;
        _timer.Change(TimeSpan.FromMilliseconds(Math.Max(next - NowMs, 0)), Timeout.InfiniteTimeSpan);
    }

    private void OnTimer()
    {
        lock (Log.Lock)
        {
            if (_disposed || _isTimeRunning) return;
            _isTimeRunning = true;
        }
        _scheduler.Run("group timers", OnTimeAsync);
    }

    [SuppressMessage("Design", "CA1031", Justification = "Nobody waits for this task; what went wrong stops the store, which says so.")]
    private async Task OnTimeAsync()
    {
        var retryAt = -1L;
        var isOver = false;
        try
        {
            await CatchUpAsync();
        }
        catch (StorageFullException)
        {
            retryAt = NowMs + RetryMs;
        }
        catch (Exception error) when (error is StoreFailedException or GroupsMovedException)
        {
            // The store has said so to everybody; or somebody else looks to the time.
            isOver = true;
        }
        catch (Exception error)
        {
            _store.Fail(error);
            isOver = true;
        }
        lock (Log.Lock)
        {
            _isTimeRunning = false;
            _timerAt = Never;
            if (retryAt >= 0 && !_disposed)
            {
                _timerAt = retryAt;
                _timer.Change(TimeSpan.FromMilliseconds(RetryMs), Timeout.InfiniteTimeSpan);
            }
            // What is due stays so where nothing can be done about it, and would be due again at once.
            if (!isOver) ArmTimer();
        }
    }

    /// <summary>Does all that the time has come for.</summary>
    private async ValueTask CatchUpAsync()
    {
        while (await RunAsync(NeedsOfDue, OnTime, urgent: true))
        {
        }
    }

    private int NeedsOfDue()
    {
        return PeekDue() switch
        {
            null => -1,
            ConsumerGroup consumer => NeedsOfOverdue(consumer),
            var group => ChangeBound(group.Name),
        };
    }

    /// <summary>Does what the time has come for in one group; false when there is none.</summary>
    private bool OnTime(Commit? commit, GroupEffects effects)
    {
        if (PeekDue() is not { } group) return false;
        _due.Dequeue();
        group.ScheduledAt = Never;
        if (group is ConsumerGroup consumer)
        {
            OnTime(consumer, commit, effects);
        }
        else
        {
            ((ClassicGroup)group).OnTime(NowMs, effects);
            Settle((ClassicGroup)group, commit, effects);
        }
        return true;
    }

    /// <summary>The group whose time has come; entries that a later one has replaced are dropped on the way.</summary>
    private ILiveGroup? PeekDue()
    {
        while (_due.TryPeek(out var name, out var at) && at <= NowMs)
        {
            if (_classic.TryGetValue(name, out var classic) && classic.ScheduledAt == at) return classic;
            if (_consumer.TryGetValue(name, out var consumer) && consumer.ScheduledAt == at) return consumer;
            _due.Dequeue();
        }
        return null;
    }
}

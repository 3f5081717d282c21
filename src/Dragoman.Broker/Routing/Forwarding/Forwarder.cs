using System.Diagnostics.CodeAnalysis;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Statistics;
using Dragoman.Broker.Subscriptions;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Routing.Forwarding;

/// <summary>
/// Carries the records of one partition to where the routes of its topic lead: a cursor over the log, up to the last stable
/// offset. How far it has come is in the same commit as what it appends, so a record arrives once, whatever happens in
/// between. One batch is under way at a time, so memory is bounded, and the producer waits for nothing.
/// </summary>
internal sealed class Forwarder : ILogListener, IAsyncDisposable
{
    private const int ReadBytes = 256 << 10;
    private const int MaxFills = 64;
    private const int RetryMs = 1000;

    private readonly Forwarders _owner;
    private readonly LocalTopic _topic;
    private readonly LocalPartition _partition;
    private readonly LogCursor _cursor;
    private readonly TargetCache _targets;
    private readonly WakeSignal _wake = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;
    private volatile bool _isActive;
    private volatile bool _mustMove;
    private volatile string? _problem;
    private long _next;
    private long _lost;
    private long _refused;

    public Forwarder(Forwarders owner, LocalTopic topic, LocalPartition partition)
    {
        _owner = owner;
        _topic = topic;
        _partition = partition;
        _cursor = new LogCursor(partition.Log);
        _targets = new TargetCache(owner.Graph, owner.Topics, topic, partition.Index, owner.Channels);
        _next = owner.NextOf(partition.Log);
    }

    /// <summary>How far it has come.</summary>
    public ForwardingProgress Progress => new(
        _topic.Name, _partition.Index, Volatile.Read(ref _next), _partition.Log.LastStableOffset, Volatile.Read(ref _lost), Volatile.Read(ref _refused), _problem);

    /// <summary>Whether routes begin at the topic. Without any it listens to nothing.</summary>
    public bool IsActive
    {
        get => _isActive;
        set
        {
            if (_isActive == value) return;
            _mustMove |= value;
            _isActive = value;
            if (value) _partition.AddListener(this);
            else _partition.RemoveListener(this);
            _wake.Set();
        }
    }

    /// <summary>Begins.</summary>
    public void Start(IScheduler scheduler) => _running = scheduler.Run("forward", RunAsync);

    /// <summary>Ends; completes when nothing is under way any more.</summary>
    public async ValueTask DisposeAsync()
    {
        IsActive = false;
        await _stop.CancelAsync();
        _wake.Set();
        await _running;
        _stop.Dispose();
    }

    void ILogListener.OnChanged(long logId) => _wake.Set();

    [SuppressMessage("Design", "CA1031", Justification = "Whatever is wrong with one partition, it is said, and tried again.")]
    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            await _wake.WaitAsync();
            try
            {
                while (_isActive && await StepAsync()) _problem = null;
                _problem = null;
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                break;
            }
            catch (StoreFailedException)
            {
                // The process ends, and goes on where the disk says.
                break;
            }
            catch (Exception error)
            {
                await WaitAfterAsync(error);
                _wake.Set();
            }
            if (!_isActive) _cursor.Drop();
        }
        _cursor.Drop();
    }

    /// <summary>Carries on some records.</summary>
    /// <returns>Whether there may be more.</returns>
    private async ValueTask<bool> StepAsync()
    {
        var log = _partition.Log;
        if (log.IsDeleted) return false;
        MoveToStart();
        if (_next >= log.LastStableOffset)
        {
            _cursor.Drop();
            return false;
        }
        using var plan = new ForwardPlan(_topic.Name, new LogPosition(_topic.Id, _partition.Index, 0), _owner.Queues, _owner.Now);
        var next = Read(plan);
        if (next == _next) return false;
        await CommitAsync(plan, next);
        Volatile.Write(ref _next, next);
        plan.Tell();
        return true;
    }

    /// <summary>Passes over what no route carries, and over what is gone.</summary>
    private void MoveToStart()
    {
        if (_mustMove)
        {
            _mustMove = false;
            var first = _owner.Graph.FirstOffset(_topic.Name, _topic.Id, _partition.Index);
            if (first != long.MaxValue && first > _next) Volatile.Write(ref _next, first);
        }
        var start = _partition.Log.StartOffset;
        if (_next >= start) return;
        var firstLost = _next;
        Volatile.Write(ref _next, start);
        // Messages in memory are gone after a restart; nobody was promised anything else.
        if (_partition.Log.Kind == LogKind.Memory) return;
        Volatile.Write(ref _lost, _lost + (start - firstLost));
        _owner.OnFellBehind(_topic.Name, _partition.Index, firstLost, start);
    }

    /// <summary>Adds to a plan what is next.</summary>
    /// <returns>The offset after it.</returns>
    private long Read(ForwardPlan plan)
    {
        var next = _next;
        for (var filled = 0; ;)
        {
            if (!_cursor.TryMoveTo(next))
            {
                // What was read is used up: its last batches may have held nothing that is carried on.
                if (filled > 0) next = Math.Max(next, _cursor.NextOffset);
                // Where nothing goes anywhere, the progress is noted from time to time.
                if (filled++ > 0 && (!plan.IsEmpty || filled > MaxFills)) return next;
                if (!_cursor.FillStable(next, ReadBytes))
                {
                    // What is at the end may have been compacted away.
                    return Math.Max(next, _cursor.NextOffset);
                }
                continue;
            }
            var message = _cursor.Read();
            var route = RecordRoute.Read(message);
            var targets = _targets.Find(message, route);
            if (!targets.IsEmpty)
            {
                var cost = ForwardPlan.CostOf(message, targets);
                if (!plan.IsEmpty && plan.Cost + cost > MessageBatch.MaxBytes) return next;
                if (cost > _owner.MaxCommitBytes) Refuse(1);
                else plan.Add(message, route, targets);
            }
            next = message.Offset + 1;
        }
    }

    private async ValueTask CommitAsync(ForwardPlan plan, long next)
    {
        var (onDisk, inMemory) = (new QueueCommit(_owner.Store), new QueueCommit(_owner.Store));
        plan.Fill(onDisk, inMemory, out var mode);
        // What is in memory is lost in a crash anyway; what is on disk is there with the progress, or not at all.
        if (!inMemory.IsEmpty) await RunAsync(inMemory, CommitMode.Memory, null);
        var progress = new Source(_owner, _partition, next);
        if (_owner.Defects.ProgressFirst) await RunAsync(new QueueCommit(_owner.Store), mode, progress);
        await RunAsync(onDisk, mode, _owner.Defects is { ProgressFirst: false, ProgressLater: false } ? progress : null);
        if (_owner.Defects.ProgressLater) await RunAsync(new QueueCommit(_owner.Store), mode, progress);
        Refuse(plan.Refused);
        _topic.Counters.Add(MessageCounter.PublishOut, plan.ForQueues);
        foreach (var (batch, queue, from) in inMemory.Refusals.Concat(onDisk.Refusals))
        {
            Refuse(batch.Count - from);
            await _owner.BuryAsync(queue, batch, from);
        }
    }

    /// <summary>Commits, however often it takes: what was done before is not done again.</summary>
    private async ValueTask RunAsync(QueueCommit commit, CommitMode mode, Source? source)
    {
        while (true)
        {
            try
            {
                await commit.RunAsync(mode, (m, bytes) => _owner.BeginAsync(m, bytes, _stop.Token), source);
                return;
            }
            catch (StorageFullException full)
            {
                await WaitAfterAsync(full);
                _stop.Token.ThrowIfCancellationRequested();
            }
        }
    }

    /// <summary>Waits before it is tried again; less long if it is to stop.</summary>
    private async ValueTask WaitAfterAsync(Exception error)
    {
        if (_problem is null) _owner.OnStalled(_topic.Name, _partition.Index, error);
        _problem = error.Message;
        try
        {
            await Task.Delay(TimeSpan.FromMilliseconds(RetryMs), _owner.Store.Time, _stop.Token);
        }
        catch (OperationCanceledException)
        {
            // The loop sees that it is to stop.
        }
    }

    private void Refuse(long count)
    {
        if (count > 0) Volatile.Write(ref _refused, _refused + count);
    }

    /// <summary>The progress, as a part of the commit that carries records on.</summary>
    private sealed class Source(Forwarders owner, LocalPartition partition, long next) : ICommitSource
    {
        public Lock Gate => owner.State.Lock;

        public long GateOrder => owner.State.Id;

        public PartitionLog? Log => null;

        public long BytesWanted => 2 * ForwardingState.EventSize;

        public long BytesNeeded => ForwardingState.EventSize;

        public bool IsGone => partition.Log.IsDeleted || partition.Log.IsBeingDeleted;

        public void Emit(Commit commit) => owner.State.Emit(commit, ForwardingState.Advance(partition.Log.Id, next));

        public void ChangeLog(Commit commit)
        {
        }
    }
}

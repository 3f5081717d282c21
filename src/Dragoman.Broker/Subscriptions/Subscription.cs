using System.Runtime.ExceptionServices;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Statistics;
using Dragoman.Storage.Log;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Subscriptions;

/// <summary>
/// Delivers the messages of one log: the one engine behind queues, subscriptions and share groups. What survives a
/// restart is in <see cref="SubscriptionState"/>; this adds who holds what, whose turn it is, and what comes next.
/// </summary>
/// <remarks>
/// <para>
/// Everything here is guarded by <see cref="Gate"/>, except the cursors, which belong to the pass that is running; there
/// is one at a time. A pass takes in what is new and what is due, hands out what there is, reads outside the lock what
/// it lacks, and then starts the commit of what was settled meanwhile.
/// </para>
/// <para>
/// A message that is present is in one of these: beyond the frontier, not yet looked at; in a lane, ready; held, in the
/// leases; delayed; waiting for its key; or on its way elsewhere.
/// </para>
/// </remarks>
internal sealed partial class Subscription : IThreadPoolWorkItem, ILogListener, IDue
{
    private const int Idle = 0;
    private const int Posted = 1;
    private const int Running = 2;
    private const int RunningAgain = 3;

    private readonly SubscriptionHost _host;
    private readonly ISubscriptionOwner _owner;
    private readonly MessageCounters _counters;
    private readonly StateLog? _state;
    private readonly SubscriptionState _machine;
    private readonly Dictionary<long, Lease> _leases = [];
    private readonly PendingProgress _pending = new();
    private readonly long _first;
    private int _run;
    private bool _isDeleted;
    private bool _isStopping;
    private bool _isMoved;
    private long _nextLease;
    private QueueSettings _queueSettings;

    /// <summary>Messages that are settled, those whose settlement is not committed yet included.</summary>
    private OffsetSet _gone;

    /// <summary>All messages before this one have been delivered once, unless the counts say otherwise.</summary>
    private long _reached;

    /// <summary>Deliveries of messages that differ from what <see cref="_reached"/> says.</summary>
    private readonly Dictionary<long, int> _counts;

    /// <summary>The timed leases that messages which came back were held under last. Not remembered over a restart.</summary>
    private readonly Dictionary<long, EndedLease> _endedLeases = [];

    /// <param name="host">What all subscriptions share.</param>
    /// <param name="owner">What it belongs to.</param>
    /// <param name="log">The messages.</param>
    /// <param name="state">The state in the journal; null if nothing of it shall survive.</param>
    /// <param name="machine">The state.</param>
    /// <param name="settings">How to deliver.</param>
    public Subscription(SubscriptionHost host, ISubscriptionOwner owner, PartitionLog log, StateLog? state, SubscriptionState machine, QueueSettings settings)
    {
        _host = host;
        _owner = owner;
        _counters = owner.Counters;
        Log = log;
        _state = state;
        _machine = machine;
        _queueSettings = settings;
        _first = state is null ? machine.Settled.Prefix : 0;
        _gone = machine.Settled.Clone();
        _reached = machine.Reached;
        _counts = new Dictionary<long, int>(machine.Counts);
        _single = new LogCursor(log);
        _delayed = new DueIndex(host.Scratch);
        _expiries = new DueIndex(host.Scratch);
        Gate = state?.Lock ?? new Lock();
        _lastUsed = host.Now;
        _passed = End;
        _nextLease = Math.Max(_lastUsed, 0) << 20;
        if (IsInert) return;
        Recover();
        log.AddListener(this);
    }

    /// <summary>The messages.</summary>
    public PartitionLog Log { get; }

    /// <summary>Guards the subscription: the lock of its state. Taken before those of logs.</summary>
    public Lock Gate { get; }

    /// <summary>The order in which the gates of several subscriptions are taken.</summary>
    public long GateOrder => _state?.Id ?? Log.Id;

    /// <summary>Whether nothing of it survives a restart.</summary>
    public bool IsVolatile => _state is null;

    public bool IsDeleted => Volatile.Read(ref _isDeleted);

    /// <summary>Whether it only stands for the log: the queue keeps its messages, and they are read past it.</summary>
    private bool IsInert => _queueSettings.Retention is not null;

    /// <summary>What whoever asks something of it is told when it is over.</summary>
    private QueueStatus OverStatus => _isMoved ? QueueStatus.Moved : QueueStatus.NotFound;

    /// <summary>Whether it takes no more part in anything.</summary>
    private bool IsOver => _isDeleted || _isStopping;

    /// <summary>How messages are taken and delivered.</summary>
    public QueueSettings Settings
    {
        get => Volatile.Read(ref _queueSettings);
        set
        {
            lock (Gate)
            {
                var before = _queueSettings;
                Volatile.Write(ref _queueSettings, value);
                _lastUsed = _host.Now;
                // The bytes that are ready are only known where they are limited.
                var knowsLess = before.MaxLengthBytes < 0 && value.MaxLengthBytes >= 0;
                if (before.Subscription.Dispatch != value.Subscription.Dispatch)
                {
                    // Who waits for what is another matter now.
                    _keys = null;
                    knowsLess = true;
                }
                if (knowsLess) LookAgain();
            }
            Schedule();
        }
    }

    private SubscriptionSettings Delivery => _queueSettings.Subscription;

    /// <summary>The offset after the last message that may be delivered.</summary>
    private long End => Log.LastStableOffset;

    /// <summary>Messages that are there and not settled, up to an offset.</summary>
    private long PresentUpTo(long end) => end - _gone.Prefix - _gone.Beyond;

    private long ReadyUpTo(long end) => Math.Max(0, PresentUpTo(end) - _leases.Count - _waitingForTime.Count - _departingOffsets.Count);

    void ILogListener.OnChanged(long logId)
    {
        // Whoever begins to want messages says so before it looks at the log.
        Interlocked.MemoryBarrier();
        if (!Volatile.Read(ref _restsUntilAsked)) Schedule();
    }

    /// <summary>
    /// Whether messages that come in are nothing to it until somebody asks for them, or a time has come for which it is armed.
    /// Changes under the lock; it is off from before anybody wants something until a pass has found that nobody does.
    /// </summary>
    private bool _restsUntilAsked;

    long IDue.ArmedFor { get; set; } = long.MaxValue;

    void IDue.OnDue() => Schedule();

    /// <summary>Has a pass run soon.</summary>
    public void Schedule()
    {
        if (IsInert) return;
        while (true)
        {
            var run = Volatile.Read(ref _run);
            if (run is Posted or RunningAgain) return;
            var next = run == Idle ? Posted : RunningAgain;
            if (Interlocked.CompareExchange(ref _run, next, run) != run) continue;
            if (next == Posted) _host.Scheduler.Post(this);
            return;
        }
    }

    /// <summary>
    /// Has a pass run: at once, on the caller's thread, where nothing of it takes long, and else soon. The caller holds no lock.
    /// </summary>
    private void RunOrSchedule()
    {
        // What lives on disk may have to be read from there.
        if (IsInert || Log.Kind != LogKind.Memory || Interlocked.CompareExchange(ref _run, Running, Idle) != Idle)
        {
            Schedule();
            return;
        }
        try
        {
            RunPass();
        }
        catch (Exception error)
        {
            // What goes wrong in a pass ends the process, whoever ran it.
            _host.Scheduler.Post(new Failure(ExceptionDispatchInfo.Capture(error)));
            throw;
        }
    }

    private sealed class Failure(ExceptionDispatchInfo error) : IThreadPoolWorkItem
    {
        public void Execute() => error.Throw();
    }

    void IThreadPoolWorkItem.Execute()
    {
        Volatile.Write(ref _run, Running);
        RunPass();
    }

    private void RunPass()
    {
        try
        {
            Pass();
        }
        catch (IOException error)
        {
            // What cannot be read cannot be delivered now; perhaps later, and the others go on.
            _host.Failed(error);
            EndReceives(QueueStatus.StorageError);
            _host.Timers.Arm(this, _host.Now + RetryMs);
        }
        if (Interlocked.CompareExchange(ref _run, Idle, Running) == Running) return;
        Volatile.Write(ref _run, Posted);
        _host.Scheduler.Post(this);
    }

    /// <summary>A message is settled: it is not delivered any more, and with the next commit that is durable.</summary>
    private void SettleAs(SettleReason reason, long start, long end)
    {
        _gone.Add(start, end);
        _pending.Settle(reason, start, end);
        for (var offset = start; offset < end && _endedLeases.Count > 0; offset++) _endedLeases.Remove(offset);
        if (_counts.Count == 0) return;
        for (var offset = start; offset < end && _counts.Count > 0; offset++) _counts.Remove(offset);
    }

    /// <summary>How often a message has been delivered.</summary>
    private int CountOf(long offset) => _counts.Count > 0 && _counts.TryGetValue(offset, out var count) ? count : offset < _reached ? 1 : 0;

    /// <summary>A message has been delivered for the n-th time.</summary>
    private void SetCount(long offset, int count)
    {
        if (count == 1 && offset >= _reached && _gone.NextOutside(_reached) == offset)
        {
            _reached = offset + 1;
            // One that was given back uncounted may be known for more.
            if (_counts.Count == 0 || !_counts.ContainsKey(offset)) return;
        }
        _counts[offset] = count;
        if (_state is not null) _pending.Count(offset, count);
    }

    public SubscriptionCounts Counts
    {
        get
        {
            lock (Gate)
                return new SubscriptionCounts(ReadyUpTo(End), _leases.Count + _departingOffsets.Count, _waitingForTime.Count, _consumers.Count, _readyBytes);
        }
    }

    public Conservation Conservation
    {
        get
        {
            lock (Gate)
            {
                var end = End;
                return new Conservation
                {
                    Accepted = end - _first,
                    Replayed = _machine.Replayed,
                    Acknowledged = SettledFor(SettleReason.Acknowledged),
                    Expired = SettledFor(SettleReason.Expired),
                    DeadLettered = SettledFor(SettleReason.DeadLettered),
                    MovedOut = SettledFor(SettleReason.MovedOut),
                    Purged = SettledFor(SettleReason.Purged),
                    Filtered = SettledFor(SettleReason.Filtered),
                    Dropped = SettledFor(SettleReason.Dropped),
                    Ready = CountReady(end),
                    Delayed = _waitingForTime.Count,
                    Leased = _leases.Count + _departingOffsets.Count,
                };
            }
        }
    }

    private long SettledFor(SettleReason reason) => _machine.SettledFor(reason) + _pending.MessagesFor(reason);

    /// <summary>Counts what is ready where it is, rather than by what is not: so that a message that got lost is missed.</summary>
    private long CountReady(long end)
    {
        var ready = Math.Max(0, end - _frontier) + (_keys?.Waiting ?? 0) + _arrivedQuietly.Count;
        foreach (var lane in _lanes) ready += lane?.Count(_gone, end) ?? 0;
        return ready - _leftInLane.Count;
    }

    /// <summary>Ends it: the queue is gone. The caller does not hold the lock.</summary>
    /// <returns>Messages that were ready.</returns>
    public long Delete()
    {
        List<Consumer> consumers;
        List<TaskCompletionSource<Exception?>> waiting;
        long messages;
        lock (Gate)
        {
            if (_isDeleted) return 0;
            messages = ReadyUpTo(End);
            (consumers, waiting) = LeaveAll();
        }
        Log.RemoveListener(this);
        EndReceives(QueueStatus.NotFound);
        // A last pass removes its scratch files.
        Schedule();
        foreach (var waiter in waiting) waiter.TrySetResult(null);
        foreach (var consumer in consumers) consumer.Sink.OnEnded(consumer, ConsumerEnd.Deleted);
        return messages;
    }

    /// <summary>
    /// Ends it because another takes its place: what it has not committed is gone, as after a crash.
    /// </summary>
    /// <param name="replace">Puts the other one in its place; called under the lock.</param>
    /// <returns>Tells whoever waits or consumes; to be called without the lock.</returns>
    public Action MoveAway(Action replace)
    {
        List<Consumer> consumers;
        List<TaskCompletionSource<Exception?>> waiting;
        lock (Gate)
        {
            if (IsOver) return static () => { };
            _isMoved = true;
            (consumers, waiting) = LeaveAll();
            replace();
        }
        return () =>
        {
            Log.RemoveListener(this);
            EndReceives(QueueStatus.Moved);
            Schedule();
            foreach (var waiter in waiting) waiter.TrySetResult(new SubscriptionMovedException());
            foreach (var consumer in consumers) consumer.Sink.OnEnded(consumer, ConsumerEnd.Moved);
        };
    }

    /// <summary>Forgets everything, and everybody; the caller holds the lock, and tells them.</summary>
    private (List<Consumer> Consumers, List<TaskCompletionSource<Exception?>> Waiting) LeaveAll()
    {
        Volatile.Write(ref _isDeleted, true);
        List<Consumer> consumers = [.. _consumers, .. _passive];
        _consumers.Clear();
        _passive.Clear();
        foreach (var consumer in consumers)
        {
            consumer.IsClosed = consumer.IsCancelled = true;
            _ring.Remove(consumer);
        }
        _leases.Clear();
        _pending.Clear();
        _delayed.Clear();
        _expiries.Clear();
        _waitingForTime.Clear();
        _departing.Clear();
        _leavingAgain.Clear();
        _departingOffsets.Clear();
        NoteDeparted(_departures);
        var waiting = _waiting;
        _waiting = [];
        return (consumers, waiting);
    }

    /// <summary>Ends deliveries and settlements because the broker stops; completes when what was settled is committed.</summary>
    public async Task StopAsync()
    {
        List<Consumer> consumers;
        Task committed;
        lock (Gate)
        {
            if (_isDeleted || _isStopping) return;
            _isStopping = true;
            consumers = [.. _consumers];
            // Those that are only about to leave do so after the next start.
            _departing.Clear();
            _leavingAgain.Clear();
            if (!_isDeparting) _departingOffsets.Clear();
            if (!_isDeparting) NoteDeparted(_departures);
            committed = _pending.IsEmpty && _reached <= _machine.Reached && _waiting.Count == 0 && !_isCommitting && !_isDeparting ? Task.CompletedTask : Committed();
        }
        Log.RemoveListener(this);
        EndReceives(QueueStatus.StorageError);
        foreach (var consumer in consumers) consumer.Sink.OnEnded(consumer, ConsumerEnd.Stopped);
        if (committed.IsCompleted) return;
        Schedule();
        await committed;
    }
}

using Dragoman.Broker.Queues;
using Dragoman.Storage.Log;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Subscriptions;

/// <summary>
/// Delivers the messages of one log: the one engine behind queues, subscriptions and share groups. What survives a
/// restart is in <see cref="SubscriptionState"/>; this adds who holds what, whose turn it is, and where to read on.
/// </summary>
/// <remarks>
/// Everything here is guarded by <see cref="Gate"/>, except the cursors, which belong to the pass that is running; there
/// is one at a time. A pass hands out what there is, outside the lock reads what it lacks, and then starts the commit
/// of what was settled meanwhile.
/// </remarks>
internal sealed partial class Subscription : IThreadPoolWorkItem, ILogListener
{
    private const int Idle = 0;
    private const int Posted = 1;
    private const int Running = 2;
    private const int RunningAgain = 3;

    private readonly SubscriptionHost _host;
    private readonly StateLog? _state;
    private readonly SubscriptionState _machine;
    private readonly Dictionary<long, Lease> _leases = [];
    private readonly PriorityQueue<Returned, long> _returned = new();
    private readonly PendingSettlements _pending = new();
    private int _run;
    private bool _isDeleted;
    private SubscriptionSettings _settings;

    /// <summary>Messages from here on have not been looked at since the start.</summary>
    private long _next;

    /// <summary>Messages from here on have never been delivered, as far as this life knows.</summary>
    private long _reached;

    /// <summary>A message that came back.</summary>
    private readonly record struct Returned(long Offset, int Count);

    /// <param name="host">What all subscriptions share.</param>
    /// <param name="log">The messages.</param>
    /// <param name="state">The state in the journal; null if nothing of it shall survive.</param>
    /// <param name="machine">The state.</param>
    /// <param name="settings">How to deliver.</param>
    public Subscription(SubscriptionHost host, PartitionLog log, StateLog? state, SubscriptionState machine, SubscriptionSettings settings)
    {
        _host = host;
        Log = log;
        _state = state;
        _machine = machine;
        _settings = settings;
        _next = machine.Settled.Prefix;
        _reached = machine.Reached;
        _first = state is null ? _next : 0;
        Gate = state?.Lock ?? new Lock();
        _cursor = new LogCursor(log);
        _returnedCursor = new LogCursor(log);
        log.AddListener(this);
    }

    /// <summary>The offset with which the log began.</summary>
    private readonly long _first;

    /// <summary>The messages.</summary>
    public PartitionLog Log { get; }

    /// <summary>Guards the subscription: the lock of its state. Taken before the log's.</summary>
    public Lock Gate { get; }

    /// <summary>How messages are delivered.</summary>
    public SubscriptionSettings Settings
    {
        get => Volatile.Read(ref _settings);
        set
        {
            lock (Gate) Volatile.Write(ref _settings, value);
            Schedule();
        }
    }

    /// <summary>The offset after the last message that may be delivered.</summary>
    private long End => Log.LastStableOffset;

    /// <summary>Messages that are there: neither settled nor about to be.</summary>
    private long Present => Math.Max(0, End - _machine.Settled.Prefix - _machine.Settled.Beyond - _pending.Messages);

    private long Ready => Math.Max(0, Present - _leases.Count);

    void ILogListener.OnChanged(long logId) => Schedule();

    /// <summary>Has a pass run soon.</summary>
    public void Schedule()
    {
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

    void IThreadPoolWorkItem.Execute()
    {
        Volatile.Write(ref _run, Running);
        try
        {
            Pass();
        }
        catch (IOException error)
        {
            // What cannot be read cannot be delivered; the others go on.
            _host.ReadFailed(this, error);
        }
        if (Interlocked.CompareExchange(ref _run, Idle, Running) == Running) return;
        Volatile.Write(ref _run, Posted);
        _host.Scheduler.Post(this);
    }

    public SubscriptionCounts Counts
    {
        get
        {
            lock (Gate) return new SubscriptionCounts(Ready, _leases.Count, 0, _consumers.Count, 0, -1);
        }
    }

    public Conservation Conservation
    {
        get
        {
            lock (Gate)
            {
                return new Conservation
                {
                    Accepted = End - _first,
                    Replayed = _machine.Replayed,
                    Acknowledged = Settled(SettleReason.Acknowledged),
                    Expired = Settled(SettleReason.Expired),
                    DeadLettered = Settled(SettleReason.DeadLettered),
                    MovedOut = Settled(SettleReason.MovedOut),
                    Purged = Settled(SettleReason.Purged),
                    Filtered = Settled(SettleReason.Filtered),
                    Dropped = Settled(SettleReason.Dropped),
                    Ready = Ready,
                    Leased = _leases.Count,
                };
            }
        }
    }

    private long Settled(SettleReason reason) => _machine.SettledFor(reason) + _pending.MessagesFor(reason);

    /// <summary>Ends it: the queue is gone. The caller does not hold the lock.</summary>
    /// <returns>Messages that were ready.</returns>
    public long Delete()
    {
        List<Consumer> consumers;
        long messages;
        lock (Gate)
        {
            if (_isDeleted) return 0;
            _isDeleted = true;
            messages = Ready;
            consumers = [.. _consumers, .. _passive];
            _consumers.Clear();
            _passive.Clear();
            foreach (var consumer in consumers)
            {
                consumer.IsClosed = consumer.IsCancelled = true;
                _ring.Remove(consumer);
            }
            _leases.Clear();
            _returned.Clear();
        }
        Log.RemoveListener(this);
        EndReceives(QueueStatus.NotFound);
        foreach (var consumer in consumers) consumer.Sink.OnEnded(consumer, ConsumerEnd.Deleted);
        return messages;
    }
}

using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Storage.Journal;

namespace Dragoman.Broker.Subscriptions;

/// <summary>Makes durable what was settled, in as few commits as there is time for.</summary>
internal sealed partial class Subscription
{
    private const int MaxDepartures = 512;
    private const int SyncAfterMs = 1000;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _eventBuffer;

    private List<TaskCompletionSource<Exception?>> _waiting = [];
    private readonly Queue<(long Departures, TaskCompletionSource<Exception?> Waiter)> _waitingForDepartures = new();

    /// <summary>Messages that ever left, and those of them that have arrived: they do so in order.</summary>
    private long _departures;
    private long _departed;
    private bool _isCommitting;
    private bool _isDeparting;

    /// <summary>Messages that were to leave, and that nobody took yet; and when they leave again.</summary>
    private readonly List<Departure> _staying = [];
    private readonly Queue<Departure> _leavingAgain = new();
    private long _leaveAgainAt;

    private long _retryAt;

    /// <summary>Since when something is committed that nobody waits for and that the disk may not have; 0 for nothing.</summary>
    private long _unsyncedSince;

    /// <summary>Whether what nobody waits for has waited long enough for the disk.</summary>
    private bool MustSync(long now) => _unsyncedSince > 0 && now >= _unsyncedSince + SyncAfterMs;

    private static SubscriptionAnswer Answer(long count, Exception? failure) => failure switch
    {
        null => new SubscriptionAnswer(QueueStatus.Ok, count),
        SubscriptionMovedException => new SubscriptionAnswer(QueueStatus.Moved, count),
        StorageFullException full => new SubscriptionAnswer(QueueStatus.Full, count, full.Message),
        _ => new SubscriptionAnswer(QueueStatus.StorageError, count, failure.Message),
    };

    /// <summary>
    /// Completes when everything settled so far is committed, and what left so far has arrived; with null or with what went
    /// wrong.
    /// </summary>
    private Task<Exception?> Committed()
    {
        var waiter = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (_departed < _departures) _waitingForDepartures.Enqueue((_departures, waiter));
        else _waiting.Add(waiter);
        return waiter.Task;
    }

    /// <summary>Departures have arrived: those who waited for them wait for the next commit, in which all before is.</summary>
    private void NoteDeparted(long upTo)
    {
        _departed = Math.Max(_departed, upTo);
        while (_waitingForDepartures.TryPeek(out var first) && first.Departures <= _departed) _waiting.Add(_waitingForDepartures.Dequeue().Waiter);
    }

    /// <summary>Bytes to ask for when a commit is to hold what is pending, and some more that may come meanwhile.</summary>
    public long PendingBytes
    {
        get
        {
            lock (Gate) return 2L * _pending.MaxBytes + 64;
        }
    }

    // How far delivery has come is nobody's concern after a restart where nothing survives one.
    private bool HasToCommit => !_pending.IsEmpty || (!IsVolatile && _reached > _machine.Reached) || _waiting.Count > 0 || _truncationIsDue;

    /// <summary>Starts the commit of what was settled and delivered, unless one is under way: what comes meanwhile is the next one's.</summary>
    private void StartCommit()
    {
        lock (Gate)
        {
            if (_isCommitting || _isDeleted) return;
            if (!HasToCommit && !MustSync(_host.Now)) return;
            if (_retryAt > 0 && _host.Now < _retryAt && !_isStopping) return;
            _retryAt = 0;
            _isCommitting = true;
        }
        _ = CommitAsync();
    }

    /// <summary>Commits what was settled so far. It does not throw: those who wait hear of errors.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "The error goes to those who wait for the commit.")]
    private async Task CommitAsync()
    {
        List<TaskCompletionSource<Exception?>> waiting = [];
        Exception? failure = null;
        try
        {
            ValueTask committed;
            while (true)
            {
                CommitMode mode;
                lock (Gate)
                {
                    // A power cut that forgets a settlement delivers once more: those who want to know wait for the disk, and
                    // the others have it there within a second or so.
                    mode = IsVolatile ? CommitMode.Memory : _waiting.Count > 0 || MustSync(_host.Now) ? _queueSettings.CommitMode : CommitMode.Written;
                }
                var bytes = PendingBytes;
                // It frees more than it takes, so it may run on a full disk.
                var commit = await _host.Store.BeginAsync(mode, bytes, urgent: true, default);
                lock (Gate)
                {
                    if (_isDeleted || _pending.MaxBytes > bytes || (mode == CommitMode.Written && _waiting.Count > 0 && mode < _queueSettings.CommitMode))
                    {
                        // More has come meanwhile than was asked for, or somebody who waits for the disk.
                        _host.Store.Abandon(commit);
                        if (_isDeleted) return;
                        continue;
                    }
                    (waiting, _waiting) = (_waiting, waiting);
                    if (mode == CommitMode.Fsync) _unsyncedSince = 0;
                    else if (_queueSettings.CommitMode == CommitMode.Fsync && !IsVolatile && _unsyncedSince == 0) _unsyncedSince = _host.Now;
                    committed = EnqueuePending(commit);
                }
                break;
            }
            if (IsVolatile) _host.Store.Work();
            await committed;
        }
        catch (Exception error)
        {
            failure = error;
        }
        Committed(waiting, failure);
    }

    private void Committed(List<TaskCompletionSource<Exception?>> waiting, Exception? failure)
    {
        bool goesOn;
        lock (Gate)
        {
            _isCommitting = false;
            // Where nothing survives a restart nothing is due because something was committed.
            goesOn = !IsVolatile || HasToCommit || _isStopping;
            if (failure is not null)
            {
                waiting = [.. waiting, .. _waiting];
                _waiting.Clear();
                // A full disk may have room later; whoever asks after the disk has failed is told at once.
                if (failure is StorageFullException) _retryAt = _host.Now + RetryMs;
                else _unsyncedSince = 0;
            }
        }
        foreach (var waiter in waiting) waiter.TrySetResult(failure);
        if (failure is null && goesOn) Schedule();
        else if (failure is StorageFullException) _host.Timers.Arm(this, _host.Now + RetryMs);
    }

    private ValueTask EnqueuePending(Commit commit)
    {
        EmitPending(commit);
        lock (Log.Lock)
        {
            Truncate(commit);
            return _host.Store.Enqueue(commit, willWork: true);
        }
    }

    /// <summary>Adds what is pending to a commit. The caller holds the lock.</summary>
    public void EmitPending(Commit commit)
    {
        var evt = _eventBuffer ??= new ArrayBufferWriter<byte>(256);
        evt.ResetWrittenCount();
        _pending.Take(_reached, evt);
        Emit(commit, evt.WrittenSpan);
    }

    /// <summary>
    /// Gives up what is settled from the start of the log on, unless it is kept for replay; so what is settled soon is never
    /// copied by a checkpoint. The caller holds this lock and the log's.
    /// </summary>
    public void Truncate(Commit commit)
    {
        _truncationIsDue = false;
        if (Log.IsBeingDeleted) return;
        var start = Math.Min(_machine.Settled.Prefix, Log.HighWatermark);
        if (Delivery.ReplayWindowMs > 0) start = Math.Min(start, _windowStart);
        Log.AdvanceStart(commit, start);
    }

    /// <summary>Sends messages that leave on their way, unless some are already.</summary>
    private void StartDepartures()
    {
        List<Departure> departures;
        int again;
        lock (Gate)
        {
            if (_isDeparting || IsOver || (_departing.Count == 0 && _leavingAgain.Count == 0)) return;
            if ((_retryAt > 0 && _host.Now < _retryAt) || (_departing.Count == 0 && _host.Now < _leaveAgainAt)) return;
            _isDeparting = true;
            departures = new List<Departure>(Math.Min(_leavingAgain.Count, MaxDepartures) + Math.Min(_departing.Count, MaxDepartures));
            // Those that nobody took yet come first, so that they are not overtaken.
            while (departures.Count < MaxDepartures && _leavingAgain.TryDequeue(out var departure)) departures.Add(departure);
            again = departures.Count;
            while (departures.Count < again + MaxDepartures && _departing.TryDequeue(out var departure)) departures.Add(departure);
        }
        _ = DepartAsync(departures, again);
    }

    /// <summary>Messages that nobody took yet leave again after a while. Nobody waits for them.</summary>
    private void LeaveAgain(IEnumerable<Departure> departures)
    {
        var later = _leavingAgain.ToArray();
        _leavingAgain.Clear();
        foreach (var departure in departures)
            if (_departingOffsets.Contains(departure.Offset)) _leavingAgain.Enqueue(departure);
        foreach (var departure in later) _leavingAgain.Enqueue(departure);
        _leaveAgainAt = _host.Now + RetryMs;
    }

    [SuppressMessage("Design", "CA1031", Justification = "What could not be moved is tried again later.")]
    private async Task DepartAsync(List<Departure> departures, int again)
    {
        Exception? failure = null;
        try
        {
            await _owner.DepartAsync(this, departures);
        }
        catch (Exception error)
        {
            failure = error;
        }
        lock (Gate)
        {
            _isDeparting = false;
            if (failure is null)
            {
                // When the broker stops, the others stay for the next start, and nobody is to wait for them.
                NoteDeparted(IsOver ? _departures : Math.Min(_departures, _departed + departures.Count - again));
                if (_staying.Count > 0) LeaveAgain(_staying);
            }
            else if (IsOver)
            {
                _departingOffsets.Clear();
                NoteDeparted(_departures);
            }
            else
            {
                _host.Failed(failure);
                // They are moved later; whoever waits for that now hears why they are not.
                while (_waitingForDepartures.TryDequeue(out var waiter)) waiter.Waiter.TrySetResult(failure);
                var later = _departing.ToArray();
                _departing.Clear();
                for (var i = again; i < departures.Count; i++)
                    if (_departingOffsets.Contains(departures[i].Offset)) _departing.Enqueue(departures[i]);
                // The others are settled already, by a commit that has failed, or by a purge.
                NoteDeparted(_departed + departures.Count - again - _departing.Count);
                LeaveAgain(departures.Take(again));
                foreach (var departure in later) _departing.Enqueue(departure);
                _retryAt = _host.Now + RetryMs;
            }
            _staying.Clear();
        }
        if (failure is null || IsOver) Schedule();
        else _host.Timers.Arm(this, _host.Now + RetryMs);
    }

    /// <summary>
    /// Messages that left have arrived, or have nowhere to go: they are settled with the commit that the caller enqueues. Those
    /// that stay are to leave again after a while.
    /// The caller holds the lock.
    /// </summary>
    public void Departed(IReadOnlyList<(Departure Departure, DepartureEnd End)> departures)
    {
        foreach (var (departure, end) in departures)
        {
            if (end == DepartureEnd.Stays)
            {
                _staying.Add(departure);
                continue;
            }
            if (!_departingOffsets.Remove(departure.Offset)) continue;
            _leftInLane.Remove(departure.Offset);
            var reason = (departure.Reason, end == DepartureEnd.Taken) switch
            {
                (null, true) => SettleReason.MovedOut,
                (_, true) => SettleReason.DeadLettered,
                (DeathReason.Expired, false) => SettleReason.Expired,
                _ => SettleReason.Dropped,
            };
            SettleAs(reason, departure.Offset, departure.Offset + 1);
        }
    }
}

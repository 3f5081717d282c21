using System.Diagnostics.CodeAnalysis;
using Dragoman.Broker.Messages;
using Dragoman.Storage.Log;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Subscriptions;

/// <summary>What happens because time passes.</summary>
internal sealed partial class Subscription
{
    private readonly DueIndex _delayed;
    private readonly DueIndex _deadlines = new();
    private readonly DueIndex _expiries;

    /// <summary>Messages that cannot be delivered yet.</summary>
    private readonly OffsetBitmap _waitingForTime = new();

    /// <summary>Bytes of the values of messages that are taken out when their time is up, where bytes are limited.</summary>
    private readonly Dictionary<long, int> _expirySizes = [];

    /// <summary>Messages that came back and wait, and until when.</summary>
    private readonly Dictionary<long, (long Due, byte Lane)> _delays = [];

    /// <summary>When the first head of a lane expires.</summary>
    private long _headExpiry = long.MaxValue;

    /// <summary>When somebody used the subscription last.</summary>
    private long _lastUsed;

    private long _windowCheckedAt;

    private bool MayExpire => Delivery.MessageLifetimeMs >= 0 || _machine.HasSpecial;

    /// <summary>Somebody uses the subscription, so it does not go for want of use.</summary>
    public void Touch()
    {
        lock (Gate) _lastUsed = _host.Now;
    }

    /// <summary>When the message on which a cursor stands expires.</summary>
    private long ExpiryOf(LogCursor cursor, bool isPlain)
    {
        var expiry = Delivery.MessageLifetimeMs >= 0 ? cursor.Current.Timestamp + Delivery.MessageLifetimeMs : long.MaxValue;
        if (isPlain || !_machine.HasSpecial) return expiry;
        var own = SpecialHeaders.Read(cursor.Read().Headers).ExpiresAt;
        return own < 0 ? expiry : Math.Min(expiry, own);
    }

    private void AddDelayed(long due, long start, long end, int lane)
    {
        _delayed.Add(due, start, end, lane);
        _waitingForTime.Add(start, end);
    }

    /// <summary>Reads what comes next of times that are on disk; whether there was something to read.</summary>
    private bool LoadDue()
    {
        DueRun? run;
        IReadOnlyList<DueRun> over;
        lock (Gate)
        {
            run = _delayed.Unloaded ?? _expiries.Unloaded;
            over = [.. _delayed.TakeOver(), .. _expiries.TakeOver()];
        }
        foreach (var ended in over) ended.Delete(_host.Scratch.Files);
        run?.Load();
        return run is not null;
    }

    /// <summary>Has times that are too many for memory go to disk.</summary>
    private void StartSpills()
    {
        StartSpill(_delayed);
        StartSpill(_expiries);
    }

    private void StartSpill(DueIndex index)
    {
        (int Generation, PriorityQueue<DueRange, (long, long)> Entries) spilled;
        lock (Gate)
        {
            if (!index.MustSpill || IsOver) return;
            spilled = index.BeginSpill();
        }
        // There is one pass at a time: nobody looks for what is due meanwhile.
        var entries = DueIndex.Sort(spilled.Entries);
        DueRun? run;
        lock (Gate) run = index.Spill(spilled.Generation, entries);
        _ = SpillAsync(index, run, entries);
    }

    [SuppressMessage("Design", "CA1031", Justification = "What cannot be written stays in memory.")]
    private async Task SpillAsync(DueIndex index, DueRun? run, DueEntry[] entries)
    {
        var path = _host.Scratch.NextPath();
        IStorageFile? file = null;
        try
        {
            if (run is not null) file = await DueRun.WriteAsync(_host.Scratch.Files, path, entries);
        }
        catch (Exception error)
        {
            _host.Failed(error);
        }
        bool isUsed;
        lock (Gate) isUsed = index.EndSpill(run, file, path) && !IsOver;
        if (isUsed || file is null) return;
        file.Dispose();
        _host.Scratch.Files.Delete(path);
    }

    private void TakeDue(long now)
    {
        if (IsOver) return;
        while (_deadlines.TryTake(now, out var deadline, out var range))
        {
            for (var offset = range.Start; offset < range.End; offset++)
            {
                // It may have been extended, settled or leased anew since.
                if (!_leases.TryGetValue(offset, out var lease) || lease.Holder is not null || lease.Deadline != deadline) continue;
                _leases.Remove(offset);
                if (lease.IsCooling) BackInLane(offset, lease);
                else Return(offset, lease, isCounted: true, delayMs: -1, now);
            }
        }
        while (_delayed.TryTake(now, out var due, out var range)) BecomeReady(due, range);
        while (_expiries.TryTake(now, out _, out var range))
            for (var offset = range.Start; offset < range.End; offset++) ExpireAnywhere(offset);
        TakeWaiters(now);
        CheckUse(now);
    }

    /// <summary>Messages that were delayed can be delivered.</summary>
    private void BecomeReady(long due, DueRange range)
    {
        for (var offset = range.Start; offset < range.End; offset++)
        {
            int lane = range.Lane;
            if (!_waitingForTime.Contains(offset)) continue;
            if (_delays.Count > 0 && _delays.TryGetValue(offset, out var delay))
            {
                // It was delayed anew since.
                if (delay.Due != due) continue;
                _delays.Remove(offset);
                lane = delay.Lane;
            }
            _waitingForTime.Remove(offset);
            if (offset < _frontier) Lane(lane).AddSingle(offset);
        }
    }

    /// <summary>A message's time is up wherever it is, unless somebody holds it or it is on its way.</summary>
    private void ExpireAnywhere(long offset)
    {
        _expirySizes.Remove(offset, out var size);
        if (_gone.Contains(offset) || _leases.ContainsKey(offset) || _departingOffsets.Contains(offset) || offset >= End) return;
        _delays.Remove(offset);
        var wasDelayed = _waitingForTime.Remove(offset);
        var wasBlocked = _keys is not null && _keys.Unblock(offset);
        _readyBytes -= size;
        Leave(offset, DeathReason.Expired);
        if (!wasDelayed && !wasBlocked && !_gone.Contains(offset)) _leftInLane.Add(offset);
        ReleaseKey(offset);
    }

    /// <summary>Those whose time to wait is over get what there is: nothing.</summary>
    private void TakeWaiters(long now)
    {
        foreach (var request in _receives)
        {
            if (request.IsAnswered || request.WaitUntil == 0 || request.WaitUntil > now) continue;
            // One more look at what is ready, and then the answer.
            request.WaitUntil = 0;
        }
    }

    /// <summary>
    /// Finds from where on settled messages have to be kept for replay. Called without the lock, as it may have to read.
    /// </summary>
    private void KeepWindow(long now)
    {
        if (Delivery.ReplayWindowMs <= 0 || now < _windowCheckedAt + WindowCheckMs) return;
        _windowCheckedAt = now;
        long prefix;
        lock (Gate) prefix = Math.Min(_machine.Settled.Prefix, Log.HighWatermark);
        var kept = prefix;
        if (prefix > Log.StartOffset)
        {
            // Not up to the prefix alone: a batch of which only some is settled would be passed over as a whole.
            kept = Math.Min(prefix, TimeLookup.FirstAtOrAfter(Log, now - Delivery.ReplayWindowMs, Log.HighWatermark)?.Offset ?? prefix);
            if (Delivery.ReplayWindowBytes >= 0) kept = Math.Max(kept, Math.Min(prefix, Log.OffsetBefore(prefix, Delivery.ReplayWindowBytes)));
        }
        lock (Gate)
        {
            _windowStart = kept;
            _truncationIsDue |= kept > Log.StartOffset;
        }
    }

    private long WindowCheckMs => Math.Clamp(Delivery.ReplayWindowMs / 16, 100, 60_000);

    private void CheckUse(long now)
    {
        if (_queueSettings.ExpiresAfterMs < 0 || _consumers.Count > 0 || _unusedReported) return;
        if (now < _lastUsed + _queueSettings.ExpiresAfterMs) return;
        _unusedReported = true;
        _host.Scheduler.Post(new Unused(this));
    }

    private bool _unusedReported;
    private bool _truncationIsDue;
    private long _windowStart;

    private sealed class Unused(Subscription subscription) : IThreadPoolWorkItem
    {
        public void Execute() => subscription._owner.OnUnused(subscription);
    }

    /// <summary>When something is to be done next although nothing happens.</summary>
    private long NextDue(long now)
    {
        var due = Math.Min(Math.Min(_delayed.Next, _deadlines.Next), Math.Min(_expiries.Next, MayExpire ? Math.Min(_headExpiry, _expiryApart) : long.MaxValue));
        // It may be woken earlier for something else than what could not be done and is to be tried again.
        if (_retryAt > now) due = Math.Min(due, _retryAt);
        if (_leaveAgainAt > now && _leavingAgain.Count > 0) due = Math.Min(due, _leaveAgainAt);
        if (_unsyncedSince > 0 && !_isCommitting && _retryAt <= now) due = Math.Min(due, _unsyncedSince + SyncAfterMs);
        foreach (var request in _receives)
            if (!request.IsAnswered && request.WaitUntil > 0) due = Math.Min(due, request.WaitUntil);
        if (Delivery.ReplayWindowMs > 0 && Log.StartOffset < _machine.Settled.Prefix) due = Math.Min(due, _windowCheckedAt + WindowCheckMs);
        if (_queueSettings.ExpiresAfterMs >= 0 && _consumers.Count == 0 && !_unusedReported) due = Math.Min(due, _lastUsed + _queueSettings.ExpiresAfterMs);
        return due;
    }
}

using System.Buffers.Binary;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Statistics;
using Dragoman.Storage.Log;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Subscriptions;

/// <summary>
/// A consumer that reads a log by a cursor of its own, and settles nothing. A pass hands out what there is while there is
/// credit; whatever brings credit or messages schedules one, and there is one at a time.
/// </summary>
internal sealed class LogReader : IConsumer, IThreadPoolWorkItem, ILogListener, IDue
{
    private const int FillBytes = 64 << 10;
    private const int MaxDealt = 1024;
    private const int MaxRounds = 64;
    private const int RetryMs = 1000;

    private const int Idle = 0;
    private const int Posted = 1;
    private const int Running = 2;
    private const int RunningAgain = 3;

    private readonly SubscriptionHost _host;
    private readonly PartitionLog _log;
    private readonly IDeliverySink _sink;
    private readonly KeptQueue _queue;
    private readonly LogCursor _cursor;
    private readonly Lock _lock = new();
    private int _credit;
    private long _byteCredit;
    private bool _isCancelled;
    private int _run;

    // These belong to the pass.
    private long _next = -1;

    public LogReader(SubscriptionHost host, PartitionLog log, ConsumerOptions options, IDeliverySink sink, KeptQueue queue)
    {
        _host = host;
        _log = log;
        _sink = sink;
        _queue = queue;
        _cursor = new LogCursor(log);
        Options = options;
        // What is published from now on counts, whenever the first pass runs.
        if (options.From.Origin == ReadOrigin.Next) _next = log.HighWatermark;
    }

    public ConsumerOptions Options { get; }

    long IDue.ArmedFor { get; set; } = long.MaxValue;

    void IDue.OnDue() => Schedule();

    void ILogListener.OnChanged(long logId) => Schedule();

    public void Grant(int messages, long bytes = long.MaxValue)
    {
        lock (_lock)
        {
            if (_isCancelled) return;
            _credit = messages == int.MaxValue || _credit == int.MaxValue ? int.MaxValue : (int)Math.Min((long)_credit + messages, int.MaxValue - 1);
            _byteCredit = bytes == long.MaxValue || _byteCredit == long.MaxValue ? long.MaxValue : _byteCredit + bytes;
            if (_credit <= 0 || _byteCredit <= 0) return;
        }
        Schedule();
    }

    public void Pause()
    {
        lock (_lock) (_credit, _byteCredit) = (0, 0);
    }

    public int Settle(Settlement settlement, ReadOnlySpan<OffsetRange> offsets)
    {
        var count = 0L;
        foreach (var range in offsets) count += range.End - range.Start;
        if (settlement == Settlement.Acknowledge) _queue.Counters.Add(MessageCounter.Ack, count);
        return (int)count;
    }

    public ValueTask<SubscriptionAnswer> SettleAsync(Settlement settlement, ReadOnlyMemory<OffsetRange> offsets) =>
        ValueTask.FromResult(new SubscriptionAnswer(QueueStatus.Ok, Settle(settlement, offsets.Span)));

    public ValueTask<ReceiveAnswer> ReceiveAsync(int maxMessages) => ValueTask.FromResult(new ReceiveAnswer(QueueStatus.InvalidSettings, null));

    public ValueTask CancelAsync()
    {
        if (!Cancel()) return ValueTask.CompletedTask;
        _queue.Remove(this);
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => CancelAsync();

    /// <summary>Ends it, and tells the sink why.</summary>
    public void End(ConsumerEnd reason)
    {
        if (Cancel()) _sink.OnEnded(this, reason);
    }

    private bool Cancel()
    {
        lock (_lock)
        {
            if (_isCancelled) return false;
            _isCancelled = true;
        }
        _log.RemoveListener(this);
        // The pass lets go of what it has read.
        Schedule();
        return true;
    }

    private void Schedule()
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
            _cursor.Drop();
            _host.Failed(error);
            _host.Timers.Arm(this, _host.Now + RetryMs);
        }
        if (Interlocked.CompareExchange(ref _run, Idle, Running) == Running) return;
        Volatile.Write(ref _run, Posted);
        _host.Scheduler.Post(this);
    }

    private void Pass()
    {
        if (_next < 0 && !IsCancelled) _next = FindStart();
        for (var round = 0; ; round++)
        {
            int credit;
            long bytes;
            lock (_lock)
            {
                if (_isCancelled) break;
                (credit, bytes) = (_credit, _byteCredit);
            }
            if (credit <= 0 || bytes <= 0) return;
            if (round == MaxRounds)
            {
                Schedule();
                return;
            }
            // Retention may have been quicker.
            _next = Math.Max(_next, _log.StartOffset);
            var end = _log.LastStableOffset;
            if (_next >= end) break;
            if (Collect(Math.Min(credit, MaxDealt), bytes, end) is { } deliveries)
            {
                lock (_lock)
                {
                    if (_credit != int.MaxValue) _credit -= Math.Min(_credit, deliveries.Count);
                    if (_byteCredit != long.MaxValue) _byteCredit -= deliveries.Bytes;
                }
                _queue.Counters.Add(MessageCounter.Deliver, deliveries.Count);
                _sink.OnDeliveries(this, deliveries);
                continue;
            }
            if (_next >= end) continue;
            if (!_cursor.TryMoveTo(_next) && !_cursor.Fill(_next, end, FillBytes)) break;
            // Nothing but the marks of transactions: they are no messages.
            if (!_cursor.TryMoveTo(_next)) _next = Math.Max(_next + 1, Math.Min(_cursor.NextOffset, end));
        }
        // At the end of the log there is nothing worth keeping.
        _cursor.Drop();
    }

    private bool IsCancelled
    {
        get
        {
            lock (_lock) return _isCancelled;
        }
    }

    /// <summary>Takes what the cursor has read, as far as credit goes; null if that is nothing.</summary>
    private DeliveryBatch? Collect(int credit, long bytes, long end)
    {
        DeliveryBatch? deliveries = null;
        var passed = 0;
        while (credit > 0 && bytes > 0 && _next < end && passed++ < MaxDealt && _cursor.TryMoveTo(_next))
        {
            var record = _cursor.Current;
            if (record.Offset >= end) break;
            _next = record.Offset + 1;
            if (Options.Filter is { } filter && !filter.Matches(_cursor.Read().Headers)) continue;
            deliveries ??= DeliveryBatch.Rent();
            deliveries.Add(new Delivery(record.Offset, 1, 0, record.Timestamp, record.Size), _cursor.Buffer, record.Position);
            credit--;
            bytes -= record.Size;
        }
        return deliveries;
    }

    private long FindStart()
    {
        var start = _log.StartOffset;
        var end = _log.LastStableOffset;
        return Options.From.Origin switch
        {
            ReadOrigin.First => start,
            ReadOrigin.Last => StartOfLastBatch(start, end),
            // What is not there any more, or not yet, is the nearest that is.
            ReadOrigin.Offset => Math.Clamp(Options.From.Value, start, end),
            ReadOrigin.Time => TimeLookup.FirstAtOrAfter(_log, Options.From.Value, end)?.Offset ?? end,
            _ => end,
        };
    }

    private long StartOfLastBatch(long start, long end)
    {
        if (end <= start) return end;
        using var read = new LogRead();
        _log.Read(end - 1, end, 1, read);
        if (read.TotalBytes < RecordBatchHeader.Size) return end - 1;
        var bytes = new byte[read.TotalBytes];
        read.CopyTo(bytes);
        return Math.Max(start, BinaryPrimitives.ReadInt64BigEndian(bytes));
    }
}

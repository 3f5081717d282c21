using System.Buffers;
using System.IO.Pipelines;
using Dragoman.Broker.Channels;
using Dragoman.Protocols.Connections;
using Dragoman.Redis.Wire;

namespace Dragoman.Redis.Sessions;

/// <summary>
/// Everything that one connection sends, in order. Replies are added by the connection's own loop, messages by whoever
/// publishes; neither waits. One at a time writes what has gathered: whoever finds nobody writing.
/// </summary>
internal sealed class SessionOutput : IThreadPoolWorkItem
{
    // Bytes handed to the transport before its answer is awaited.
    private const int FlushBytes = 128 << 10;

    // A client of whose replies so many bytes wait is not read from.
    private const long HoldAt = 1 << 20;

    private const string TooFarBehind = "it is too far behind with what it listens to";

    private readonly PipeWriter _pipe;
    private readonly PipeScheduler _scheduler;
    private readonly PipeScheduler _later;
    private readonly bool _isLooped;
    private readonly OutputLimits _limits;
    private readonly ByteQueue _waiting = new();
    private readonly Action _afterFlush;
    private ValueTask<FlushResult> _flush;
    private TaskCompletionSource? _room;
    private TaskCompletionSource? _idle;
    private bool _isWriting;
    private bool _isScheduled;
    private bool _hasFailed;
    private long _softSince = -1;

    /// <summary>Creates the output of a connection.</summary>
    /// <param name="pipe">Where bytes go.</param>
    /// <param name="scheduler">Sends replies.</param>
    /// <param name="later">Sends messages that nobody waits for, when more may have gathered.</param>
    /// <param name="limits">How much may wait.</param>
    public SessionOutput(PipeWriter pipe, PipeScheduler scheduler, PipeScheduler later, OutputLimits limits)
    {
        _pipe = pipe;
        _scheduler = scheduler;
        _later = later;
        _isLooped = !ReferenceEquals(scheduler, PipeScheduler.ThreadPool);
        _limits = limits;
        _afterFlush = AfterFlush;
    }

    /// <summary>Held while the order of what is sent is decided. Whoever holds it may begin and end subscriptions, and takes no other session's.</summary>
    public Lock Lock { get; } = new();

    /// <summary>The RESP version of messages. Changed under the lock.</summary>
    public int Protocol { get; set; } = 2;

    /// <summary>Whether the client listens to anything. Changed under the lock.</summary>
    public bool Listens { get; set; }

    // Bytes in the pipe that are not flushed.
    private long _unflushed;

    /// <summary>Bytes that wait.</summary>
    public long Waiting
    {
        get
        {
            lock (Lock) return _waiting.Length;
        }
    }

    /// <summary>What the connection is listed as.</summary>
    public LiveConnection? Live { get; init; }

    /// <summary>Called, at most once and with no lock held, when the client does not read any more or is too far behind.</summary>
    public Action<string?>? Failed { get; set; }

    /// <summary>Sends bytes: at once if nothing waits before them, or when the loop has served the others that are ready.</summary>
    public void Send(ReadOnlySpan<byte> bytes)
    {
        var isFirst = false;
        lock (Lock)
        {
            if (_hasFailed) return;
            if (!_isWriting)
            {
                _isWriting = true;
                isFirst = true;
            }
            // Where the transport takes them they need not be copied twice.
            if (isFirst && _waiting.Length == 0 && bytes.Length <= FlushBytes)
            {
                _pipe.Write(bytes);
                _unflushed += bytes.Length;
            }
            else
            {
                AddLocked(bytes);
            }
        }
        if (!isFirst) return;
        if (_isLooped) _scheduler.Schedule(static state => ((SessionOutput)state!).Write(isWritten: true), this);
        else Write(isWritten: true);
    }

    /// <summary>Adds bytes, with the lock held; they are sent with the next <see cref="Flush"/>.</summary>
    public void AddLocked(ReadOnlySpan<byte> bytes)
    {
        if (_hasFailed || bytes.IsEmpty) return;
        _waiting.Write(bytes);
        _limits.Add(bytes.Length);
    }

    /// <summary>Adds messages of a channel, if the subscription has not ended meanwhile, and sees to it that they are sent soon.</summary>
    public void Push(ChannelSubscription subscription, SubscriptionKind kind, scoped in ChannelMessages messages)
    {
        var schedule = false;
        lock (Lock)
        {
            if (_hasFailed || subscription.IsEnded) return;
            AddLocked(messages.As(PushForm.Of(kind, Protocol)));
            if (_limits.IsTooMuch(_waiting.Length, listens: true))
            {
                FailLocked();
            }
            else if (!_isWriting && !_isScheduled)
            {
                _isScheduled = true;
                schedule = true;
            }
            else
            {
                return;
            }
        }
        if (schedule) Schedule();
        else Report(TooFarBehind);
    }

    /// <summary>Sends what waits, as far as the client takes it without anybody waiting.</summary>
    public void Flush()
    {
        lock (Lock)
        {
            if (_isWriting || _hasFailed || _waiting.Length == 0) return;
            _isWriting = true;
        }
        Write();
    }

    /// <summary>Ends what has been above the soft limit for too long.</summary>
    /// <param name="seconds">The time, in seconds since whenever.</param>
    public void CheckSoftLimit(long seconds)
    {
        lock (Lock)
        {
            var limit = Listens ? _limits.PubSub : _limits.Normal;
            if (limit.Soft == 0 || _waiting.Length <= limit.Soft)
            {
                _softSince = -1;
                return;
            }
            if (_softSince < 0) _softSince = seconds;
            if (seconds - _softSince < limit.SoftSeconds || _hasFailed) return;
            FailLocked();
        }
        Report("it has been behind with what it listens to for too long");
    }

    /// <summary>Completes when what waits is not too much.</summary>
    public ValueTask WaitForRoomAsync()
    {
        lock (Lock)
        {
            if (_waiting.Length < HoldAt || _hasFailed) return ValueTask.CompletedTask;
            if (!Listens)
            {
                _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                return new ValueTask(_room.Task);
            }
            // What is pushed has a limit of its own; holding up its reader would keep it from unsubscribing.
            if (!_limits.IsTooMuch(_waiting.Length, listens: true)) return ValueTask.CompletedTask;
            FailLocked();
        }
        Report(TooFarBehind);
        return ValueTask.CompletedTask;
    }

    /// <summary>Sends what waits, and completes when that is done or will not be.</summary>
    public async Task EndAsync()
    {
        Flush();
        Task idle;
        lock (Lock)
        {
            if (!_isWriting || _hasFailed) return;
            _idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            idle = _idle.Task;
        }
        await idle.ConfigureAwait(false);
    }

    /// <summary>Gives up what waits. The one who writes, if there is one, stops before its next piece.</summary>
    public void Abort()
    {
        lock (Lock)
        {
            if (_hasFailed) return;
            FailLocked();
        }
        _pipe.CancelPendingFlush();
    }

    /// <summary>Completes when nobody writes to the pipe any more; after <see cref="Abort"/> nobody will.</summary>
    public Task WaitForWriterAsync()
    {
        lock (Lock)
        {
            if (!_isWriting) return Task.CompletedTask;
            _idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _idle.Task;
        }
    }

    void IThreadPoolWorkItem.Execute() => FlushScheduled();

    private void Schedule()
    {
        // The pool takes the object itself; another scheduler is told what to call.
        if (!_isLooped) ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        else _later.Schedule(static state => ((SessionOutput)state!).FlushScheduled(), this);
    }

    private void FlushScheduled()
    {
        lock (Lock) _isScheduled = false;
        Flush();
    }

    /// <summary>Writes while there is something and the client takes it. The caller has made itself the one who writes.</summary>
    /// <param name="isWritten">Whether the pipe has bytes already.</param>
    private void Write(bool isWritten = false)
    {
        for (; ; isWritten = false)
        {
            TaskCompletionSource? room = null;
            TaskCompletionSource? idle = null;
            var isDone = false;
            lock (Lock)
            {
                if (_hasFailed || _waiting.Length == 0 && !isWritten)
                {
                    _isWriting = false;
                    isDone = true;
                    (idle, _idle) = (_idle, null);
                }
                else
                {
                    var moved = _waiting.MoveTo(_pipe, FlushBytes);
                    _limits.Add(-moved);
                    Live?.OnSent(_unflushed + moved);
                    _unflushed = 0;
                }
                if (_hasFailed || _waiting.Length < HoldAt / 2) (room, _room) = (_room, null);
            }
            room?.SetResult();
            idle?.SetResult();
            if (isDone) return;
            try
            {
#pragma warning disable CA2012 // It is looked at once: at once, or when it is done.
                _flush = _pipe.FlushAsync();
#pragma warning restore CA2012
            }
            catch (Exception error) when (error is IOException or ObjectDisposedException or InvalidOperationException)
            {
                Fail();
                continue;
            }
            if (!_flush.IsCompleted)
            {
                _flush.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(_afterFlush);
                return;
            }
            CheckFlush();
        }
    }

    private void AfterFlush()
    {
        CheckFlush();
        Write();
    }

    private void CheckFlush()
    {
        try
        {
            var result = _flush.GetAwaiter().GetResult();
            if (result.IsCompleted || result.IsCanceled) Fail();
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
        {
            Fail();
        }
    }

    private void Fail()
    {
        lock (Lock)
        {
            if (_hasFailed) return;
            FailLocked();
        }
        Report(null);
    }

    private void FailLocked()
    {
        _hasFailed = true;
        _limits.Add(-_waiting.Length);
        _waiting.Clear();
    }

    private void Report(string? reason) => Failed?.Invoke(reason);
}

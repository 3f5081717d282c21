using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;
using Microsoft.AspNetCore.Connections;

namespace Dragoman.Protocols.Transport.Loops;

/// <summary>
/// What a client sends. The loop reads into a block when there is something, and whoever waits goes on at once, on the
/// loop's thread, or on the thread pool where its handlers may take long. Who is slow to take what has come is not read for.
/// </summary>
internal sealed class LoopInput(LoopConnection connection, EventLoop loop, bool handlesOnPool) : PipeReader, IValueTaskSource<ReadResult>
{
    private const int PauseAt = 128 << 10;
    private const int ResumeAt = 64 << 10;
    private const int LeastRoom = 2048;

    private readonly Lock _lock = new();
    private ManualResetValueTaskSourceCore<ReadResult> _source = new() { RunContinuationsAsynchronously = handlesOnPool };
    private CancellationTokenRegistration _registration;
    private LoopSegment? _first;
    private LoopSegment? _last;
    private LoopSegment? _spare;
    private int _start;
    private long _unread;
    private bool _isExamined;
    private bool _isWaiting;
    private bool _isPaused;
    private bool _isCanceled;
    private bool _hasEnded;
    private bool _isClosed;
    private Exception? _error;

    /// <summary>Reads what has come.</summary>
    public void OnReadable()
    {
        ReadResult result;
        lock (_lock)
        {
            if (_hasEnded || _isClosed) return;
            ReceiveLocked();
            if (_unread >= PauseAt && !_isPaused)
            {
                _isPaused = true;
                connection.Want(Readiness.Readable, false);
            }
            if (!TryWakeLocked(out result)) return;
        }
        Wake(result);
    }

    /// <summary>Reads what is left when the client is gone.</summary>
    public void ReadRest()
    {
        ReadResult result;
        lock (_lock)
        {
            // The system holds no more than fits into its own buffers.
            while (!_hasEnded && !_isClosed) if (!ReceiveLocked()) End(null);
            if (!TryWakeLocked(out result)) return;
        }
        Wake(result);
    }

    /// <summary>Lets go of everything.</summary>
    public void Close()
    {
        ReadResult result;
        bool wakes;
        lock (_lock)
        {
            _isClosed = true;
            _hasEnded = true;
            _error = null;
            ReleaseTo(null);
            wakes = TryWakeLocked(out result);
        }
        if (wakes) Wake(result);
    }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        short version;
        lock (_lock)
        {
            if (TryTakeLocked(out var result)) return ValueTask.FromResult(result);
            cancellationToken.ThrowIfCancellationRequested();
            if (_isWaiting) throw new InvalidOperationException("Only one may read at a time.");
            _source.Reset();
            _isWaiting = true;
            version = _source.Version;
        }
        if (cancellationToken.CanBeCanceled) Register(version, cancellationToken);
        return new ValueTask<ReadResult>(this, version);
    }

    public override bool TryRead(out ReadResult result)
    {
        lock (_lock) return TryTakeLocked(out result);
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        lock (_lock)
        {
            if (_isClosed || _first is null) return;
            // An empty result is in no block.
            if (consumed.GetObject() is not LoopSegment segment) return;
            var index = consumed.GetInteger();
            _isExamined = ReferenceEquals(examined.GetObject(), _last) && examined.GetInteger() == _last!.End;
            _unread -= segment.RunningIndex + index - (_first.RunningIndex + _start);
            if (_unread == 0)
            {
                ReleaseTo(null);
            }
            else
            {
                ReleaseTo(segment);
                _start = index;
            }
            if (!_isPaused || _unread > ResumeAt) return;
            _isPaused = false;
            // Under the lock: a pause that came between would be undone, and nothing would end the reading.
            connection.Want(Readiness.Readable, true);
        }
    }

    public override void CancelPendingRead()
    {
        ReadResult result;
        lock (_lock)
        {
            _isCanceled = true;
            if (!TryWakeLocked(out result)) return;
        }
        Wake(result);
    }

    public override void Complete(Exception? exception = null)
    {
        // The connection closes everything when whoever serves it is done.
    }

    ReadResult IValueTaskSource<ReadResult>.GetResult(short token)
    {
        _registration.Dispose();
        _registration = default;
        return _source.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<ReadResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    private void Register(short version, CancellationToken cancellation)
    {
        var registration = cancellation.UnsafeRegister(static (state, token) => ((LoopInput)state!).GiveUp(token), this);
        bool isLate;
        lock (_lock)
        {
            isLate = !_isWaiting || _source.Version != version;
            if (!isLate) _registration = registration;
        }
        // What came in the meantime has been taken without it.
        if (isLate) registration.Dispose();
    }

    private void GiveUp(CancellationToken token)
    {
        lock (_lock)
        {
            if (!_isWaiting) return;
            _isWaiting = false;
        }
        _source.SetException(new OperationCanceledException(token));
    }

    /// <summary>Receives once; false if there was nothing.</summary>
    private bool ReceiveLocked()
    {
        if (_last is null || _last.Room < LeastRoom)
        {
            var segment = _spare ?? new LoopSegment();
            _spare = null;
            segment.Begin(loop.Rent(), _last);
            _last = segment;
            if (_first is null)
            {
                _first = segment;
                _start = 0;
            }
        }
        var received = connection.Receive(_last.Free, out var error);
        if (received > 0)
        {
            _last.Add(received);
            _unread += received;
            _isExamined = false;
            return true;
        }
        if (_unread == 0) ReleaseTo(null);
        if (received == 0) End(null);
        else if (error is not (Epoll.WouldBlock or Epoll.Interrupted)) End(new ConnectionResetException($"The client is gone (error {error})."));
        return false;
    }

    private void End(Exception? error)
    {
        _hasEnded = true;
        _error = error;
        connection.Want(Readiness.Readable, false);
        connection.SayClosed();
    }

    private bool TryWakeLocked(out ReadResult result)
    {
        result = default;
        if (!_isWaiting) return false;
        // An error is thrown where the result is taken.
        if (_error is null && !TryTakeLocked(out result)) return false;
        _isWaiting = false;
        return true;
    }

    private void Wake(in ReadResult result)
    {
        if (_error is { } error) _source.SetException(error);
        else _source.SetResult(result);
    }

    private bool TryTakeLocked(out ReadResult result)
    {
        if (_error is not null) throw new ConnectionResetException(_error.Message, _error);
        var hasNews = _unread > 0 && !_isExamined;
        if (!hasNews && !_hasEnded && !_isCanceled)
        {
            result = default;
            return false;
        }
        var buffer = _unread == 0 ? ReadOnlySequence<byte>.Empty : new ReadOnlySequence<byte>(_first!, _start, _last!, _last!.End);
        result = new ReadResult(buffer, _isCanceled, _hasEnded);
        _isCanceled = false;
        return true;
    }

    /// <summary>Gives back the blocks before one; all of them for null.</summary>
    private void ReleaseTo(LoopSegment? kept)
    {
        while (_first is not null && _first != kept)
        {
            var gone = _first;
            _first = gone.Following;
            loop.Return(gone.Take());
            _spare = gone;
        }
        if (_first is not null) return;
        _last = null;
        _start = 0;
        _unread = 0;
    }
}

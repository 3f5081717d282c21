using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;

namespace Dragoman.Protocols.Transport.Loops;

/// <summary>
/// What is sent to a client. A flush sends at once, on the thread that asks for it; what the client does not take yet the
/// loop sends when it does, and the flush is over when all of it is sent.
/// </summary>
internal sealed class LoopOutput(LoopConnection connection, EventLoop loop) : PipeWriter, IValueTaskSource<FlushResult>
{
    private readonly Lock _lock = new();
    private readonly List<Block> _blocks = [];
    private ManualResetValueTaskSourceCore<FlushResult> _source;
    private CancellationTokenRegistration _registration;
    private byte[]? _large;
    private bool _isWaiting;
    private bool _isCanceled;
    private bool _hasFailed;
    private bool _isClosed;

    private record struct Block(IMemoryOwner<byte>? Owner, ReadOnlyMemory<byte> Large, int Start, int End);

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes
    {
        get
        {
            lock (_lock)
            {
                long sum = 0;
                foreach (var block in _blocks) sum += block.End - block.Start;
                return sum;
            }
        }
    }

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        lock (_lock)
        {
            if (_isClosed) throw new InvalidOperationException("The connection is closed.");
            if (sizeHint > BlockPool.BlockBytes) return _large = new byte[sizeHint];
            if (_blocks.Count > 0 && _blocks[^1] is { Owner: { } last, End: var end } && last.Memory.Length - end >= Math.Max(sizeHint, 1)) return last.Memory[end..];
            var owner = loop.Rent();
            _blocks.Add(new Block(owner, default, 0, 0));
            return owner.Memory;
        }
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        lock (_lock)
        {
            // What was closed meanwhile was given back.
            if (_isClosed) return;
            if (_large is { } large)
            {
                _large = null;
                _blocks.Add(new Block(null, large, 0, bytes));
                return;
            }
            _blocks[^1] = _blocks[^1] with { End = _blocks[^1].End + bytes };
        }
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        short version;
        lock (_lock)
        {
            if (_isCanceled)
            {
                _isCanceled = false;
                return ValueTask.FromResult(new FlushResult(true, _hasFailed));
            }
            if (SendLocked()) return ValueTask.FromResult(new FlushResult(false, _hasFailed));
            cancellationToken.ThrowIfCancellationRequested();
            if (_isWaiting) throw new InvalidOperationException("Only one may flush at a time.");
            _source.Reset();
            _isWaiting = true;
            version = _source.Version;
            connection.Want(Readiness.Writable, true);
        }
        if (cancellationToken.CanBeCanceled) Register(version, cancellationToken);
        return new ValueTask<FlushResult>(this, version);
    }

    public override void CancelPendingFlush()
    {
        lock (_lock)
        {
            _isCanceled = true;
            if (!_isWaiting) return;
            _isCanceled = false;
            _isWaiting = false;
        }
        _source.SetResult(new FlushResult(true, _hasFailed));
    }

    public override void Complete(Exception? exception = null)
    {
        // The connection closes everything when whoever serves it is done.
    }

    /// <summary>Sends more of what waits: there is room again.</summary>
    public void OnWritable()
    {
        bool wakes;
        lock (_lock)
        {
            // Nobody but the one who waits is sure not to be writing just now.
            wakes = _isWaiting && SendLocked();
            if (_isWaiting && !wakes) return;
            _isWaiting = false;
            connection.Want(Readiness.Writable, false);
        }
        if (wakes) _source.SetResult(new FlushResult(false, _hasFailed));
    }

    /// <summary>Nothing can be sent any more.</summary>
    public void Fail()
    {
        bool wakes;
        lock (_lock)
        {
            // What whoever writes holds just now is given back with the next flush.
            _hasFailed = true;
            wakes = _isWaiting;
            _isWaiting = false;
        }
        if (wakes) _source.SetResult(new FlushResult(false, true));
    }

    /// <summary>Lets go of everything.</summary>
    public void Close()
    {
        Fail();
        lock (_lock)
        {
            _isClosed = true;
            ReleaseAll();
        }
    }

    /// <summary>Sends what was written and not flushed, as long as the client takes it.</summary>
    public async ValueTask DrainAsync(CancellationToken closed)
    {
        lock (_lock)
        {
            if (_blocks.Count == 0 || _isWaiting) return;
            _isCanceled = false;
        }
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(closed);
        patience.CancelAfter(TimeSpan.FromSeconds(5));
        try
        {
            await FlushAsync(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // It has had its time.
        }
    }

    FlushResult IValueTaskSource<FlushResult>.GetResult(short token)
    {
        _registration.Dispose();
        _registration = default;
        return _source.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource<FlushResult>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<FlushResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    private void Register(short version, CancellationToken cancellation)
    {
        var registration = cancellation.UnsafeRegister(static (state, token) => ((LoopOutput)state!).GiveUp(token), this);
        bool isLate;
        lock (_lock)
        {
            isLate = !_isWaiting || _source.Version != version;
            if (!isLate) _registration = registration;
        }
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

    /// <summary>Sends what waits; false if the client does not take all of it now.</summary>
    private bool SendLocked()
    {
        var done = 0;
        while (!_hasFailed && !_isClosed && done < _blocks.Count)
        {
            var (owner, large, start, end) = _blocks[done];
            var bytes = (owner is null ? large : owner.Memory).Span[start..end];
            if (bytes.IsEmpty)
            {
                done++;
                continue;
            }
            var sent = connection.Send(bytes, out var error);
            if (sent == bytes.Length)
            {
                done++;
                continue;
            }
            if (sent >= 0)
            {
                _blocks[done] = _blocks[done] with { Start = start + sent };
                continue;
            }
            if (error == Epoll.Interrupted) continue;
            if (error != Epoll.WouldBlock)
            {
                _hasFailed = true;
                break;
            }
            Release(done);
            return false;
        }
        ReleaseAll();
        return true;
    }

    private void Release(int count)
    {
        for (var i = 0; i < count; i++)
            if (_blocks[i].Owner is { } owner) loop.Return(owner);
        _blocks.RemoveRange(0, count);
    }

    private void ReleaseAll() => Release(_blocks.Count);
}

using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace Dragoman.Protocols.Transport.Loops;

/// <summary>A connection that a loop serves.</summary>
internal sealed class LoopConnection : DefaultConnectionContext, IDuplexPipe, ILoopFeature
{
    private readonly Socket _socket;
    private readonly EventLoop _loop;
    private readonly CancellationTokenSource _closed = new();
    private readonly Lock _lock = new();
    private readonly LoopInput _input;
    private readonly LoopOutput _output;
    private readonly int _descriptor;
    private readonly ulong _data;
    private Readiness _wanted = Readiness.Readable;
    private bool _isDetached;
    private bool _saidClosed;

    public LoopConnection(EventLoop loop, Socket socket, bool handlesOnPool, string id)
        : base(id)
    {
        _loop = loop;
        _socket = socket;
        _descriptor = (int)socket.SafeHandle.DangerousGetHandle();
        LocalEndPoint = socket.LocalEndPoint;
        RemoteEndPoint = socket.RemoteEndPoint;
        ConnectionClosed = _closed.Token;
        _input = new LoopInput(this, loop, handlesOnPool);
        _output = new LoopOutput(this, loop);
        Transport = this;
        Features.Set<ILoopFeature>(this);
        // Before the first event can come, everything has to be there.
        lock (_lock) _data = loop.Add(this, _descriptor, _wanted);
    }

    public PipeReader Input => _input;

    public PipeWriter Output => _output;

    PipeScheduler ILoopFeature.Loop => _loop;

    PipeScheduler ILoopFeature.Later => _loop.Later;

    /// <summary>Serves the socket: it can be read, written, or is gone.</summary>
    public void OnReady(Readiness ready)
    {
        if ((ready & Readiness.Writable) != 0) _output.OnWritable();
        if ((ready & (Readiness.HangUp | Readiness.Error)) != 0)
        {
            // Nothing more can be waited for, so what is left is read at once.
            Detach();
            _input.ReadRest();
            _output.Fail();
        }
        else if ((ready & Readiness.Readable) != 0)
        {
            _input.OnReadable();
        }
    }

    /// <summary>Receives what is there.</summary>
    public int Receive(Span<byte> target, out int error) => Epoll.Receive(_descriptor, target, out error);

    /// <summary>Sends what fits.</summary>
    public int Send(ReadOnlySpan<byte> source, out int error) => Epoll.Send(_descriptor, source, out error);

    /// <summary>Begins or ends to wait for something.</summary>
    public void Want(Readiness what, bool wanted)
    {
        lock (_lock)
        {
            var all = wanted ? _wanted | what : _wanted & ~what;
            if (all == _wanted || _isDetached) return;
            _wanted = all;
            _loop.Change(_descriptor, all, _data);
        }
    }

    /// <summary>Says that the client is gone.</summary>
    public void SayClosed()
    {
        lock (_lock)
        {
            if (_saidClosed) return;
            _saidClosed = true;
        }
        ThreadPool.UnsafeQueueUserWorkItem(static connection => connection._closed.Cancel(), this, preferLocal: false);
    }

    public override void Abort(ConnectionAbortedException abortReason)
    {
        try
        {
            // The loop hears of it, and ends what waits.
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Then it is gone already.
        }
        _output.Fail();
    }

    public override async ValueTask DisposeAsync()
    {
        await _output.DrainAsync(_closed.Token).ConfigureAwait(false);
        Detach();
        _input.Close();
        _output.Close();
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (SocketException)
        {
            // The client was first.
        }
        _socket.Dispose();
        SayClosed();
        await base.DisposeAsync().ConfigureAwait(false);
    }

    private void Detach()
    {
        lock (_lock)
        {
            if (_isDetached) return;
            _isDetached = true;
            _loop.Remove(_descriptor, _data);
        }
    }
}

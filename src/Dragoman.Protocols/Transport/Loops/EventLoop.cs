using System.Buffers;
using System.IO.Pipelines;
using Microsoft.Extensions.Logging;

namespace Dragoman.Protocols.Transport.Loops;

/// <summary>
/// A thread that waits for many sockets and serves those that are ready: it reads, runs what the connection makes of it,
/// and in the end what was put off until all ready sockets were served, such as sending what gathered for others. So a
/// request costs one wait, one read and one write, and many that come together share the wait.
/// </summary>
internal sealed unsafe class EventLoop : PipeScheduler, IDisposable
{
    private const int MaxEvents = 512;

    // How often the sockets are looked at again while there is work for later.
    private const int MaxTurns = 4;

    private readonly int _epoll;
    private readonly int _wake;
    private readonly ILogger _log;
    private readonly Lock _lock = new();
    private readonly Thread _thread;
    private LoopConnection?[] _connections = new LoopConnection?[64];
    private uint[] _generations = new uint[64];
    private readonly Stack<int> _free = new();
    private int _used;
    private List<(Action<object?> Action, object? State)> _queued = [];
    private List<(Action<object?> Action, object? State)> _running = [];
    private List<(Action<object?> Action, object? State)> _later = [];
    private IMemoryOwner<byte>? _spare;
    private int _sleeps;
    private volatile bool _stopped;

    public EventLoop(string name, MemoryPool<byte> pool, ILogger log)
    {
        Pool = pool;
        Later = new LaterScheduler(this);
        _log = log;
        _epoll = Epoll.Create();
        _wake = Epoll.CreateEvent();
        Epoll.Control(_epoll, Epoll.Add, _wake, Readiness.Readable, ulong.MaxValue);
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>Whether the caller is on the loop's own thread.</summary>
    public bool IsCurrent => Environment.CurrentManagedThreadId == _thread.ManagedThreadId;

    /// <summary>Runs work when no more sockets are ready, or a few turns later.</summary>
    public PipeScheduler Later { get; }

    private MemoryPool<byte> Pool { get; }

    /// <summary>Memory to read into or write from.</summary>
    public IMemoryOwner<byte> Rent() => Interlocked.Exchange(ref _spare, null) ?? Pool.Rent();

    /// <summary>Gives memory back: the next one finds it in the processor's cache.</summary>
    public void Return(IMemoryOwner<byte> block)
    {
        if (Interlocked.CompareExchange(ref _spare, block, null) is not null) block.Dispose();
    }

    /// <summary>Begins to wait for a connection.</summary>
    /// <returns>What names it from now on.</returns>
    public ulong Add(LoopConnection connection, int socket, Readiness wanted)
    {
        ulong data;
        lock (_lock)
        {
            if (!_free.TryPop(out var slot)) slot = _used++;
            if (slot == _connections.Length)
            {
                Array.Resize(ref _connections, 2 * slot);
                Array.Resize(ref _generations, 2 * slot);
            }
            Volatile.Write(ref _connections[slot], connection);
            data = (ulong)_generations[slot] << 32 | (uint)slot;
        }
        if (!Epoll.Control(_epoll, Epoll.Add, socket, wanted, data)) throw new IOException("The socket cannot be waited for.");
        return data;
    }

    /// <summary>Changes what is waited for.</summary>
    public void Change(int socket, Readiness wanted, ulong data) => Epoll.Control(_epoll, Epoll.Modify, socket, wanted, data);

    /// <summary>Ends to wait for a connection. Events that are on their way find it gone.</summary>
    public void Remove(int socket, ulong data)
    {
        Epoll.Control(_epoll, Epoll.Delete, socket, Readiness.None, 0);
        lock (_lock)
        {
            var slot = (int)(uint)data;
            _connections[slot] = null;
            _generations[slot]++;
            _free.Push(slot);
        }
    }

    /// <summary>Runs something on the loop, when the sockets that are ready now are served.</summary>
    public override void Schedule(Action<object?> action, object? state)
    {
        lock (_lock) _queued.Add((action, state));
        WakeUp();
    }

    private void ScheduleLater(Action<object?> action, object? state)
    {
        lock (_lock) _later.Add((action, state));
        WakeUp();
    }

    private void WakeUp()
    {
        if (!IsCurrent && Interlocked.Exchange(ref _sleeps, 0) == 1) Epoll.Signal(_wake);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stopped = true;
        Epoll.Signal(_wake);
        // One that does not end in time ends with the process.
        if (IsCurrent || !_thread.Join(TimeSpan.FromSeconds(5))) return;
        _spare?.Dispose();
        Epoll.Close(_wake);
        Epoll.Close(_epoll);
    }

    private void Run()
    {
        var events = stackalloc byte[MaxEvents * Epoll.EventSize];
        var turns = 0;
        while (!_stopped)
        {
            var timeout = 0;
            if (IsIdle())
            {
                Interlocked.Exchange(ref _sleeps, 1);
                // Whoever came in between has seen no sleeper.
                if (IsIdle()) timeout = -1;
            }
            var count = Epoll.Wait(_epoll, events, MaxEvents, timeout);
            Volatile.Write(ref _sleeps, 0);
            for (var i = 0; i < count; i++)
            {
                var (ready, data) = Epoll.Event(events, i);
                if (data == ulong.MaxValue) Epoll.Clear(_wake);
                else Serve(Find(data), ready);
            }
            RunQueued();
            if (count > 0 && ++turns < MaxTurns) continue;
            turns = 0;
            RunLater();
        }
    }

    private bool IsIdle()
    {
        lock (_lock) return _queued.Count == 0 && _later.Count == 0;
    }

    private LoopConnection? Find(ulong data)
    {
        var slot = (int)(uint)data;
        lock (_lock) return _generations[slot] == (uint)(data >> 32) ? _connections[slot] : null;
    }

    private void Serve(LoopConnection? connection, Readiness ready)
    {
        try
        {
            connection?.OnReady(ready);
        }
#pragma warning disable CA1031 // One connection's fault is not the others'.
        catch (Exception error)
#pragma warning restore CA1031
        {
            _log.LogError(error, "Connection {Connection} failed.", connection!.ConnectionId);
            connection.Abort();
        }
    }

    private void RunQueued()
    {
        lock (_lock)
        {
            if (_queued.Count == 0) return;
            (_queued, _running) = (_running, _queued);
        }
        Run(_running);
    }

    private void RunLater()
    {
        lock (_lock)
        {
            if (_later.Count == 0) return;
            (_later, _running) = (_running, _later);
        }
        Run(_running);
    }

    private void Run(List<(Action<object?> Action, object? State)> work)
    {
        foreach (var (action, state) in work)
        {
            try
            {
                action(state);
            }
#pragma warning disable CA1031 // One connection's fault is not the others'.
            catch (Exception error)
#pragma warning restore CA1031
            {
                _log.LogError(error, "What was put off failed.");
            }
        }
        work.Clear();
    }

    private sealed class LaterScheduler(EventLoop loop) : PipeScheduler
    {
        public override void Schedule(Action<object?> action, object? state) => loop.ScheduleLater(action, state);
    }
}

using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Dragoman.Faults.Network;

/// <summary>
/// Stands between clients and the broker, and cuts their connections after as many bytes as chance has it: in the midst
/// of requests, in the midst of answers, and between a request and its answer, with a goodbye or with a reset.
/// </summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    private readonly IPEndPoint _broker;
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _connections = [];
    private readonly Lock _lock = new();
    private readonly Random _random;
    private readonly Task _accepting;
    private readonly int _mostBytes;
    private int _cuts;
    private int _cutsInRequests;

    public CuttingProxy(IPEndPoint listenAt, IPEndPoint broker, int seed, int mostBytes)
    {
        _broker = broker;
        _mostBytes = mostBytes;
        _random = new Random(seed);
        _listener = new TcpListener(listenAt);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Whether it cuts at all.</summary>
    public bool IsCutting { get; set; } = true;

    /// <summary>Connections cut so far.</summary>
    public int Cuts => Volatile.Read(ref _cuts);

    /// <summary>Those of them of which the broker has the beginning of a request, and will never have its end.</summary>
    public int CutsInRequests => Volatile.Read(ref _cutsInRequests);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        Task[] connections;
        lock (_lock) connections = [.. _connections];
        await Task.WhenAll(connections);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            Socket client;
            try
            {
                client = await _listener.AcceptSocketAsync(_stop.Token);
            }
            catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
            lock (_lock)
            {
                _connections.RemoveAll(c => c.IsCompleted);
                _connections.Add(ServeAsync(client, _random.Next(1, _mostBytes), _random.Next(2) == 0));
            }
        }
    }

    private async Task ServeAsync(Socket client, int bytes, bool reset)
    {
        using (client)
        using (var broker = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true })
        using (var over = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token))
        {
            try
            {
                client.NoDelay = true;
                await broker.ConnectAsync(_broker, over.Token);
            }
            catch (Exception error) when (error is SocketException or OperationCanceledException)
            {
                return;
            }
            var left = new Allowance(bytes);
            var requests = new FrameTracker();
            await Task.WhenAny(CopyAsync(client, broker, left, requests, over.Token), CopyAsync(broker, client, left, null, over.Token));
            if (left.IsUsedUp)
            {
                Interlocked.Increment(ref _cuts);
                if (requests.IsInside) Interlocked.Increment(ref _cutsInRequests);
                if (reset) client.LingerState = broker.LingerState = new LingerOption(true, 0);
            }
            await over.CancelAsync();
        }
    }

    private async Task CopyAsync(Socket from, Socket to, Allowance left, FrameTracker? frames, CancellationToken cancellation)
    {
        var buffer = new byte[16 << 10];
        try
        {
            while (await from.ReceiveAsync(buffer, cancellation) is > 0 and var received)
            {
                var passed = IsCutting ? left.Take(received) : received;
                frames?.Pass(buffer.AsSpan(0, passed));
                for (ReadOnlyMemory<byte> rest = buffer.AsMemory(0, passed); rest.Length > 0;) rest = rest[await to.SendAsync(rest, cancellation)..];
                if (passed < received) return;
            }
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Either side may go at any time.
        }
    }

    /// <summary>Bytes that a connection may still pass, in both directions together.</summary>
    private sealed class Allowance(int bytes)
    {
        private readonly Lock _lock = new();
        private int _left = bytes;

        public bool IsUsedUp { get; private set; }

        public int Take(int wanted)
        {
            lock (_lock)
            {
                var taken = Math.Min(wanted, _left);
                _left -= taken;
                IsUsedUp |= taken < wanted;
                return taken;
            }
        }
    }

    /// <summary>Follows where Kafka's requests begin and end.</summary>
    private sealed class FrameTracker
    {
        private readonly byte[] _length = new byte[4];
        private int _lengthBytes;
        private long _left;

        /// <summary>Whether a request has begun and not ended.</summary>
        public bool IsInside => _lengthBytes > 0 || _left > 0;

        public void Pass(ReadOnlySpan<byte> bytes)
        {
            while (bytes.Length > 0)
            {
                if (_left > 0)
                {
                    var skipped = (int)Math.Min(_left, bytes.Length);
                    _left -= skipped;
                    bytes = bytes[skipped..];
                    continue;
                }
                _length[_lengthBytes++] = bytes[0];
                bytes = bytes[1..];
                if (_lengthBytes < 4) continue;
                _lengthBytes = 0;
                _left = BinaryPrimitives.ReadInt32BigEndian(_length);
            }
        }
    }
}

using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Dragoman.Protocols.Transport.Loops;

/// <summary>
/// A transport whose connections are served by a few threads, each waiting for its share of the sockets (epoll), for front
/// ends that never block: see <see cref="IFrontEnd.UsesLoops"/>. Only Linux has it; elsewhere Kestrel's own sockets are used.
/// </summary>
/// <remarks>
/// With Kestrel's sockets, a small request passes from the runtime's own epoll thread through the thread pool, and its
/// bytes through a pipe in each direction. For a request that takes less than a microsecond to serve, that is most of it.
/// </remarks>
public sealed class LoopTransport : IConnectionListenerFactory, IConnectionListenerFactorySelector, IDisposable
{
    private readonly ILogger _log;
    private readonly BlockPool _pool = new();
    private readonly Lock _lock = new();
    private EventLoop[]? _loops;
    private uint _next;

    /// <summary>Creates the transport. Its threads start with the first listener.</summary>
    public LoopTransport(ILoggerFactory loggers) => _log = loggers.CreateLogger<LoopTransport>();

    /// <summary>Whether this system has what it needs.</summary>
    public static bool IsSupported => OperatingSystem.IsLinux();

    /// <summary>
    /// Whether a front end's connections are served by loops. The runtime's setting <c>Dragoman.Loops</c> (in
    /// <c>dragoman.runtimeconfig.json</c>) names those that are, in the place of <see cref="IFrontEnd.UsesLoops"/>: it is
    /// there so that both transports can be measured.
    /// </summary>
    internal static bool Serves(IFrontEnd frontEnd) =>
        IsSupported && (AppContext.GetData("Dragoman.Loops") is string names ? names.Split(' ').Contains(frontEnd.Name, StringComparer.Ordinal) : frontEnd.UsesLoops);

    /// <inheritdoc/>
    public bool CanBind(EndPoint endpoint) => endpoint is LoopEndPoint;

    /// <inheritdoc/>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        var ip = (IPEndPoint)endpoint;
        var socket = new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (ip.Address.Equals(IPAddress.IPv6Any)) socket.DualMode = true;
            socket.Bind(new IPEndPoint(ip.Address, ip.Port));
            socket.Listen(512);
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            socket.Dispose();
            throw new AddressInUseException(error.Message, error);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
        return ValueTask.FromResult<IConnectionListener>(new LoopListener(this, socket, (endpoint as LoopEndPoint)?.HandlesOnPool == true, _log));
    }

    /// <summary>The loop whose turn it is.</summary>
    internal EventLoop NextLoop()
    {
        lock (_lock)
        {
            // Half of the processors: the others have to do what is not for loops.
            _loops ??= [.. Enumerable.Range(1, Math.Clamp(Environment.ProcessorCount / 2, 1, 16)).Select(i => new EventLoop($"loop {i}", _pool, _log))];
            return _loops[_next++ % _loops.Length];
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var loop in _loops ?? []) loop.Dispose();
            _loops = [];
        }
        _pool.Dispose();
    }
}

using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Dragoman.Amqp.Access;
using Dragoman.Amqp.Handlers;
using Dragoman.Amqp.Management;
using Dragoman.Amqp.Sessions;
using Dragoman.Amqp.Topology;
using Dragoman.Protocols;
using Dragoman.Protocols.Authentication;
using Dragoman.Protocols.Connections;
using Dragoman.Protocols.Framing;
using Dragoman.Protocols.RabbitMq;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Dragoman.Amqp;

/// <summary>Lets clients of RabbitMQ (AMQP 0-9-1) declare, publish and consume.</summary>
public sealed class AmqpFrontEnd : IFrontEnd
{
    /// <summary>The port that AMQP clients expect.</summary>
    public const int DefaultPort = 5672;

    /// <summary>Creates the front end.</summary>
    /// <param name="broker">The broker that it speaks for.</param>
    /// <param name="options">How it behaves.</param>
    /// <param name="loggers">Where it logs.</param>
    /// <param name="authenticator">Says who a client is; null to ask the broker's users alone.</param>
    public AmqpFrontEnd(Broker.Broker broker, AmqpOptions options, ILoggerFactory loggers, Authenticator? authenticator = null)
    {
        ArgumentNullException.ThrowIfNull(broker);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(loggers);
        Broker = broker;
        Options = options;
        Log = loggers.CreateLogger<AmqpFrontEnd>();
        Login = new AmqpLogin(authenticator ?? new Authenticator(broker.Accounts));
        Gathered = new ByteBudget(options.MaxGatheredBytes);
        Alarms = new Alarms(broker, Gathered);
        Clock = new SessionClock(options.NetworkTime ?? broker.Time, Alarms.Look);
        Occupancy = new Occupancy(broker);
        Topology = new AmqpTopology(this);
    }

    /// <inheritdoc/>
    public string Name => "amqp";

    /// <inheritdoc/>
    public bool UsesLoops => true;

    /// <inheritdoc/>
    public string? ListedAs => "AMQP 0-9-1";

    /// <summary>How it behaves.</summary>
    public AmqpOptions Options { get; }

    /// <summary>Whether publishers are paused for want of memory for what they send.</summary>
    public bool IsLowOnMemory => Alarms.IsLowOnMemory;

    /// <summary>What AMQP can do to queues, exchanges and bindings, for the management API; it needs no listener.</summary>
    public IAmqpTopology Topology { get; }

    internal Broker.Broker Broker { get; }

    internal ILogger Log { get; }

    internal AmqpLogin Login { get; }

    /// <summary>What bodies that have not wholly arrived take.</summary>
    internal ByteBudget Gathered { get; }

    /// <summary>What publishers are paused for.</summary>
    internal Alarms Alarms { get; }

    /// <summary>How many connections and channels virtual hosts and users have.</summary>
    internal Occupancy Occupancy { get; }

    /// <summary>What has sessions look at the time.</summary>
    internal SessionClock Clock { get; }

    /// <summary>Who takes direct replies, by address.</summary>
    internal ConcurrentDictionary<string, DirectReplies> Replies { get; } = new(StringComparer.Ordinal);

    /// <summary>Which connections have queues to themselves.</summary>
    internal ExclusiveQueues Exclusive { get; } = new();

    internal HandlerTable Handlers { get; } = HandlerTable.Create();

    /// <inheritdoc/>
    public void ConfigureListener(ListenOptions listener)
    {
        ArgumentNullException.ThrowIfNull(listener);
        listener.Run(ServeAsync);
    }

    /// <inheritdoc/>
    public void OnBound(IPEndPoint endpoint)
    {
    }

    /// <summary>Creates a session over any pair of pipes: for tests and benchmarks, which need no socket.</summary>
    /// <param name="transport">What the client sends, and where answers go.</param>
    /// <param name="name">What the log calls the connection.</param>
    /// <param name="remote">Where the client is, if that is known.</param>
    /// <param name="certificate">The client certificate that TLS has verified, if there is one.</param>
    /// <param name="live">What the connection is listed as, if it is.</param>
    public AmqpSession CreateSession(IDuplexPipe transport, string name, EndPoint? remote = null, X509Certificate2? certificate = null, LiveConnection? live = null) =>
        new(this, transport, name, remote, certificate, live ?? new LiveConnection());

    /// <summary>Deletes what belongs to a connection that ends.</summary>
    internal ValueTask OnSessionEndedAsync(AmqpSession session)
    {
        session.LeaveHost();
        return Exclusive.ReleaseAsync(session, Broker.Queues);
    }

    private async Task ServeAsync(ConnectionContext connection)
    {
        var certificate = connection.Features.Get<ITlsConnectionFeature>()?.ClientCertificate;
        var session = CreateSession(connection.Transport, $"{connection.ConnectionId} from {connection.RemoteEndPoint}", connection.RemoteEndPoint, certificate, connection.Features.Get<LiveConnection>());
        var closing = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        using (closing.UnsafeRegister(static state => ((AmqpSession)state!).Stop(), session))
            await session.RunAsync(connection.ConnectionClosed).ConfigureAwait(false);
    }
}

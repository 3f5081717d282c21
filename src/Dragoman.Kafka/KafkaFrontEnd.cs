using System.IO.Pipelines;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Dragoman.Kafka.Configs;
using Dragoman.Kafka.Handlers;
using Dragoman.Kafka.Sessions;
using Dragoman.Protocols;
using Dragoman.Protocols.Authentication;
using Dragoman.Protocols.Connections;
using Dragoman.Protocols.Framing;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Dragoman.Kafka;

/// <summary>Lets clients of Apache Kafka produce, fetch and administer topics.</summary>
public sealed class KafkaFrontEnd : IFrontEnd
{
    /// <summary>The port that Kafka clients expect.</summary>
    public const int DefaultPort = 9092;

    /// <summary>Creates the front end.</summary>
    /// <param name="broker">The broker that it speaks for.</param>
    /// <param name="options">How it behaves.</param>
    /// <param name="loggers">Where it logs.</param>
    /// <param name="authenticator">Says who a client is; null to ask the broker's users alone.</param>
    public KafkaFrontEnd(Broker.Broker broker, KafkaOptions options, ILoggerFactory loggers, Authenticator? authenticator = null)
    {
        ArgumentNullException.ThrowIfNull(broker);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(loggers);
        Broker = broker;
        Authenticator = authenticator ?? new Authenticator(broker.Accounts);
        Options = options;
        Log = loggers.CreateLogger<KafkaFrontEnd>();
        NodeConfigs = new NodeConfigs(this);
        Budget = new ByteBudget(options.MaxQueuedRequestBytes);
    }

    /// <inheritdoc/>
    public string Name => "kafka";

    /// <inheritdoc/>
    public bool UsesLoops => true;

    /// <inheritdoc/>
    public bool LeavesLoops => true;

    /// <summary>How it behaves.</summary>
    public KafkaOptions Options { get; }

    internal Broker.Broker Broker { get; }

    internal Authenticator Authenticator { get; }

    internal ILogger Log { get; }

    internal NodeConfigs NodeConfigs { get; }

    internal ByteBudget Budget { get; }

    internal HandlerTable Handlers { get; } = HandlerTable.Create();

    /// <summary>Where the listener is; null while there is none.</summary>
    internal IPEndPoint? Bound { get; private set; }

    /// <inheritdoc/>
    public void ConfigureListener(ListenOptions listener)
    {
        ArgumentNullException.ThrowIfNull(listener);
        listener.Run(ServeAsync);
    }

    /// <inheritdoc/>
    public void OnBound(IPEndPoint endpoint) => Bound = endpoint;

    /// <summary>Creates a session over any pair of pipes: for tests and benchmarks, which need no socket.</summary>
    /// <param name="transport">What the client sends, and where answers go.</param>
    /// <param name="name">What the log calls the connection.</param>
    /// <param name="local">The address that the client reached, if there is one.</param>
    /// <param name="remote">The address that the client connects from, if there is one.</param>
    /// <param name="certificate">The certificate that the client showed, if it did.</param>
    /// <param name="live">What the connection is listed as, if it is.</param>
    public KafkaSession CreateSession(
        IDuplexPipe transport, string name, IPEndPoint? local = null, IPEndPoint? remote = null, X509Certificate2? certificate = null, LiveConnection? live = null) =>
        new(this, transport, name, local, remote, certificate, live ?? new LiveConnection());

    private async Task ServeAsync(ConnectionContext connection)
    {
        if (Broker.Quotas.Any && !await IsWelcomeAsync(connection).ConfigureAwait(false)) return;
        var session = CreateSession(
            connection.Transport, $"{connection.ConnectionId} from {connection.RemoteEndPoint}", connection.LocalEndPoint as IPEndPoint,
            connection.RemoteEndPoint as IPEndPoint, connection.Features.Get<ITlsConnectionFeature>()?.ClientCertificate, connection.Features.Get<LiveConnection>());
        var closing = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        using (closing.UnsafeRegister(static state => ((KafkaSession)state!).Stop(), session))
            await session.RunAsync(connection.ConnectionClosed).ConfigureAwait(false);
    }

    /// <summary>Turns a connection away, after a while, where too many come from its address (KIP-612).</summary>
    private async ValueTask<bool> IsWelcomeAsync(ConnectionContext connection)
    {
        if (connection.RemoteEndPoint is not IPEndPoint { Address: var address }) return true;
        var wait = Broker.Quotas.RecordConnection((address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString());
        if (wait <= TimeSpan.Zero) return true;
        Log.LogWarning("Closing connection {Connection} from {Address}: too many come from there.", connection.ConnectionId, address);
        try
        {
            await Task.Delay(wait, Broker.Time, connection.ConnectionClosed).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // It went by itself.
        }
        return false;
    }
}

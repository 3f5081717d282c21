using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Dragoman.Broker.Channels;
using Dragoman.Broker.Namespaces;
using Dragoman.Protocols;
using Dragoman.Protocols.Authentication;
using Dragoman.Protocols.Connections;
using Dragoman.Protocols.Framing;
using Dragoman.Protocols.Transport.Loops;
using Dragoman.Redis.Access;
using Dragoman.Redis.Commands;
using Dragoman.Redis.Keys;
using Dragoman.Redis.Sessions;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Dragoman.Redis;

/// <summary>Lets clients of Redis publish and subscribe. A channel is the topic of that name.</summary>
public sealed class RedisFrontEnd : IFrontEnd, IDisposable
{
    /// <summary>The port that Redis clients expect.</summary>
    public const int DefaultPort = 6379;

    private readonly ITimer _timer;
    private long _seconds;
    private long _accepted;
    private long _accountsVersion;

    /// <summary>Creates the front end.</summary>
    /// <param name="broker">The broker that it speaks for.</param>
    /// <param name="options">How it behaves.</param>
    /// <param name="loggers">Where it logs.</param>
    /// <param name="authenticator">Says who a client is; null to ask the broker's users alone.</param>
    public RedisFrontEnd(Broker.Broker broker, RedisOptions options, ILoggerFactory loggers, Authenticator? authenticator = null)
    {
        ArgumentNullException.ThrowIfNull(broker);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(loggers);
        Broker = broker;
        Options = options;
        Log = loggers.CreateLogger<RedisFrontEnd>();
        Login = new RedisLogin(authenticator ?? new Authenticator(broker.Accounts));
        Gathered = new ByteBudget(options.MaxGatheredBytes);
        Limits = new OutputLimits(options.MaxOutputBytes);
        Channels = broker.Channels.In(NamespaceName.Default);
        Keys = new KeyStore(options.MaxKeyBytes, broker.Time, Channels);
        StartedAt = broker.Time.GetUtcNow();
        _accountsVersion = broker.Accounts.Version;
        _timer = broker.Time.CreateTimer(static state => ((RedisFrontEnd)state!).OnSecond(), this, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
    }

    /// <inheritdoc/>
    public string Name => "redis";

    /// <inheritdoc/>
    public bool UsesLoops => true;

    /// <summary>How it behaves.</summary>
    public RedisOptions Options { get; }

    internal Broker.Broker Broker { get; }

    internal ILogger Log { get; }

    internal RedisLogin Login { get; }

    internal CommandTable Commands { get; } = CommandTable.Create();

    /// <summary>What requests that have not wholly arrived take.</summary>
    internal ByteBudget Gathered { get; }

    internal OutputLimits Limits { get; }

    /// <summary>Who listens to channels, by whatever protocol.</summary>
    internal ChannelSpace Channels { get; }

    /// <summary>Who listens to channels of shards, which are Redis' own and apart from topics.</summary>
    internal ChannelSpace Shards { get; } = new();

    internal KeyStore Keys { get; }

    /// <summary>The connections, by their numbers.</summary>
    internal ConcurrentDictionary<long, RedisSession> Sessions { get; } = new();

    internal DateTimeOffset StartedAt { get; }

    internal int Port { get; private set; }

    /// <summary>How many connections there have been.</summary>
    internal long Accepted => Interlocked.Read(ref _accepted);

    /// <inheritdoc/>
    public void ConfigureListener(ListenOptions listener)
    {
        ArgumentNullException.ThrowIfNull(listener);
        listener.Run(ServeAsync);
    }

    /// <inheritdoc/>
    public void OnBound(IPEndPoint endpoint)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        Port = endpoint.Port;
    }

    /// <summary>Creates a session over any pair of pipes: for tests and benchmarks, which need no socket.</summary>
    /// <param name="transport">What the client sends, and where replies go.</param>
    /// <param name="remote">Where the client is, if that is known.</param>
    /// <param name="certificate">The client certificate that TLS has verified, if there is one.</param>
    public RedisSession CreateSession(IDuplexPipe transport, EndPoint? remote = null, X509Certificate2? certificate = null) =>
        new(this, transport, PipeScheduler.ThreadPool, PipeScheduler.ThreadPool, Interlocked.Increment(ref _accepted), remote, null, certificate, new LiveConnection());

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer.Dispose();
        Keys.Dispose();
    }

    private async Task ServeAsync(ConnectionContext connection)
    {
        var certificate = connection.Features.Get<ITlsConnectionFeature>()?.ClientCertificate;
        var loop = connection.Features.Get<ILoopFeature>();
        var session = new RedisSession(this, connection.Transport, loop?.Loop ?? PipeScheduler.ThreadPool, loop?.Later ?? PipeScheduler.ThreadPool, Interlocked.Increment(ref _accepted), connection.RemoteEndPoint, connection.LocalEndPoint, certificate,
            connection.Features.Get<LiveConnection>() ?? new LiveConnection());
        var closing = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        using (closing.UnsafeRegister(static state => ((RedisSession)state!).Disconnect(null), session))
            await session.RunAsync().ConfigureAwait(false);
    }

    /// <summary>Once a second: clients that are behind for too long, and those who listen to what they may not any longer.</summary>
    private void OnSecond()
    {
        _seconds++;
        var version = Broker.Accounts.Version;
        var changed = version != _accountsVersion;
        _accountsVersion = version;
        foreach (var session in Sessions.Values)
        {
            session.Output.CheckSoftLimit(_seconds);
            if (changed) session.CheckPermissions();
        }
    }
}

using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Dragoman.Admin;
using Dragoman.Amqp;
using Dragoman.Aws;
using Dragoman.Broker;
using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;
using Dragoman.Commands;
using Dragoman.Kafka;
using Dragoman.Protocols;
using Dragoman.Protocols.Authentication;
using Dragoman.Protocols.Connections;
using Dragoman.Protocols.Tls;
using Dragoman.Redis;
using Dragoman.Storage;
using Dragoman.Storage.Platform;
using Microsoft.Extensions.Logging;

namespace Dragoman.Serve;

/// <summary>The broker as a process: starts what the settings ask for, says so, and ends in good order.</summary>
internal sealed class BrokerProcess(ServeOptions options, IReadOnlyList<string> warnings)
{
    private readonly TaskCompletionSource<string> _stop = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Runs until a signal or a failed disk ends it; returns the exit code.</summary>
    /// <exception cref="CommandException">It cannot start.</exception>
    public async Task<int> RunAsync()
    {
        // Each fsync blocks a thread of the pool; connections must not wait for the pool to notice.
        ThreadPool.GetMinThreads(out var workers, out var completions);
        ThreadPool.SetMinThreads(Math.Max(workers, Environment.ProcessorCount + 6), completions);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using var loggers = new ConsoleLog(Console.Error, options.LogLevel, TimeProvider.System);
        var log = loggers.CreateLogger("Dragoman");
        foreach (var warning in warnings) log.LogWarning("{Warning}", warning);

        using var tls = LoadTls();
        var clock = options.TestMode ? new MovableClock() : null;
        // A directory that is not there yet has no users, and need not come to be for saying so.
        if (!Directory.Exists(options.Data)) options.CheckBind(hasUsers: options.DefaultUser is not null);
        await using var broker = await StartBrokerAsync(clock ?? TimeProvider.System);
        broker.Routing.AddObserver(new ForwardingLog(log));
        broker.Channels.AddObserver(new ChannelLog(log));
        await CreateDefaultUserAsync(broker, log);
        options.CheckBind(broker.Accounts.IsEnabled);
        // Whoever sets the default user to "guest" has chosen its password, and where it may log in.
        var authenticator = new Authenticator(broker.Accounts, options.AllowAnonymous, LoadTokens(broker.Time)) { GuestOnlyFromLoopback = options.DefaultUser != Authenticator.Guest };
        var connections = new ConnectionRegistry(broker.Time);
        await using var links = new Links.Links(broker, loggers);
        using var node = new AdminNode(broker) { Authenticator = authenticator, Connections = connections, AdvanceClock = clock is null ? null : clock.Advance, Links = links, CertificateEnds = tls?.CertificateEnds };
        // What SNS makes of messages it makes whether or not clients of AWS are served: other protocols publish to its topics.
        using var aws = new AwsFrontEnd(broker, new AwsOptions { Account = options.AwsAccount, CommitMode = options.CommitMode, AllowReset = options.TestMode, Stopping = node.Stopping }, loggers, authenticator);
        var bindings = Bindings(broker, authenticator, node, aws, loggers);
        if (bindings.Count == 0) throw new CommandException("Every listener is off, so nobody could reach the broker.", ExitCode.Usage);
        if (options.AwsInit is { } init) await InitializeAsync(aws, init);
        await using var server = await StartListenersAsync(bindings, loggers, tls, connections);
        node.Listeners = [.. server.Endpoints.Select(e => new AdminListener(e.Name, e.EndPoint.ToString()!))];
        node.IsReady = true;
        loggers.IsStarting = false;
        links.Start();
        Announce(server);
        LogRecovery(broker, log);

        if (await Task.WhenAny(_stop.Task, broker.Failed) == broker.Failed)
        {
            var error = await broker.Failed;
            log.LogCritical(
                "The disk under {Directory} failed, so the broker stops at once: nothing it could still acknowledge would be sure to survive. Check the disk and its space, then start again; what was acknowledged will be recovered. ({Error})",
                options.Data, error.Message);
            log.LogDebug(error, "What failed");
            Environment.Exit(ExitCode.DiskFailed);
        }
        log.LogInformation("Stopping on {Signal}", await _stop.Task);
        node.Stop();
        await links.DisposeAsync();
        await server.DisposeAsync();
        await broker.DisposeAsync();
        log.LogInformation("Stopped in good order");
        return ExitCode.Ok;
    }

    private void OnSignal(PosixSignalContext context)
    {
        // A second signal means that waiting is not wanted: then the system's own handling ends the process.
        context.Cancel = _stop.TrySetResult(context.Signal.ToString());
    }

    private List<FrontEndBinding> Bindings(Broker.Broker broker, Authenticator authenticator, AdminNode node, AwsFrontEnd aws, ILoggerFactory loggers)
    {
        var bindings = new List<FrontEndBinding>();
        if (options.Kafka is { } kafka) bindings.Add(new FrontEndBinding(new KafkaFrontEnd(broker, new KafkaOptions { AdvertisedHost = options.AdvertisedHost, AdvertisedPort = options.AdvertisedPort, Rack = options.Rack }, loggers, authenticator), options.Bind, kafka));
        // The management API does what AMQP does, whether AMQP is listened for or not.
        var amqpFrontEnd = new AmqpFrontEnd(broker, new AmqpOptions { NetworkTime = TimeProvider.System }, loggers, authenticator);
        node.IsLowOnMemory = () => amqpFrontEnd.IsLowOnMemory;
        node.Topology = amqpFrontEnd.Topology;
        if (options.Amqp is { } amqp) bindings.Add(new FrontEndBinding(amqpFrontEnd, options.Bind, amqp));
        if (options.Aws is { } awsPort) bindings.Add(new FrontEndBinding(aws, options.Bind, awsPort));
        if (options.Redis is not null || options.RedisSocket is not null)
        {
            var redis = new RedisFrontEnd(broker, new RedisOptions(), loggers, authenticator);
            if (options.Redis is { } port) bindings.Add(new FrontEndBinding(redis, options.Bind, port));
            if (options.RedisSocket is { } path) bindings.Add(new FrontEndBinding(redis, options.Bind, 0, path));
        }
        if (options.Admin is { } admin) bindings.Add(new FrontEndBinding(new AdminFrontEnd(node, loggers), options.Bind, admin));
        return bindings;
    }

    private async Task<Broker.Broker> StartBrokerAsync(TimeProvider clock)
    {
        try
        {
            return await Broker.Broker.StartAsync(
                new BrokerOptions
                {
                    Store = new StoreOptions { Directory = options.Data, JournalFileBytes = options.JournalFileBytes, HeadroomBytes = options.KeepFreeBytes },
                    NodeId = options.NodeId,
                    AutoCreateTopics = options.AutoCreate,
                    DefaultPartitions = options.Partitions,
                    DefaultTopicSettings = TopicSettings.Default with { CommitMode = options.CommitMode },
                },
                new OsFileSystem(), clock, ThreadPoolScheduler.Instance, new Random());
        }
        catch (IOException error)
        {
            throw StartFailure.Explain(error, options.Data);
        }
    }

    private async Task CreateDefaultUserAsync(Broker.Broker broker, ILogger log)
    {
        if (options.DefaultUser is null || broker.Accounts.IsEnabled) return;
        var user = new User(options.DefaultUser, [User.AdministratorTag], []).WithPassword(options.DefaultPassword!, RandomNumberGenerator.GetBytes(36));
        var answer = await broker.Accounts.CreateUserAsync(user);
        if (answer.Status != AccountStatus.Ok) throw new CommandException($"The user '{options.DefaultUser}' could not be created: {answer.Message}");
        log.LogInformation("Created the administrator '{User}'", options.DefaultUser);
    }

    private static async Task InitializeAsync(AwsFrontEnd aws, string path)
    {
        try
        {
            await aws.InitializeAsync(await File.ReadAllTextAsync(path));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new CommandException($"What {path} names could not be made: {error.Message}", ExitCode.Usage);
        }
    }

    private TlsSettings? LoadTls()
    {
        if (options.TlsCert is null) return null;
        try
        {
            return TlsSettings.Load(options.TlsCert, options.TlsKey!, options.TlsClientAuth, options.TlsClientCa);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new CommandException($"TLS cannot be set up with {options.TlsCert} and {options.TlsKey}: {error.Message}", ExitCode.Usage);
        }
    }

    private JwtTokens? LoadTokens(TimeProvider clock)
    {
        if (options.JwtKey is null) return null;
        try
        {
            return new JwtTokens(File.ReadAllBytes(options.JwtKey), options.JwtIssuer, options.JwtAudience, clock);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new CommandException($"{options.JwtKey} cannot be used to check tokens: {error.Message}", ExitCode.Usage);
        }
    }

    private static async Task<FrontEndServer> StartListenersAsync(List<FrontEndBinding> bindings, ILoggerFactory loggers, TlsSettings? tls, ConnectionRegistry connections)
    {
        try
        {
            return await FrontEndServer.StartAsync(bindings, loggers, tls: tls, connections: connections);
        }
        catch (Exception error) when (error is IOException or SocketException)
        {
            throw StartFailure.Explain(error, bindings);
        }
    }

    private static void Announce(FrontEndServer server)
    {
        foreach (var (name, endpoint) in server.Endpoints) Console.Out.WriteLine($"listening {name} {endpoint}");
        var elapsed = DateTime.Now - System.Diagnostics.Process.GetCurrentProcess().StartTime;
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"ready in {elapsed.TotalMilliseconds:0} ms"));
        Console.Out.Flush();
    }

    private void LogRecovery(Broker.Broker broker, ILogger log)
    {
        var recovery = broker.Store.Recovery;
        if (recovery.IsNew) log.LogInformation("Began a new store in {Directory}", options.Data);
        else if (recovery.WasClean) log.LogInformation("Opened {Directory}: {Commits} commits replayed after a stop in good order", options.Data, recovery.Commits);
        else log.LogWarning("Recovered {Directory} after a crash: {Commits} commits ({Bytes}) replayed; {Tail}; leader epoch is now {Epoch}", options.Data, recovery.Commits, ByteSize.Format(recovery.Bytes), recovery.Tail, broker.Store.Epoch);
    }
}

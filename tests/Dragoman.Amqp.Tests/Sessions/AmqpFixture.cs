using System.Collections.Concurrent;
using Dragoman.Broker;
using Dragoman.Storage;
using Dragoman.Storage.Platform;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Dragoman.Amqp.Tests.Sessions;

/// <summary>A real broker on a temporary directory, and clients that reach its AMQP front end without sockets.</summary>
internal sealed class AmqpFixture : IAsyncDisposable, ILoggerFactory, ILogger
{
    private readonly string _directory = Directory.CreateTempSubdirectory("dragoman-amqp").FullName;
    private readonly List<TestClient> _clients = [];

    public Dragoman.Broker.Broker Broker { get; private set; } = null!;

    public AmqpFrontEnd FrontEnd { get; private set; } = null!;

    /// <summary>The clock, where the test moves it.</summary>
    public FakeTimeProvider? Clock { get; private init; }

    /// <summary>What was logged as an error.</summary>
    public ConcurrentQueue<string> Failures { get; } = new();

    public static async Task<AmqpFixture> StartAsync(AmqpOptions? options = null, bool withClock = false)
    {
        var fixture = new AmqpFixture { Clock = withClock ? new FakeTimeProvider(DateTimeOffset.FromUnixTimeSeconds(1_700_000_000)) : null };
        await fixture.OpenAsync(options);
        return fixture;
    }

    /// <summary>Connects, logs in and opens a virtual host.</summary>
    public async Task<TestClient> ConnectAsync(string virtualHost = "/", int frameMax = 0, int heartbeat = 0)
    {
        var client = Raw();
        await client.OpenAsync(virtualHost, frameMax, heartbeat);
        return client;
    }

    /// <summary>A connection on which nothing was sent.</summary>
    public TestClient Raw()
    {
        var client = new TestClient(FrontEnd);
        _clients.Add(client);
        return client;
    }

    /// <summary>Stops the broker in good order, and starts it on the same data.</summary>
    public async Task RestartAsync()
    {
        await CloseAsync();
        await OpenAsync(FrontEnd.Options);
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        Directory.Delete(_directory, recursive: true);
        Assert.Empty(Failures);
    }

    private async Task OpenAsync(AmqpOptions? options)
    {
        var store = new StoreOptions { Directory = _directory, JournalFileBytes = 4 << 20, HeadroomBytes = 1 << 20 };
        Broker = await Dragoman.Broker.Broker.StartAsync(new BrokerOptions { Store = store }, new OsFileSystem(), Clock ?? TimeProvider.System, ThreadPoolScheduler.Instance, new Random(1));
        FrontEnd = new AmqpFrontEnd(Broker, options ?? new AmqpOptions(), this);
    }

    private async Task CloseAsync()
    {
        foreach (var client in _clients) await client.DisposeAsync();
        _clients.Clear();
        await Broker.DisposeAsync();
    }

    ILogger ILoggerFactory.CreateLogger(string categoryName) => this;

    void ILoggerFactory.AddProvider(ILoggerProvider provider)
    {
    }

    void IDisposable.Dispose()
    {
    }

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (logLevel >= LogLevel.Error) Failures.Enqueue($"{formatter(state, exception)} {exception}");
    }
}

using System.Collections.Concurrent;
using Dragoman.Broker;
using Dragoman.Broker.Topics;
using Dragoman.Kafka;
using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Platform;
using Microsoft.Extensions.Logging;

namespace Dragoman.Fuzz.Targets;

/// <summary>A broker in a directory of its own, in memory where there is such a place, which keeps what it logged as errors.</summary>
internal sealed class FuzzBroker : IAsyncDisposable, ILoggerFactory, ILogger
{
    private const string Memory = "/dev/shm";

    private FuzzBroker(string directory) => Directory = directory;

    public string Directory { get; }

    public Broker.Broker Broker { get; private set; } = null!;

    public KafkaFrontEnd Kafka { get; private set; } = null!;

    /// <summary>What nobody foresaw.</summary>
    public ConcurrentQueue<string> Errors { get; } = new();

    public static async Task<FuzzBroker> StartAsync()
    {
        var parent = System.IO.Directory.Exists(Memory) ? Memory : Path.GetTempPath();
        var started = new FuzzBroker(Path.Join(parent, $"dragoman-fuzz-{Guid.NewGuid():N}"));
        started.Broker = await Dragoman.Broker.Broker.StartAsync(
            new BrokerOptions
            {
                Store = new StoreOptions { Directory = started.Directory, JournalFileBytes = 4 << 20, HeadroomBytes = 0 },
                DefaultTopicSettings = TopicSettings.Default with { CommitMode = CommitMode.Written },
            },
            new OsFileSystem(), TimeProvider.System, ThreadPoolScheduler.Instance, new Random());
        started.Kafka = new KafkaFrontEnd(started.Broker, new KafkaOptions { MaxRequestBytes = 1 << 20, MaxControlRequestBytes = 1 << 20 }, started);
        return started;
    }

    /// <summary>Stops the broker and leaves its directory.</summary>
    public ValueTask StopAsync() => Broker.DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        await Broker.DisposeAsync();
        System.IO.Directory.Delete(Directory, recursive: true);
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
        if (logLevel >= LogLevel.Error) Errors.Enqueue($"{formatter(state, exception)} {exception}");
    }
}

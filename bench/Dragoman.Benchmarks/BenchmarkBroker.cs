using System.IO.Pipelines;
using Dragoman.Broker;
using Dragoman.Broker.Topics;
using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Platform;

namespace Dragoman.Benchmarks;

/// <summary>A broker without listeners on the real disk, in a directory that goes with it.</summary>
internal sealed class BenchmarkBroker : IAsyncDisposable
{
    private readonly string _directory;

    private BenchmarkBroker(string directory, Broker.Broker broker)
    {
        _directory = directory;
        Broker = broker;
    }

    public Broker.Broker Broker { get; }

    public static async Task<BenchmarkBroker> StartAsync()
    {
        var directory = TemporaryStore.NewDirectory();
        var options = new BrokerOptions
        {
            // So large that no run fills it: what a new journal file costs belongs to the bytes, not to the requests.
            Store = new StoreOptions { Directory = directory, JournalFileBytes = 1 << 30 },
            DefaultTopicSettings = TopicSettings.Default with { CommitMode = CommitMode.Written },
        };
        return new BenchmarkBroker(directory, await Dragoman.Broker.Broker.StartAsync(options, new OsFileSystem(), TimeProvider.System, ThreadPoolScheduler.Instance, new Random(1)));
    }

    public async ValueTask DisposeAsync()
    {
        await Broker.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }
}

/// <summary>Two pipes in place of a socket.</summary>
internal sealed class PipeConnection
{
    private static readonly PipeOptions Options = new(pauseWriterThreshold: 8 << 20, resumeWriterThreshold: 4 << 20, useSynchronizationContext: false);

    private readonly Pipe _toServer = new(Options);
    private readonly Pipe _toClient = new(Options);

    public PipeConnection()
    {
        Server = new Side(_toServer.Reader, _toClient.Writer);
        Client = new Side(_toClient.Reader, _toServer.Writer);
    }

    public IDuplexPipe Server { get; }

    public IDuplexPipe Client { get; }

    private sealed class Side(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}

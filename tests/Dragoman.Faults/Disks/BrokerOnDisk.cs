using System.Net;
using Dragoman.Broker;
using Dragoman.Broker.Topics;
using Dragoman.Kafka;
using Dragoman.Protocols;
using Dragoman.Storage;
using Dragoman.Storage.Platform;
using Dragoman.TestKit;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dragoman.Faults.Disks;

/// <summary>A broker with a Kafka listener inside the test process, on a disk of the test's: what no process can be given.</summary>
internal sealed class BrokerOnDisk : IAsyncDisposable
{
    private readonly Workspace _workspace = new();
    private FrontEndServer _server = null!;

    private BrokerOnDisk()
    {
    }

    public Broker.Broker Broker { get; private set; } = null!;

    public StoreOptions Options { get; private set; } = null!;

    public IPEndPoint EndPoint => (IPEndPoint)_server.Endpoints[0].EndPoint;

    public string Address => EndPoint.ToString();

    public static async Task<BrokerOnDisk> StartAsync(IFileSystem disk)
    {
        var started = new BrokerOnDisk();
        started.Options = new StoreOptions { Directory = started._workspace.Data, JournalFileBytes = 16 << 20 };
        started.Broker = await Dragoman.Broker.Broker.StartAsync(new BrokerOptions { Store = started.Options }, disk, TimeProvider.System, ThreadPoolScheduler.Instance, new Random());
        var frontEnd = new KafkaFrontEnd(started.Broker, new KafkaOptions(), NullLoggerFactory.Instance);
        started._server = await FrontEndServer.StartAsync([new FrontEndBinding(frontEnd, IPAddress.Loopback, 0)], NullLoggerFactory.Instance);
        return started;
    }

    public async Task CreateAsync(string topic, int partitions)
    {
        var answer = await Broker.Topics.CreateAsync(new TopicName(Dragoman.Broker.Namespaces.NamespaceName.Default, topic), partitions, TopicSettings.Default);
        Assert.Equal(TopicStatus.Ok, answer.Status);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await Broker.DisposeAsync();
        _workspace.Dispose();
    }
}

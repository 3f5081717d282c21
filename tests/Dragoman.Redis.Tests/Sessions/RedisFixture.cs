using Dragoman.Broker;
using Dragoman.Storage;
using Dragoman.Storage.Platform;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Dragoman.Redis.Tests.Sessions;

/// <summary>A real broker on a temporary directory, and clients that reach its Redis front end without sockets.</summary>
internal sealed class RedisFixture : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("dragoman-redis").FullName;
    private readonly List<TestClient> _clients = [];

    public Dragoman.Broker.Broker Broker { get; private set; } = null!;

    public RedisFrontEnd FrontEnd { get; private set; } = null!;

    public FakeTimeProvider? Clock { get; private init; }

    public static async Task<RedisFixture> StartAsync(RedisOptions? options = null, bool withClock = false)
    {
        var fixture = new RedisFixture { Clock = withClock ? new FakeTimeProvider(DateTimeOffset.FromUnixTimeSeconds(1_700_000_000)) : null };
        var store = new StoreOptions { Directory = fixture._directory, JournalFileBytes = 4 << 20, HeadroomBytes = 1 << 20 };
        fixture.Broker = await Dragoman.Broker.Broker.StartAsync(new BrokerOptions { Store = store }, new OsFileSystem(), fixture.Clock ?? TimeProvider.System, ThreadPoolScheduler.Instance, new Random(1));
        fixture.FrontEnd = new RedisFrontEnd(fixture.Broker, options ?? new RedisOptions(), NullLoggerFactory.Instance);
        return fixture;
    }

    public TestClient Connect()
    {
        var client = new TestClient(FrontEnd);
        _clients.Add(client);
        return client;
    }

    public async Task<TestClient> ConnectAsync(int protocol)
    {
        var client = Connect();
        if (protocol == 3) await client.AskAsync("HELLO", "3");
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients) await client.DisposeAsync();
        FrontEnd.Dispose();
        await Broker.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }
}

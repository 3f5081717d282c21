using Dragoman.Broker.Topics;
using Dragoman.Storage;
using Dragoman.Storage.Platform;
using Microsoft.Extensions.Time.Testing;

namespace Dragoman.Broker.Tests;

/// <summary>A broker on a temporary directory, with a clock that stands still until it is moved.</summary>
internal sealed class TestBroker : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("dragoman-broker-").FullName;
    private readonly Func<BrokerOptions, BrokerOptions> _change;
    private readonly BrokerSeams _seams;

    private TestBroker(Func<BrokerOptions, BrokerOptions>? change, BrokerSeams? seams)
    {
        _change = change ?? (static options => options);
        _seams = seams ?? new BrokerSeams();
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public Broker Broker { get; private set; } = null!;

    public static async Task<TestBroker> StartAsync(Func<BrokerOptions, BrokerOptions>? change = null, BrokerSeams? seams = null)
    {
        var test = new TestBroker(change, seams);
        await test.OpenAsync();
        return test;
    }

    /// <summary>Stops the broker in good order and starts it on what is on disk.</summary>
    /// <param name="meanwhile">What happens while it is stopped.</param>
    public async Task RestartAsync(Action? meanwhile = null)
    {
        await Broker.DisposeAsync();
        meanwhile?.Invoke();
        await OpenAsync();
    }

    public async Task<ITopicHandle> CreateTopicAsync(string name, int partitions = 1, TopicSettings? settings = null)
    {
        var answer = await Broker.Topics.CreateAsync(TopicName.InDefault(name), partitions, settings ?? TopicSettings.Default);
        Assert.Equal(TopicStatus.Ok, answer.Status);
        return answer.Topic!;
    }

    public async ValueTask DisposeAsync()
    {
        await Broker.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task OpenAsync()
    {
        var store = new StoreOptions { Directory = _directory, JournalFileBytes = 4 << 20, HeadroomBytes = 1 << 20 };
        Broker = await Broker.StartAsync(_change(new BrokerOptions { Store = store }), new OsFileSystem(), Time, ThreadPoolScheduler.Instance, new Random(1), _seams);
    }
}

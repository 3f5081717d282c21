using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dragoman.Faults.Load;
using Dragoman.TestKit;

namespace Dragoman.Faults.Disks;

/// <summary>A full disk refuses publishers, for now, and nobody else; when space returns, so does service.</summary>
public sealed class FullDiskTests(ITestOutputHelper output) : IDisposable
{
    private const string Topic = "orders";
    private const int Partitions = 2;

    private readonly SmallVolume _volume = new();

    public void Dispose() => _volume.Dispose();

    [Fact]
    public async Task Publishers_are_refused_with_an_error_to_try_again_after_and_served_when_space_returns()
    {
        await using var server = await StartAsync();
        await using var load = KafkaLoad.Start(server.Address("kafka"), Topic, Partitions, producers: 2);
        await Eventually.TrueAsync(() => load.Acknowledged > 5000, "the load works");
        _volume.FillTo(8 << 20);
        await RefusedAsync(server);

        var stopped = load.Acknowledged;
        AssertReadable(server);
        // A command may find the little room that a large message does not.
        if (await Record.ExceptionAsync(() => CreateAsync(server, "more", 1)) is { } refusal)
            Assert.Equal(ErrorCode.KafkaStorageError, Assert.IsType<CreateTopicsException>(refusal).Results[0].Error.Code);
        Assert.Null(load.Failure);

        _volume.Empty();
        await Eventually.TrueAsync(() => load.Failure is not null || load.Acknowledged > stopped + 5000, "the load goes on where it was", TimeSpan.FromSeconds(60));
        await CreateAsync(server, "still-more", 1);
        await FinishAsync(server, load);
        Assert.Equal(0, await server.StopAsync());
    }

    [Fact]
    public async Task Without_a_byte_left_the_broker_lives_and_can_be_killed_and_started()
    {
        Assert.SkipUnless(_volume.IsReal, "Needs to mount a file system.");
        await using var server = await StartAsync();
        await using var load = KafkaLoad.Start(server.Address("kafka"), Topic, Partitions, producers: 2);
        await Eventually.TrueAsync(() => load.Acknowledged > 5000, "the load works");
        // Others take all there is, in the midst of whatever the broker is doing.
        _volume.FillWholly();
        await RefusedAsync(server);
        _volume.FillWholly();
        AssertReadable(server);

        await server.KillAsync();
        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => server.StartAgainAsync());
        Assert.Contains("too full to start", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("nothing is lost", refusal.Message, StringComparison.Ordinal);

        _volume.Empty();
        await server.StartAgainAsync();
        var stopped = load.Acknowledged;
        await Eventually.TrueAsync(() => load.Failure is not null || load.Acknowledged > stopped + 1000, "the load goes on", TimeSpan.FromSeconds(60));
        await FinishAsync(server, load);
    }

    [Fact]
    public async Task Deleting_a_topic_makes_room_on_a_full_disk()
    {
        await using var server = await StartAsync();
        await CreateAsync(server, "old", 1);
        using (var producer = Producer(server))
            for (var i = 0; i < 30; i++) await producer.ProduceAsync("old", new Message<Null, byte[]> { Value = new byte[1_000_000] });
        await using var load = KafkaLoad.Start(server.Address("kafka"), Topic, Partitions, producers: 1);
        await Eventually.TrueAsync(() => load.Acknowledged > 1000, "the load works");
        _volume.FillTo(4 << 20);
        await RefusedAsync(server);

        var stopped = load.Acknowledged;
        using var admin = Admin(server);
        await admin.DeleteTopicsAsync(["old"]);
        await Eventually.TrueAsync(() => load.Failure is not null || load.Acknowledged > stopped + 1000, "the load goes on in what the topic took", TimeSpan.FromSeconds(60));
        _volume.Empty();
        await FinishAsync(server, load);
    }

    private async Task<DragomanServer> StartAsync()
    {
        output.WriteLine(_volume.IsReal ? "on a volume of its own" : "on the volume that is there, with the rest of it kept free");
        var server = await DragomanServer.StartAsync(new ServerOptions { Data = _volume.Data, Arguments = ["--journal-file-size", "4MiB", .. _volume.Arguments] });
        await CreateAsync(server, Topic, Partitions);
        return server;
    }

    /// <summary>Waits until the disk is full, and checks what a publisher is told that does not try again by itself.</summary>
    private async Task RefusedAsync(DragomanServer server)
    {
        using var producer = Producer(server);
        var accepted = 0;
        Error? refusal = null;
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                for (var i = 0; i < 10; i++, accepted++) await producer.ProduceAsync("filling", new Message<Null, byte[]> { Value = new byte[100_000] });
            }
            catch (ProduceException<Null, byte[]> error)
            {
                refusal = error.Error;
            }
            return refusal is not null;
        }, "the disk is full", TimeSpan.FromSeconds(60));
        output.WriteLine($"{accepted} messages of 100 kB were taken, and then: {refusal}");
        Assert.Equal(ErrorCode.KafkaStorageError, refusal!.Code);
        Assert.False(refusal.IsFatal);
    }

    private static void AssertReadable(DragomanServer server)
    {
        for (var partition = 0; partition < Partitions; partition++) Assert.NotEmpty(KafkaReader.ReadAll(server.Address("kafka"), Topic, partition));
    }

    private async Task FinishAsync(DragomanServer server, KafkaLoad load)
    {
        var kept = await load.FinishAsync();
        for (var partition = 0; partition < Partitions; partition++) kept.AssertAllIn(partition, KafkaReader.ReadAll(server.Address("kafka"), Topic, partition));
        output.WriteLine($"{kept.Count} records acknowledged and found");
    }

    private static IProducer<Null, byte[]> Producer(DragomanServer server) => new ProducerBuilder<Null, byte[]>(new ProducerConfig
    {
        BootstrapServers = server.Address("kafka"),
        MessageSendMaxRetries = 0,
        LingerMs = 0,
        MessageMaxBytes = 2_000_000,
    }).SetLogHandler(static (_, _) => { }).Build();

    private static IAdminClient Admin(DragomanServer server) => new AdminClientBuilder(new AdminClientConfig { BootstrapServers = server.Address("kafka") }).SetLogHandler(static (_, _) => { }).Build();

    private static async Task CreateAsync(DragomanServer server, string topic, int partitions)
    {
        using var admin = Admin(server);
        await admin.CreateTopicsAsync([new TopicSpecification { Name = topic, NumPartitions = partitions }]);
    }
}

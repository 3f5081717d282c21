using System.Buffers;
using Dragoman.Faults.Hostile;
using Dragoman.Faults.Load;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;
using Dragoman.Storage.Records;
using Dragoman.TestKit;
using KafkaReader = Dragoman.Faults.Load.KafkaReader;

namespace Dragoman.Faults.Disks;

/// <summary>A disk that is slow, or hangs, slows publishers; it neither slows readers nor fills memory.</summary>
public sealed class SlowDiskTests(ITestOutputHelper output)
{
    private const string Topic = "orders";
    private const int Partitions = 2;

    [Fact]
    public async Task A_slow_disk_gathers_publishers_and_leaves_readers_alone()
    {
        var disk = new SlowDisk();
        await using var broker = await BrokerOnDisk.StartAsync(disk);
        await broker.CreateAsync(Topic, Partitions);
        await using var load = KafkaLoad.Start(broker.Address, Topic, Partitions, producers: 3);
        await Eventually.TrueAsync(() => load.Acknowledged > 3000, "the load works");
        disk.Delay = TimeSpan.FromMilliseconds(250);
        var (acknowledged, syncs) = (load.Acknowledged, disk.Syncs);
        var reads = 0;
        var reading = Task.Run(() =>
        {
            for (; disk.Syncs < syncs + 12; reads++) Assert.True(KafkaReader.ReadAll(broker.Address, Topic, reads % Partitions).Count > 1000);
        });
        await reading.WaitAsync(TimeSpan.FromMinutes(2));
        (acknowledged, syncs) = (load.Acknowledged - acknowledged, disk.Syncs - syncs);
        output.WriteLine($"{acknowledged} acknowledged in {syncs} syncs, and {reads} times all was read meanwhile");
        Assert.True(acknowledged > syncs * 10, $"{syncs} syncs carried {acknowledged} records.");
        Assert.True(reads >= 3, $"Readers got through {reads} times.");
        disk.Delay = TimeSpan.Zero;
        await FinishAsync(broker, load);
    }

    [Fact]
    public async Task A_disk_that_hangs_holds_publishers_in_bounded_memory_and_they_go_on_with_it()
    {
        var disk = new SlowDisk();
        await using var broker = await BrokerOnDisk.StartAsync(disk);
        await broker.CreateAsync(Topic, Partitions);
        await broker.CreateAsync("flood", 1);
        await using var load = KafkaLoad.Start(broker.Address, Topic, Partitions, producers: 2);
        await Eventually.TrueAsync(() => load.Acknowledged > 3000, "the load works");
        disk.Stall();
        using var over = new CancellationTokenSource();
        long accepted = 0;
        var floods = Enumerable.Range(0, 8).Select(async _ =>
        {
            using var client = await RawClient.ConnectAsync(broker.EndPoint, over.Token);
            var request = Request();
            try
            {
                while (await client.SendAsync(request, over.Token)) Interlocked.Add(ref accepted, request.Length);
            }
            catch (OperationCanceledException)
            {
                // It was never answered, and sent no more than fitted.
            }
        }).ToArray();
        // They send until they are made to wait, and then no more.
        var before = -1L;
        await Eventually.TrueAsync(async () =>
        {
            before = Interlocked.Read(ref accepted);
            await Task.Delay(1000);
            return before > 0 && Interlocked.Read(ref accepted) == before;
        }, "the floods are held back", TimeSpan.FromMinutes(1));
        // A consumer that comes now must not stand behind publishers.
        var records = (await Task.Run(() => KafkaReader.ReadAll(broker.Address, Topic, 0)).WaitAsync(TimeSpan.FromSeconds(20))).Count;
        var pending = broker.Broker.Store.Space.PendingBytes;
        output.WriteLine($"{before >> 20} MiB were taken before publishers had to wait; {pending >> 20} MiB of commits are under way; {records} records were read meanwhile");
        Assert.True(pending <= broker.Options.MaxPendingBytes + (4 << 20), $"{pending} bytes are under way.");
        Assert.True(before < 700L << 20, $"{before} bytes were taken from publishers who had no answer.");
        Assert.True(records > 500);
        await over.CancelAsync();
        await Task.WhenAll(floods);
        var stopped = load.Acknowledged;
        disk.Resume();
        await Eventually.TrueAsync(() => load.Failure is not null || load.Acknowledged > stopped + 1000, "the load goes on");
        await FinishAsync(broker, load);
    }

    private static ReadOnlyMemory<byte> Request()
    {
        using var builder = new RecordBatchBuilder();
        builder.Add(0, default, new byte[500_000]);
        var output = new ArrayBufferWriter<byte>();
        KafkaFrame.WriteRequest(output, 1, "flood", 9, new ProduceRequest
        {
            Acks = -1,
            TimeoutMs = 30_000,
            TopicData = [new() { Name = "flood", PartitionData = [new() { Index = 0, Records = new Records(new ReadOnlySequence<byte>(builder.Build(new BatchOptions()).ToArray())) }] }],
        });
        return output.WrittenMemory;
    }

    private static async Task FinishAsync(BrokerOnDisk broker, KafkaLoad load)
    {
        var kept = await load.FinishAsync();
        for (var partition = 0; partition < Partitions; partition++) kept.AssertAllIn(partition, KafkaReader.ReadAll(broker.Address, Topic, partition));
    }
}

using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;
using Dragoman.Storage.Records;

namespace Dragoman.Kafka.Tests.Handlers;

[CollectionDefinition(nameof(SessionAllocationTests), DisableParallelization = true)]
[Collection(nameof(SessionAllocationTests))]
public sealed class SessionAllocationTests
{
    // Enough for the array pool, which keeps arrays for each processor, to have all that it needs.
    private const int Requests = 1000;

    // The first ones warm up.
    private const int Rounds = 6;

    [Fact]
    public async Task Producing_allocates_the_same_for_one_record_and_for_a_thousand()
    {
        await using var broker = await BrokerFixture.StartAsync(store: store => store with { JournalFileBytes = 64 << 20 });
        await broker.CreateTopicAsync("t", 1, ("dragoman.commit.mode", "written"), ("max.message.bytes", "4000000"));
        var client = broker.Connect();
        var one = TestConnection.Encode(TestConnection.ProduceOf("t", Batches.Of("a")), 11, 1);
        var many = TestConnection.Encode(TestConnection.ProduceOf("t", Batches.Of([.. Enumerable.Repeat("a", 1000)])), 11, 1);
        AssertSame(await MeasureAsync(client, one), await MeasureAsync(client, many));
    }

    [Fact]
    public async Task Fetching_allocates_the_same_for_one_record_and_for_a_thousand()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("one");
        await broker.CreateTopicAsync("many");
        var client = broker.Connect();
        await client.ProduceAsync("one", Batches.Of("a"));
        await client.ProduceAsync("many", Batches.Of(new BatchOptions(), 1000, [.. Enumerable.Repeat("a", 1000)]));
        byte[] Fetch(string topic) => TestConnection.Encode(
            new FetchRequest { MaxBytes = 1 << 20, Topics = [new() { Topic = topic, Partitions = [new() { PartitionMaxBytes = 1 << 20 }] }] }, 12, 1);
        AssertSame(await MeasureAsync(client, Fetch("one")), await MeasureAsync(client, Fetch("many")));
    }

    private static void AssertSame(long one, long many)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"{one} bytes per request with one record, {many} with 1,000");
        // Timing decides whether a wait is synchronous, and so a little of what is allocated.
        // A thousand records would be 32,000 at least.
        Assert.InRange(many, one - 2000, one + 2000);
    }

    /// <summary>The least of some rounds: on a busy machine more waits are asynchronous, and each allocates.</summary>
    private static async Task<long> MeasureAsync(TestConnection client, byte[] request)
    {
        var least = long.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            for (var i = 0; i < Requests; i++) await AskAsync(client, request);
            least = Math.Min(least, (GC.GetTotalAllocatedBytes(precise: true) - before) / Requests);
        }
        return least;
    }

    private static async Task AskAsync(TestConnection client, byte[] request)
    {
        await client.SendAsync(request);
        await client.SkipFrameAsync();
    }
}

using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Dragoman.Faults.Load;
using Dragoman.TestKit;

namespace Dragoman.Faults.Kills;

/// <summary>
/// <c>kill -9</c> under publishers of a FIFO topic with two queues, one of which wants some of the messages: what was answered
/// is in each queue that wants it, once though it was published again, in the order of its group. So it is where the topic
/// keeps a log too, and there each message is once as well.
/// </summary>
public sealed class SnsKillTests(ITestOutputHelper output)
{
    private const int Publishers = 4;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_fifo_topic_tells_each_queue_all_that_it_wants_once_and_in_order(bool keepsLog)
    {
        await using var server = await DragomanServer.StartAsync("--journal-file-size", "1MiB");
        using var client = new SqsClient(server.EndPoint("aws"));
        using var admin = new HttpClient { BaseAddress = new Uri($"http://{server.Address("admin")}/_dragoman/v1/") };
        if (keepsLog) (await admin.PostAsJsonAsync("topics", new { name = "orders.fifo", partitions = 1 })).EnsureSuccessStatusCode();
        var topic = (await client.AskSnsAsync("CreateTopic", ("Name", "orders.fifo"), ("Attributes.entry.1.key", "FifoTopic"), ("Attributes.entry.1.value", "true"))).Descendants().First(static e => e.Name.LocalName == "TopicArn").Value;
        var all = await SubscribeAsync(client, topic, "all.fifo", null);
        var some = await SubscribeAsync(client, topic, "some.fifo", """{"sender":["0","1"]}""");

        long[] published;
        await using var ofAll = new SqsWorker(server.EndPoint("aws"), all, receivers: 2);
        await using var ofSome = new SqsWorker(server.EndPoint("aws"), some, receivers: 2);
        await using (var load = SqsLoad.Publish(server.EndPoint("aws"), topic, Publishers))
        {
            await new KillCampaign(server, load, output.WriteLine, Random.Shared.Next()).RunAsync((Counts.Kills + 1) / 2);
            published = await load.FinishAsync();
        }
        await SeenAsync(ofAll, published, Publishers);
        await SeenAsync(ofSome, published, 2);
        foreach (var queue in new[] { all, some })
            await Eventually.TrueAsync(async () => await client.CountAsync(queue) == (0, 0), "everything is deleted", TimeSpan.FromMinutes(2));
        Assert.Empty(ofAll.Faults.Concat(ofSome.Faults));
        output.WriteLine($"{published.Sum()} messages published, {ofAll.Seen.Count} and {ofSome.Seen.Count} received");
        if (keepsLog)
        {
            var log = JsonNode.Parse(await admin.GetStringAsync(new Uri("topics/orders.fifo", UriKind.Relative)))!;
            Assert.Equal(published.Sum(), (long)log["partitions"]![0]!["highWatermark"]!);
        }
        Assert.Equal(0, await server.StopAsync());
    }

    private static async Task SeenAsync(SqsWorker worker, long[] published, int publishers)
    {
        var wanted = Enumerable.Range(0, publishers).Sum(n => published[n]);
        await Eventually.TrueAsync(() => worker.Seen.Count >= wanted, $"all {wanted} are received", TimeSpan.FromMinutes(2));
        for (var publisher = 0; publisher < published.Length; publisher++)
        {
            var expected = publisher < publishers ? Enumerable.Range(0, (int)published[publisher]) : [];
            Assert.Equal(expected.Select(static n => (long)n), worker.Seen.Where(m => m.Producer == publisher).Select(static m => m.Sequence).Order());
        }
    }

    private static async Task<string> SubscribeAsync(SqsClient client, string topic, string queue, string? filter)
    {
        // Short, so that what a kill caught in a receiver's hands soon comes again.
        var url = await client.CreateQueueAsync(queue, new JsonObject { ["FifoQueue"] = "true", ["VisibilityTimeout"] = "3" });
        List<(string, string)> parameters =
        [
            ("TopicArn", topic), ("Protocol", "sqs"), ("Endpoint", $"arn:aws:sqs:us-east-1:000000000000:{queue}"),
            ("Attributes.entry.1.key", "RawMessageDelivery"), ("Attributes.entry.1.value", "true"),
        ];
        if (filter is not null) parameters.AddRange([("Attributes.entry.2.key", "FilterPolicy"), ("Attributes.entry.2.value", filter)]);
        await client.AskSnsAsync("Subscribe", [.. parameters]);
        return url;
    }
}

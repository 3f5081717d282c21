using System.Text.Json.Nodes;
using Dragoman.Faults.Load;
using Dragoman.TestKit;

namespace Dragoman.Faults.Kills;

/// <summary>
/// <c>kill -9</c> under senders, receivers and deletes of a FIFO queue: what was answered is there, once though it was sent
/// again, in the order of its group, and what was deleted does not come again.
/// </summary>
public sealed class SqsKillTests(ITestOutputHelper output)
{
    private const int Senders = 4;

    [Fact]
    public async Task A_fifo_queue_keeps_order_loses_nothing_and_doubles_nothing()
    {
        await using var server = await DragomanServer.StartAsync("--journal-file-size", "1MiB");
        using var client = new SqsClient(server.EndPoint("aws"));
        // Short, so that what a kill caught in a receiver's hands soon comes again.
        var queue = await client.CreateQueueAsync("work.fifo", new JsonObject { ["FifoQueue"] = "true", ["VisibilityTimeout"] = "3" });
        long[] sent;
        await using var worker = new SqsWorker(server.EndPoint("aws"), queue, receivers: 2);
        await using (var load = SqsLoad.Start(server.EndPoint("aws"), queue, Senders))
        {
            await new KillCampaign(server, load, output.WriteLine, Random.Shared.Next()).RunAsync(Counts.Kills);
            sent = await load.FinishAsync();
        }
        await Eventually.TrueAsync(async () => await client.CountAsync(queue) == (0, 0), "everything is received and deleted", TimeSpan.FromMinutes(2));
        Assert.Empty(worker.Faults);
        var seen = worker.Seen;
        output.WriteLine($"{sent.Sum()} messages sent, {seen.Count} received");
        for (var sender = 0; sender < Senders; sender++)
            Assert.Equal(Enumerable.Range(0, (int)sent[sender]).Select(n => (long)n), seen.Where(m => m.Producer == sender).Select(m => m.Sequence).Order());
        Assert.Equal(0, await server.StopAsync());
    }
}

using Dragoman.Broker.Queues;
using Dragoman.Links.Definitions;
using Dragoman.Links.Ends;
using Dragoman.Links.Messages;
using Dragoman.TestKit;
using RabbitMQ.Client;

namespace Dragoman.Links.Tests;

/// <summary>Links from queues that keep what was read: how far they have come is all that tells what is left to carry.</summary>
public sealed class StreamSourceTests
{
    [Fact]
    public async Task What_a_full_queue_refuses_is_not_passed_by()
    {
        await using var local = await LocalBroker.StartAsync();
        var settings = QueueSettings.Default with { MaxLength = 2, Overflow = Overflow.Reject };
        Assert.Equal(QueueStatus.Ok, (await local.Broker.Queues.DeclareAsync(QueueName.InDefault("to"), settings, TestContext.Current.CancellationToken)).Status);
        await using var target = new LocalTarget(local.Broker, new EndDefinition { Uris = [AmqpUri.Parse("amqp://", out _)!], Queue = "to" }, "l");
        await target.OpenAsync(TestContext.Current.CancellationToken);
        using var stop = new CancellationTokenSource();
        var writing = target.WriteAsync(new LinkWrite([.. Enumerable.Range(10, 4).Select(Message)], 0, null, Guid.NewGuid(), true), stop.Token).AsTask();
        await Eventually.TrueAsync(() => target.IsBlocked, "the queue has refused some");
        Assert.Equal(12, local.Broker.LinkProgress.Find("l").Position);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing);
    }

    [Fact]
    public async Task A_stream_that_is_made_anew_is_read_from_its_start()
    {
        await using var local = await LocalBroker.StartAsync();
        var stream = new Dictionary<string, object?> { ["x-queue-type"] = "stream" };
        await local.ShovelAsync("s", new Dictionary<string, object> { ["src-uri"] = "amqp://", ["src-queue"] = "from", ["src-queue-args"] = stream, ["dest-uri"] = "amqp://", ["dest-queue"] = "to", ["reconnect-delay"] = 1 });
        await CarryAsync(10, 10);
        var before = local.Broker.Queues.Find(QueueName.InDefault("from"))!;
        await local.Broker.Queues.DeleteAsync(before, cancellation: TestContext.Current.CancellationToken);
        await CarryAsync(5, 15);

        async Task CarryAsync(int count, int total)
        {
            await Eventually.TrueAsync(() => local.Broker.Queues.Find(QueueName.InDefault("from")) is not null, "the shovel has declared its source");
            await AmqpClient.PublishAsync(local.Uri, "from", 0, count);
            await Eventually.TrueAsync(async () => local.Broker.Queues.Find(QueueName.InDefault("to")) is { } to && (await to.GetCountsAsync()).Ready == total, "all are carried");
        }
    }

    private static LinkMessage Message(int number) =>
        new() { Exchange = "", RoutingKey = "", Properties = new BasicProperties { MessageId = $"{number}" }, Body = new byte[] { (byte)number }, Number = number, Fingerprint = (ulong)number };
}

using System.Text;
using Dragoman.Broker.Links;
using Dragoman.TestKit;
using RabbitMQ.Client;

namespace Dragoman.Links.Tests;

/// <summary>Shovels between two Dragoman brokers, one of them in a process that is stopped and killed.</summary>
public sealed class ShovelTests
{
    private const int Messages = 3000;

    private static Task<DragomanServer> StartRemoteAsync() => DragomanServer.StartAsync(new ServerOptions { Listeners = ["amqp", "admin"] });

    private static string UriOf(DragomanServer server) => $"amqp://guest:guest@{server.Address("amqp")}/%2F";

    [Fact]
    public async Task A_shovel_carries_a_queue_here_with_all_that_its_messages_say()
    {
        await using var remote = await StartRemoteAsync();
        await using var local = await LocalBroker.StartAsync();
        await AmqpClient.OnChannelAsync(UriOf(remote), async channel =>
        {
            await channel.QueueDeclareAsync("from", durable: true, exclusive: false, autoDelete: false);
            var properties = new BasicProperties
            {
                ContentType = "text/plain",
                CorrelationId = "c",
                DeliveryMode = DeliveryModes.Persistent,
                MessageId = "m",
                Priority = 3,
                Type = "t",
                AppId = "a",
                ReplyTo = "r",
                Timestamp = new AmqpTimestamp(1_700_000_000),
                Headers = new Dictionary<string, object?> { ["text"] = "x", ["number"] = 5, ["flag"] = true, ["table"] = new Dictionary<string, object?> { ["in"] = 1L }, ["list"] = new List<object?> { 1, "y" } },
            };
            await channel.BasicPublishAsync("", "from", mandatory: true, properties, Encoding.UTF8.GetBytes("body"));
            return 0;
        });
        await local.ShovelAsync("s", new Dictionary<string, object> { ["src-uri"] = UriOf(remote), ["src-queue"] = "from", ["dest-uri"] = "amqp://", ["dest-queue"] = "to", ["dest-add-forward-headers"] = true });
        await Eventually.TrueAsync(() => local.Shovel("s").Status is { State: LinkState.Running, Forwarded: 1 }, "the shovel has carried the message");
        await AmqpClient.OnChannelAsync(local.Uri, async channel =>
        {
            var message = await channel.BasicGetAsync("to", autoAck: true);
            Assert.NotNull(message);
            Assert.Equal("body", Encoding.UTF8.GetString(message.Body.Span));
            var properties = message.BasicProperties;
            Assert.Equal(("text/plain", "c", "m", "t", "a", "r"), (properties.ContentType, properties.CorrelationId, properties.MessageId, properties.Type, properties.AppId, properties.ReplyTo));
            Assert.Equal((DeliveryModes.Persistent, (byte)3, 1_700_000_000L), (properties.DeliveryMode, properties.Priority, properties.Timestamp.UnixTime));
            var headers = properties.Headers!;
            Assert.Equal("x", Encoding.UTF8.GetString((byte[])headers["text"]!));
            Assert.Equal((5, true), (headers["number"], headers["flag"]));
            Assert.Equal(1L, ((IDictionary<string, object?>)headers["table"]!)["in"]);
            Assert.Equal(1, ((IList<object?>)headers["list"]!)[0]);
            var hop = (IDictionary<string, object?>)((IList<object?>)headers["x-shovelled"]!)[0]!;
            Assert.Equal("s", Encoding.UTF8.GetString((byte[])hop["shovel-name"]!));
            Assert.Equal("from", Encoding.UTF8.GetString((byte[])hop["src-queue"]!));
            Assert.DoesNotContain("guest", Encoding.UTF8.GetString((byte[])hop["src-uri"]!));
            return 0;
        });
        Assert.Equal(0u, await AmqpClient.CountAsync(UriOf(remote), "from"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Nothing_is_lost_or_doubled_when_the_other_broker_is_killed_and_this_one_restarted(bool fromRemote)
    {
        await using var remote = await StartRemoteAsync();
        await using var local = await LocalBroker.StartAsync();
        var (from, to) = fromRemote ? (UriOf(remote), local.Uri) : (local.Uri, UriOf(remote));
        await AmqpClient.DeclareAsync(from, "from");
        await AmqpClient.PublishAsync(from, "from", 0, Messages);
        await local.ShovelAsync("s", new Dictionary<string, object>
        {
            ["src-uri"] = fromRemote ? UriOf(remote) : "amqp://",
            ["src-queue"] = "from",
            ["dest-uri"] = fromRemote ? "amqp://" : UriOf(remote),
            ["dest-queue"] = "to",
            ["src-prefetch-count"] = 100,
            ["reconnect-delay"] = 1,
        });
        for (var kills = 1; kills <= 3; kills++)
        {
            await Eventually.TrueAsync(() => local.Shovel("s").Status.Forwarded >= 300 * kills, "the shovel has carried some", TimeSpan.FromMinutes(1));
            await remote.KillAsync();
            await remote.StartAgainAsync();
            await Eventually.TrueAsync(() => local.Shovel("s").Status.State == LinkState.Running, "the shovel runs again", TimeSpan.FromMinutes(1));
        }
        await local.RestartAsync();
        await AmqpClient.HoldsOnceAsync(to, "to", Messages);
    }

    [Fact]
    public async Task A_shovel_between_queues_of_this_broker_needs_no_connection_and_ends_after_what_there_was()
    {
        await using var local = await LocalBroker.StartAsync();
        await AmqpClient.DeclareAsync(local.Uri, "from");
        await AmqpClient.PublishAsync(local.Uri, "from", 0, 1000);
        await local.ShovelAsync("s", new Dictionary<string, object> { ["src-uri"] = "amqp://", ["src-queue"] = "from", ["dest-uri"] = "amqp://", ["dest-queue"] = "to", ["src-delete-after"] = "queue-length" });
        await Eventually.TrueAsync(() => local.Links.Shovels.Count == 0 && local.Broker.Parameters.List("shovel").Count == 0, "the shovel is done, and its parameter gone");
        await AmqpClient.HoldsOnceAsync(local.Uri, "to", 1000);
    }

    [Fact]
    public async Task What_is_published_to_an_exchange_while_the_link_is_down_is_carried_when_it_is_back()
    {
        await using var remote = await StartRemoteAsync();
        await using var local = await LocalBroker.StartAsync();
        await local.ShovelAsync("s", new Dictionary<string, object> { ["src-uri"] = UriOf(remote), ["src-exchange"] = "amq.topic", ["src-exchange-key"] = "a.#", ["dest-uri"] = "amqp://", ["dest-queue"] = "to", ["reconnect-delay"] = 1 });
        await Eventually.TrueAsync(() => local.Shovel("s").Status.State == LinkState.Running, "the shovel runs");
        await Publish("a.1");
        await Eventually.TrueAsync(() => local.Shovel("s").Status.Forwarded == 1, "the first has come");
        await local.Links.DisposeAsync();
        await Publish("a.2");
        await Publish("b.1");
        await local.RestartAsync();
        await Eventually.TrueAsync(async () => await AmqpClient.CountAsync(local.Uri, "to") == 2, "the second has come");
        Assert.Equal(["a.1", "a.2"], await AmqpClient.DrainAsync(local.Uri, "to"));

        Task Publish(string key) => AmqpClient.OnChannelAsync(UriOf(remote), async channel =>
        {
            await channel.BasicPublishAsync("amq.topic", key, mandatory: false, new BasicProperties { DeliveryMode = DeliveryModes.Persistent }, Encoding.UTF8.GetBytes(key));
            return 0;
        }, confirms: true);
    }

    [Fact]
    public async Task A_shovel_to_a_full_queue_waits_and_loses_nothing()
    {
        await using var local = await LocalBroker.StartAsync();
        await AmqpClient.DeclareAsync(local.Uri, "from");
        await AmqpClient.DeclareAsync(local.Uri, "to", new Dictionary<string, object?> { ["x-max-length"] = 10, ["x-overflow"] = "reject-publish" });
        await AmqpClient.PublishAsync(local.Uri, "from", 0, 25);
        await local.ShovelAsync("s", new Dictionary<string, object> { ["src-uri"] = "amqp://", ["src-queue"] = "from", ["dest-uri"] = "amqp://", ["dest-queue"] = "to" });
        await Eventually.TrueAsync(() => local.Shovel("s").Status.State == LinkState.Blocked, "the shovel waits");
        var taken = new List<string>();
        await Eventually.TrueAsync(
            async () =>
            {
                taken.AddRange(await AmqpClient.DrainAsync(local.Uri, "to"));
                return taken.Count >= 25;
            },
            "all have come");
        Assert.Equal(Enumerable.Range(0, 25).Select(i => $"{i}"), taken);
    }

    [Fact]
    public async Task A_shovel_that_cannot_connect_says_why()
    {
        await using var local = await LocalBroker.StartAsync();
        await local.ShovelAsync("s", new Dictionary<string, object> { ["src-uri"] = $"amqp://user:secret@127.0.0.1:{FreePort.Next()}", ["src-queue"] = "from", ["dest-uri"] = "amqp://", ["dest-exchange"] = "nowhere" });
        await Eventually.TrueAsync(() => local.Shovel("s").Status is { State: LinkState.Terminated, Reason: not null }, "the shovel has failed");
        Assert.Equal("NOT_FOUND - no exchange 'nowhere' in vhost '/'", local.Shovel("s").Status.Reason);
        Assert.DoesNotContain("secret", local.Shovel("s").Source.Uri);
    }
}

using System.Text;
using Dragoman.Broker.Links;
using Dragoman.TestKit;
using RabbitMQ.Client;

namespace Dragoman.Links.Tests;

/// <summary>Exchanges and queues that federate with those of another broker: Dragoman, and Debian's RabbitMQ.</summary>
public sealed class FederationTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_federated_exchange_gets_what_its_bindings_ask_for_once_over_restarts(bool isRabbit)
    {
        await using var upstream = await Upstream.StartAsync(isRabbit);
        await using var local = await LocalBroker.StartAsync();
        await AmqpClient.OnChannelAsync(upstream.Uri, async channel =>
        {
            await channel.ExchangeDeclareAsync("x", ExchangeType.Topic, durable: true);
            return 0;
        });
        await AmqpClient.OnChannelAsync(local.Uri, async channel =>
        {
            await channel.ExchangeDeclareAsync("x", ExchangeType.Topic, durable: true);
            await channel.QueueDeclareAsync("all", durable: true, exclusive: false, autoDelete: false);
            await channel.QueueBindAsync("all", "x", "a.*");
            return 0;
        });
        await local.SetAsync("federation-upstream", "up", new Dictionary<string, object> { ["uri"] = upstream.Uri, ["reconnect-delay"] = 1 });
        await local.FederateAsync("exchanges", "x", "up");
        await RunsAsync(local, "x");
        await upstream.PublishAsync("x", "a.1", "b.1");
        await Eventually.TrueAsync(async () => await AmqpClient.CountAsync(local.Uri, "all") == 1, "what is bound has come");

        // A binding that is made later is made upstream, too.
        await AmqpClient.OnChannelAsync(local.Uri, async channel =>
        {
            await channel.QueueBindAsync("all", "x", "b.#");
            return 0;
        });
        await Eventually.TrueAsync(
            async () =>
            {
                await upstream.PublishAsync("x", "b.2");
                return await AmqpClient.CountAsync(local.Uri, "all") > 1;
            },
            "what is bound now comes");
        await AmqpClient.DrainAsync(local.Uri, "all");
        await upstream.RestartAsync();
        await upstream.PublishAsync("x", [.. Enumerable.Range(0, 500).Select(i => $"a.{i}")]);
        await local.RestartAsync();
        await RunsAsync(local, "x");
        await Eventually.TrueAsync(async () => await AmqpClient.CountAsync(local.Uri, "all") >= 500, "all have come");
        var bodies = await AmqpClient.DrainAsync(local.Uri, "all");
        Assert.Equal(Enumerable.Range(0, 500).Select(i => $"a.{i}").Order(), bodies.Where(b => b.StartsWith("a.", StringComparison.Ordinal)).Order());
    }

    [Fact]
    public async Task Messages_say_which_way_they_have_come_and_do_not_go_in_circles()
    {
        await using var one = await LocalBroker.StartAsync();
        await using var other = await LocalBroker.StartAsync();
        foreach (var broker in new[] { one, other })
        {
            await AmqpClient.OnChannelAsync(broker.Uri, async channel =>
            {
                await channel.ExchangeDeclareAsync("x", ExchangeType.Fanout, durable: true);
                await channel.QueueDeclareAsync("all", durable: true, exclusive: false, autoDelete: false);
                await channel.QueueBindAsync("all", "x", "");
                return 0;
            });
        }
        await one.SetAsync("federation-upstream", "other", new Dictionary<string, object> { ["uri"] = other.Uri, ["max-hops"] = 5 });
        await other.SetAsync("federation-upstream", "one", new Dictionary<string, object> { ["uri"] = one.Uri, ["max-hops"] = 5 });
        await one.FederateAsync("exchanges", "x", "other");
        await other.FederateAsync("exchanges", "x", "one");
        await RunsAsync(one, "x");
        await RunsAsync(other, "x");
        await AmqpClient.OnChannelAsync(other.Uri, async channel =>
        {
            for (var i = 0; i < 10; i++) await channel.BasicPublishAsync("x", "", mandatory: false, new BasicProperties { DeliveryMode = DeliveryModes.Persistent }, Encoding.UTF8.GetBytes($"{i}"));
            return 0;
        }, confirms: true);
        await Eventually.TrueAsync(async () => await AmqpClient.CountAsync(one.Uri, "all") == 10, "all have come");
        await AmqpClient.OnChannelAsync(one.Uri, async channel =>
        {
            var message = await channel.BasicGetAsync("all", autoAck: true);
            var hop = (IDictionary<string, object?>)Assert.Single((IList<object?>)message!.BasicProperties.Headers!["x-received-from"]!)!;
            Assert.Equal("x", Encoding.UTF8.GetString((byte[])hop["exchange"]!));
            Assert.DoesNotContain("guest", Encoding.UTF8.GetString((byte[])hop["uri"]!));
            return 0;
        });
        // What went round would be there once more after the last that was published since.
        await AmqpClient.OnChannelAsync(one.Uri, async channel =>
        {
            await channel.BasicPublishAsync("x", "", mandatory: false, new BasicProperties { DeliveryMode = DeliveryModes.Persistent }, "last"u8.ToArray());
            return 0;
        }, confirms: true);
        await Eventually.TrueAsync(async () => await AmqpClient.CountAsync(other.Uri, "all") == 11, "the last has come");
        Assert.Equal([.. Enumerable.Range(0, 10).Select(i => $"{i}"), "last"], await AmqpClient.DrainAsync(other.Uri, "all"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_federated_queue_pulls_when_its_consumers_have_nothing_to_do(bool isRabbit)
    {
        await using var upstream = await Upstream.StartAsync(isRabbit);
        await using var local = await LocalBroker.StartAsync();
        await AmqpClient.DeclareAsync(upstream.Uri, "q");
        await AmqpClient.DeclareAsync(local.Uri, "q");
        await AmqpClient.PublishAsync(upstream.Uri, "q", 0, 200);
        await local.SetAsync("federation-upstream", "up", new Dictionary<string, object> { ["uri"] = upstream.Uri, ["reconnect-delay"] = 1 });
        await local.FederateAsync("queues", "q", "up");
        await RunsAsync(local, "q");
        // Nobody consumes here, so nothing comes.
        Assert.Equal(200u, await AmqpClient.CountAsync(upstream.Uri, "q"));
        await using var connection = await AmqpClient.ConnectAsync(local.Uri);
        await using var channel = await connection.CreateChannelAsync();
        var consumer = new RabbitMQ.Client.Events.AsyncEventingBasicConsumer(channel);
        var got = new List<string>();
        consumer.ReceivedAsync += (_, message) =>
        {
            lock (got) got.Add(Encoding.UTF8.GetString(message.Body.Span));
            return Task.CompletedTask;
        };
        await channel.BasicConsumeAsync("q", autoAck: true, consumer);
        await Eventually.TrueAsync(() => { lock (got) return got.Count >= 200; }, "all have come");
        Assert.Equal(Enumerable.Range(0, 200).Select(i => $"{i}"), got);
        Assert.Equal("q", Assert.Single(local.Links.FederationLinks).UpstreamName);

        // With its policy the link goes.
        await local.Broker.Policies.RemoveAsync(Dragoman.Broker.Namespaces.NamespaceName.Default, false, "federate queues");
        await Eventually.TrueAsync(() => local.Links.FederationLinks.Count == 0, "the link is gone");
    }

    private static Task RunsAsync(LocalBroker local, string name) =>
        Eventually.TrueAsync(() => local.Links.FederationLinks.Any(l => l.Name == name && l.Status.State == LinkState.Running), $"the link of '{name}' runs", TimeSpan.FromMinutes(1));
}

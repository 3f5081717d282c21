using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;

namespace Dragoman.Amqp.Tests.Sessions;

/// <summary>Exchanges that keep their last messages for whoever is bound later.</summary>
[Trait("Row", "R26")]
public sealed class RecentHistoryTests
{
    private const string Type = "x-recent-history";

    [Fact]
    public async Task Whoever_is_bound_gets_copies_of_the_last_messages_in_their_order()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync(confirms: true);
        await DeclareAsync(client, channel, "news", 3);
        for (var i = 1; i <= 5; i++)
        {
            await client.PublishAsync(channel, "news", $"k{i}", $"{i}", p => p.CorrelationId = $"c{i}");
            Assert.Equal((ulong)i, (await client.ReceiveAsync()).As<BasicAck>().DeliveryTag);
        }
        await client.PublishAsync(channel, "news", "k", "not kept", p => p.Headers = new FieldTable(KeyValuePair.Create("x-recent-history-no-store", FieldValue.OfBoolean(true))));
        (await client.ReceiveAsync()).As<BasicAck>();
        await client.QueueAsync(channel, "late");
        await BindAsync(client, channel, "late", "news");
        // To bind once more is to do nothing.
        await BindAsync(client, channel, "late", "news");
        await client.PublishAsync(channel, "news", "k6", "6");
        (await client.ReceiveAsync()).As<BasicAck>();
        Assert.Equal(["3 k3 c3", "4 k4 c4", "5 k5 c5", "6 k6 "], await TakeAsync(client, channel, "late"));
        await client.QueueAsync(channel, "later");
        await BindAsync(client, channel, "later", "news");
        Assert.Equal(["4 k4 c4", "5 k5 c5", "6 k6 "], await TakeAsync(client, channel, "later"));
    }

    [Fact]
    public async Task Exchanges_behind_it_lead_the_last_messages_on()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync(confirms: true);
        await DeclareAsync(client, channel, "news", 20);
        await client.AskAsync<ExchangeDeclare, ExchangeDeclareOk>(channel, new ExchangeDeclare { Exchange = "by-key", Type = "direct", Durable = true });
        foreach (var queue in new[] { "rome", "oslo" })
        {
            await client.QueueAsync(channel, queue);
            await client.AskAsync<QueueBind, QueueBindOk>(channel, new QueueBind { Queue = queue, Exchange = "by-key", RoutingKey = queue });
        }
        foreach (var key in new[] { "rome", "oslo", "rome", "lima" })
        {
            await client.PublishAsync(channel, "news", key, key);
            (await client.ReceiveAsync()).As<BasicAck>();
        }
        await client.AskAsync<ExchangeBind, ExchangeBindOk>(channel, new ExchangeBind { Source = "news", Destination = "by-key" });
        Assert.Equal(["rome rome ", "rome rome "], await TakeAsync(client, channel, "rome"));
        Assert.Equal(["oslo oslo "], await TakeAsync(client, channel, "oslo"));
    }

    [Fact]
    public async Task To_be_kept_is_not_to_be_received()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync(confirms: true);
        await DeclareAsync(client, channel, "news", 20);
        await client.PublishAsync(channel, "news", "k", "unheard", mandatory: true);
        Assert.Equal("NO_ROUTE", (await client.ReceiveAsync()).As<BasicReturn>().Text);
        Assert.Equal(1UL, (await client.ReceiveAsync()).As<BasicAck>().DeliveryTag);
        await client.QueueAsync(channel, "q");
        await BindAsync(client, channel, "q", "news");
        Assert.Equal(["unheard k "], await TakeAsync(client, channel, "q"));
    }

    [Fact]
    public async Task A_durable_exchange_has_its_last_messages_after_a_restart_and_a_deleted_one_leaves_nothing()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync(confirms: true);
        await DeclareAsync(client, channel, "news", 2);
        foreach (var body in new[] { "a", "b", "c" })
        {
            await client.PublishAsync(channel, "news", "k", body, p => p.DeliveryMode = 2);
            (await client.ReceiveAsync()).As<BasicAck>();
        }
        await fixture.RestartAsync();
        client = await fixture.ConnectAsync();
        channel = await client.ChannelAsync(confirms: true);
        // The first publish after the start is kept, too.
        await client.PublishAsync(channel, "news", "k", "d", p => p.DeliveryMode = 2);
        (await client.ReceiveAsync()).As<BasicAck>();
        await client.QueueAsync(channel, "q");
        await BindAsync(client, channel, "q", "news");
        Assert.Equal(["c k ", "d k "], await TakeAsync(client, channel, "q"));
        await client.AskAsync<ExchangeDelete, ExchangeDeleteOk>(channel, new ExchangeDelete { Exchange = "news" });
        await DeclareAsync(client, channel, "news", 2);
        await BindAsync(client, channel, "q", "news");
        Assert.Equal([], await TakeAsync(client, channel, "q"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-3)]
    public async Task It_keeps_at_least_one_message(int length)
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync();
        var refusal = await client.RefusedAsync(channel, new ExchangeDeclare { Exchange = "news", Type = Type, Arguments = new FieldTable(KeyValuePair.Create("x-recent-history-length", FieldValue.OfInt32(length))) });
        Assert.Equal("PRECONDITION_FAILED - Invalid argument, 'x-recent-history-length' must be a positive integer", refusal.Text);
    }

    private static Task<ExchangeDeclareOk> DeclareAsync(TestClient client, ushort channel, string exchange, int length) =>
        client.AskAsync<ExchangeDeclare, ExchangeDeclareOk>(channel, new ExchangeDeclare { Exchange = exchange, Type = Type, Durable = true, Arguments = new FieldTable(KeyValuePair.Create("x-recent-history-length", FieldValue.OfInt32(length))) });

    private static Task<QueueBindOk> BindAsync(TestClient client, ushort channel, string queue, string exchange) =>
        client.AskAsync<QueueBind, QueueBindOk>(channel, new QueueBind { Queue = queue, Exchange = exchange });

    /// <summary>What waits in a queue: bodies, routing keys and correlation ids.</summary>
    private static async Task<List<string>> TakeAsync(TestClient client, ushort channel, string queue)
    {
        var taken = new List<string>();
        for (var left = (await client.CountAsync(channel, queue)).MessageCount; left > 0; left--)
        {
            await client.SendAsync(channel, new BasicGet { Queue = queue, NoAck = true });
            var got = await client.ReceiveAsync();
            taken.Add($"{got.Text} {got.As<BasicGetOk>().RoutingKey} {System.Text.Encoding.UTF8.GetString(AmqpProperties.Read(got.Properties).CorrelationId)}");
        }
        return taken;
    }
}

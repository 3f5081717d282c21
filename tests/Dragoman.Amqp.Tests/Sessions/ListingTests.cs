using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;
using Dragoman.Broker.Statistics;
using Dragoman.Broker.Topics;

namespace Dragoman.Amqp.Tests.Sessions;

/// <summary>What others may see of a connection, its channels and its consumers, and what is counted.</summary>
public sealed class ListingTests
{
    [Fact]
    public async Task A_connection_shows_who_uses_it_and_for_what()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = fixture.Raw();
        await client.OpenAsync(heartbeat: 17, properties: new FieldTable(
            KeyValuePair.Create("connection_name", FieldValue.OfText("orders")),
            KeyValuePair.Create("capabilities", FieldValue.OfTable(new FieldTable(KeyValuePair.Create("basic.nack", FieldValue.OfBoolean(true)))))));
        var live = client.Live;
        Assert.Equal(("guest", "PLAIN", "running", "orders", 17, 131072, 2047), (live.User, live.Mechanism, live.State, live.ProvidedName, live.HeartbeatSeconds, live.FrameMax, live.ChannelMax));
        Assert.Equal("""{"connection_name":"orders","capabilities":{"basic.nack":true}}""", live.ClientProperties);
        var channel = await client.ChannelAsync(3, confirms: true);
        await client.QueueAsync(channel, "q", arguments: new FieldTable(KeyValuePair.Create("x-single-active-consumer", FieldValue.OfBoolean(true))));
        await client.AskAsync<BasicQos, BasicQosOk>(channel, new BasicQos { PrefetchCount = 5 });
        await client.AskAsync<BasicQos, BasicQosOk>(channel, new BasicQos { PrefetchCount = 50, Global = true });
        await client.AskAsync<BasicConsume, BasicConsumeOk>(channel, new BasicConsume { Queue = "q", ConsumerTag = "one", Arguments = new FieldTable(KeyValuePair.Create("x-priority", FieldValue.OfInt32(2))) });
        await client.AskAsync<BasicConsume, BasicConsumeOk>(channel, new BasicConsume { Queue = "q", ConsumerTag = "two", NoAck = true });
        await client.PublishAsync(channel, "", "q", "m");
        await client.ReceiveAsync<BasicDeliver>();
        await client.ReceiveAsync<BasicAck>();
        var shown = Assert.Single(live.Channels!.List());
        Assert.Equal((3, true, false, 5, 50, 1, 0), (shown.Number, shown.Confirms, shown.IsTransactional, shown.Prefetch, shown.GlobalPrefetch, shown.Unacknowledged, shown.Unconfirmed));
        Assert.Equal(
            [("one", "q", true, 5, true, true, """{"x-priority":2}"""), ("two", "q", false, 5, true, false, "{}")],
            shown.Consumers.OrderBy(c => c.Tag).Select(c => (c.Tag, c.Queue.Name, c.Settles, c.Prefetch, c.IsOneOfMany, c.IsActive, c.Arguments)));
        Assert.True(live.ReceivedBytes > 100 && live.SentBytes > 100 && live.ReceivedPackets > 5 && live.SentPackets > 5);
    }

    [Fact]
    public async Task Channels_and_topics_count_their_messages_and_what_a_closed_channel_counted_stays_counted()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync(confirms: true);
        await client.QueueAsync(channel, "a");
        await client.QueueAsync(channel, "b");
        foreach (var queue in (string[])["a", "b"]) await client.AskAsync<QueueBind, QueueBindOk>(channel, new QueueBind { Queue = queue, Exchange = "amq.fanout" });
        for (var i = 0; i < 3; i++) await client.PublishAsync(channel, "amq.fanout", "", "m");
        await client.PublishAsync(channel, "", "a", "m");
        await client.PublishAsync(channel, "", "nowhere", "m", mandatory: true);
        await client.ReceiveAsync<BasicReturn>();
        await client.PublishAsync(channel, "amq.direct", "nowhere", "m");
        for (var confirmed = 0UL; confirmed < 6;) confirmed = (await client.ReceiveAsync<BasicAck>()).As<BasicAck>().DeliveryTag;
        await client.UntilCountAsync(channel, "a", 4);
        await client.AskAsync<BasicGet, BasicGetOk>(channel, new BasicGet { Queue = "b", NoAck = true });
        await client.AskAsync<BasicConsume, BasicConsumeOk>(channel, new BasicConsume { Queue = "a", ConsumerTag = "c" });
        for (var i = 0; i < 4; i++) await client.ReceiveAsync<BasicDeliver>();
        await client.SendAsync(channel, new BasicNack { DeliveryTag = 5, Requeue = true });
        Assert.True((await client.ReceiveAsync<BasicDeliver>()).As<BasicDeliver>().Redelivered);
        await client.SendAsync(channel, new BasicAck { DeliveryTag = 0, Multiple = true });
        await client.AskAsync<BasicCancel, BasicCancelOk>(channel, new BasicCancel { ConsumerTag = "c" });
        await client.AskAsync<BasicGet, BasicGetEmpty>(channel, new BasicGet { Queue = "a" });
        var counters = Assert.Single(client.Live.Channels!.List()).Counters;
        long[] expected = new long[MessageCounters.Count];
        Set(MessageCounter.Publish, 6);
        Set(MessageCounter.PublishForConfirm, 6);
        Set(MessageCounter.PublishOut, 7);
        Set(MessageCounter.Confirm, 6);
        Set(MessageCounter.ReturnUnroutable, 1);
        Set(MessageCounter.DropUnroutable, 1);
        Set(MessageCounter.GetNoAck, 1);
        Set(MessageCounter.GetEmpty, 1);
        Set(MessageCounter.Deliver, 5);
        Set(MessageCounter.Redeliver, 1);
        Set(MessageCounter.Ack, 4);
        var actual = new long[MessageCounters.Count];
        counters.AddTo(actual);
        Assert.Equal(expected, actual);
        var statistics = fixture.Broker.Statistics;
        Assert.Equal((3L, 6L), In("amq.fanout"));
        Assert.Equal((1L, 0L), In("amq.direct"));
        Assert.Equal((2L, 1L), In(""));
        await client.AskAsync<ChannelClose, ChannelCloseOk>(channel, new ChannelClose { Text = "" });
        Assert.Empty(client.Live.Channels!.List());
        var (protocol, totals) = Assert.Single(client.Live.Registry.SumProtocols());
        Assert.Equal("amqp091", protocol);
        Assert.Equal(expected, totals);
        Assert.Equal((1L, 1L), (client.Live.Registry.ChannelsOpened, client.Live.Registry.ChannelsClosed));

        void Set(MessageCounter counter, long value) => expected[(int)counter] = value;

        (long In, long Out) In(string exchange)
        {
            var of = statistics.Of(TopicName.InDefault(exchange));
            return (of[MessageCounter.PublishIn], of[MessageCounter.PublishOut]);
        }
    }

    [Fact]
    public async Task An_operator_closes_a_connection_with_a_reason_that_its_client_hears()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        client.Live.Close("maintenance");
        var close = (await client.ReceiveAsync()).As<ConnectionClose>();
        Assert.Equal((320, "CONNECTION_FORCED - maintenance"), (close.Code, close.Text));
        Assert.Equal("closing", client.Live.State);
        await client.SendAsync(0, default(ConnectionCloseOk));
        await client.Ended;
    }
}

using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;

namespace Dragoman.Amqp.Tests.Sessions;

/// <summary>Streams: queues that keep their messages for a time, and consumers with a cursor of their own.</summary>
public sealed class StreamTests
{
    [Fact]
    public async Task Each_consumer_reads_from_where_it_wants_and_nothing_is_consumed()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync(confirms: true);
        await client.QueueAsync(channel, "s", arguments: Stream());
        for (var i = 0; i < 5; i++)
        {
            await client.PublishAsync(channel, "", "s", $"{i}", p => p.Expiration = i == 2 ? "1" : null);
            Assert.Equal((ulong)i + 1, (await client.ReceiveAsync()).As<BasicAck>().DeliveryTag);
        }
        Assert.Equal(["0", "1", "2", "3", "4"], await ReadAsync(client, 2, 5, FieldValue.OfText("first")));
        Assert.Equal(["3", "4"], await ReadAsync(client, 3, 2, FieldValue.OfInt32(3)));
        Assert.Equal(["4"], await ReadAsync(client, 4, 1, FieldValue.OfText("last")));
        Assert.Equal(["0", "1", "2", "3", "4"], await ReadAsync(client, 5, 5, FieldValue.OfText("1h")));
        Assert.Equal(["0", "1", "2", "3", "4"], await ReadAsync(client, 6, 5, FieldValue.OfTimestamp(1)));
        Assert.Equal(5u, (await client.CountAsync(channel, "s")).MessageCount);
        // What comes from now on, and an offset that is not there yet, which is the same.
        await SubscribeAsync(client, 7, FieldValue.OfText("next"));
        await SubscribeAsync(client, 8, FieldValue.OfInt64(99));
        await client.PublishAsync(channel, "", "s", "5");
        await client.ReceiveAsync<BasicAck>();
        Assert.Equal(["5", "5"], new[] { (await client.ReceiveAsync<BasicDeliver>()).Text, (await client.ReceiveAsync<BasicDeliver>()).Text });
        await fixture.RestartAsync();
        client = await fixture.ConnectAsync();
        Assert.Equal(["0", "1", "2", "3", "4", "5"], await ReadAsync(client, 1, 6, FieldValue.OfText("first")));
    }

    [Fact]
    public async Task Acknowledgements_are_credit_and_deliveries_carry_their_offset()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync(confirms: true);
        await client.QueueAsync(channel, "s", arguments: Stream());
        for (var i = 0; i < 6; i++) await client.PublishAsync(channel, "", "s", $"{i}");
        for (var confirmed = 0UL; confirmed < 6;) confirmed = (await client.ReceiveAsync()).As<BasicAck>().DeliveryTag;
        await SubscribeAsync(client, 2, FieldValue.OfText("first"), prefetch: 2);
        for (var i = 0; i < 6; i++)
        {
            if (i is 2 or 4) await client.SendAsync(2, new BasicAck { DeliveryTag = (ulong)i, Multiple = true });
            var message = await client.ReceiveAsync();
            Assert.False(message.As<BasicDeliver>().Redelivered);
            Assert.True(message.Headers.TryGet("x-stream-offset", out var offset));
            Assert.Equal((i, $"{i}"), ((int)offset.Bits, message.Text));
            // Two may be under way: nothing but the answer to a question comes before one of them is acknowledged.
            if (i is 1 or 3) Assert.Equal(6u, (await client.CountAsync(2, "s")).MessageCount);
        }
        await client.SendAsync(2, new BasicNack { DeliveryTag = 6, Requeue = true });
        var close = (await client.ReceiveAsync()).As<ConnectionClose>();
        Assert.Equal("NOT_IMPLEMENTED - basic.nack and basic.reject not supported by stream queues queue 's' in vhost '/'", close.Text);
    }

    [Fact]
    public async Task Old_messages_go_by_age_and_by_size()
    {
        await using var fixture = await AmqpFixture.StartAsync(withClock: true);
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync(confirms: true);
        await client.QueueAsync(channel, "by-age", arguments: Stream(KeyValuePair.Create("x-max-age", FieldValue.OfText("1h"))));
        await client.QueueAsync(channel, "by-size", arguments: Stream(KeyValuePair.Create("x-max-length-bytes", FieldValue.OfInt32(10_000))));
        for (var i = 0; i < 20; i++)
        {
            await client.PublishAsync(channel, "", i < 3 ? "by-age" : "by-size", new byte[1000]);
            await client.ReceiveAsync<BasicAck>();
        }
        fixture.Clock!.Advance(TimeSpan.FromMinutes(40));
        await client.PublishAsync(channel, "", "by-age", "young");
        await client.ReceiveAsync<BasicAck>();
        fixture.Clock.Advance(TimeSpan.FromMinutes(40));
        await fixture.Broker.Store.ApplyRetentionAsync();
        Assert.Equal(1u, (await client.CountAsync(channel, "by-age")).MessageCount);
        Assert.InRange((await client.CountAsync(channel, "by-size")).MessageCount, 9u, 11u);
        // A reader that retention was quicker than goes on at what is left.
        await SubscribeAsync(client, 2, FieldValue.OfInt32(0), queue: "by-age");
        var message = await client.ReceiveAsync();
        Assert.True(message.Headers.TryGet("x-stream-offset", out var offset));
        Assert.Equal((3L, "young"), (offset.Bits, message.Text));
    }

    [Fact]
    public async Task Consumers_get_the_messages_whose_filter_value_they_ask_for()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync(confirms: true);
        await client.QueueAsync(channel, "s", arguments: Stream());
        foreach (var value in new[] { "a", "b", "", "c", "a" })
        {
            await client.PublishAsync(channel, "", "s", value, p => p.Headers = value.Length == 0 ? FieldTable.Empty : new FieldTable(KeyValuePair.Create("x-stream-filter-value", FieldValue.OfText(value))));
            await client.ReceiveAsync<BasicAck>();
        }
        var first = KeyValuePair.Create("x-stream-offset", FieldValue.OfText("first"));
        await SubscribeAsync(client, 2, new FieldTable(first, KeyValuePair.Create("x-stream-filter", FieldValue.OfText("a"))));
        Assert.Equal(["a", "a"], await TextsAsync(client, 2));
        await SubscribeAsync(client, 3, new FieldTable(
            first, KeyValuePair.Create("x-stream-filter", FieldValue.OfArray([FieldValue.OfText("b"), FieldValue.OfText("c")])), KeyValuePair.Create("x-stream-match-unfiltered", FieldValue.OfBoolean(true))));
        Assert.Equal(["b", "", "c"], await TextsAsync(client, 3));
    }

    [Theory]
    [InlineData("x-message-ttl")]
    [InlineData("x-dead-letter-exchange")]
    [InlineData("x-max-length")]
    [InlineData("x-single-active-consumer")]
    public async Task What_needs_settling_streams_do_not_have(string argument)
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync();
        var refused = await client.RefusedAsync(channel, new QueueDeclare { Queue = "s", Durable = true, Arguments = Stream(KeyValuePair.Create(argument, FieldValue.OfInt32(1))) });
        Assert.Equal($"PRECONDITION_FAILED - invalid arg '{argument}' for queue 's' in vhost '/' of queue type rabbit_stream_queue", refused.Text);
    }

    [Fact]
    public async Task Streams_are_durable_and_shared_and_refuse_what_they_cannot_do_in_words()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync();
        Assert.EndsWith("invalid property 'non-durable' for queue 's' in vhost '/'", await RefusedAsync(new QueueDeclare { Queue = "s", Arguments = Stream() }));
        Assert.EndsWith("invalid property 'exclusive-owner' for queue 's' in vhost '/'", await RefusedAsync(new QueueDeclare { Queue = "s", Durable = true, Exclusive = true, Arguments = Stream() }));
        Assert.EndsWith("invalid property 'auto-delete' for queue 's' in vhost '/'", await RefusedAsync(new QueueDeclare { Queue = "s", Durable = true, AutoDelete = true, Arguments = Stream() }));
        Assert.EndsWith("invalid arg 'x-max-age' for queue 's' in vhost '/': invalid_max_age", await RefusedAsync(new QueueDeclare { Queue = "s", Durable = true, Arguments = Stream(KeyValuePair.Create("x-max-age", FieldValue.OfText("5"))) }));
        await client.QueueAsync(channel, "s", arguments: Stream(KeyValuePair.Create("x-max-age", FieldValue.OfText("5D"))));
        Assert.EndsWith("inequivalent arg 'x-max-age' for queue 's' in vhost '/': received '6D' but current is '5D'", await RefusedAsync(new QueueDeclare { Queue = "s", Durable = true, Arguments = Stream(KeyValuePair.Create("x-max-age", FieldValue.OfText("6D"))) }));
        Assert.EndsWith("consumer prefetch count is not set for 'queue 's' in vhost '/''", await RefusedAsync(new BasicConsume { Queue = "s" }));
        await DeniedAsync(new BasicGet { Queue = "s" }, "basic.get not supported by stream queues queue 's' in vhost '/'");
        await DeniedAsync(new QueuePurge { Queue = "s" }, "queue.purge not supported by stream queues queue 's' in vhost '/'");
        await DeniedAsync(new BasicConsume { Queue = "s", NoAck = true }, "automatic acknowledgement not supported by stream queues queue 's' in vhost '/'");

        async Task<string> RefusedAsync<T>(T method)
            where T : struct, IMethod<T>
        {
            await client.ChannelAsync(9);
            return (await client.RefusedAsync(9, method)).Text;
        }

        async Task DeniedAsync<T>(T method, string text)
            where T : struct, IMethod<T>
        {
            var other = await fixture.ConnectAsync();
            await other.ChannelAsync();
            await other.SendAsync(1, method);
            Assert.Equal((540, $"NOT_IMPLEMENTED - {text}"), await CloseAsync(other));
        }
    }

    [Fact]
    public async Task Readers_of_a_stream_that_is_deleted_hear_of_it()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync();
        await client.QueueAsync(channel, "s", arguments: Stream());
        await SubscribeAsync(client, 2, FieldValue.OfText("first"));
        Assert.Equal(1u, (await client.CountAsync(channel, "s")).ConsumerCount);
        Assert.EndsWith("in use", (await client.RefusedAsync(channel, new QueueDelete { Queue = "s", IfUnused = true })).Text);
        await client.ChannelAsync(channel);
        await client.SendAsync(channel, new QueueDelete { Queue = "s" });
        Assert.Equal("c2", (await client.ReceiveAsync<BasicCancel>()).As<BasicCancel>().ConsumerTag);
        await client.ReceiveAsync<QueueDeleteOk>();
    }

    private static FieldTable Stream(params KeyValuePair<string, FieldValue>[] more) => new([KeyValuePair.Create("x-queue-type", FieldValue.OfText("stream")), .. more]);

    private static async Task<(int, string)> CloseAsync(TestClient client)
    {
        var close = (await client.ReceiveAsync()).As<ConnectionClose>();
        return (close.Code, close.Text);
    }

    private static Task SubscribeAsync(TestClient client, ushort channel, FieldValue from, ushort prefetch = 100, string queue = "s") =>
        SubscribeAsync(client, channel, new FieldTable(KeyValuePair.Create("x-stream-offset", from)), prefetch, queue);

    private static async Task SubscribeAsync(TestClient client, ushort channel, FieldTable arguments, ushort prefetch = 100, string queue = "s")
    {
        await client.ChannelAsync(channel);
        await client.AskAsync<BasicQos, BasicQosOk>(channel, new BasicQos { PrefetchCount = prefetch });
        await client.AskAsync<BasicConsume, BasicConsumeOk>(channel, new BasicConsume { Queue = queue, ConsumerTag = $"c{channel}", Arguments = arguments });
    }

    private static async Task<List<string>> ReadAsync(TestClient client, ushort channel, int count, FieldValue from)
    {
        await SubscribeAsync(client, channel, from);
        var texts = await TextsAsync(client, count);
        await client.AskAsync<ChannelClose, ChannelCloseOk>(channel, new ChannelClose { Text = "" });
        return texts;
    }

    private static async Task<List<string>> TextsAsync(TestClient client, int count)
    {
        var texts = new List<string>();
        while (texts.Count < count)
        {
            var message = await client.ReceiveAsync();
            Assert.Equal(BasicDeliver.Id, message.Id);
            texts.Add(message.Text);
        }
        return texts;
    }
}

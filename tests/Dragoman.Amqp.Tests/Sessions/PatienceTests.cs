using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;
using Dragoman.Storage.Records;

namespace Dragoman.Amqp.Tests.Sessions;

/// <summary>How long the server waits for clients, and clients for the server.</summary>
public sealed class PatienceTests
{
    [Fact]
    public async Task A_consumer_that_holds_a_message_for_too_long_loses_its_channel_and_the_message_goes_to_another()
    {
        await using var fixture = await AmqpFixture.StartAsync(withClock: true);
        var client = await fixture.ConnectAsync();
        var other = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync(confirms: true);
        await other.ChannelAsync(2);
        await client.QueueAsync(channel, "q");
        await client.PublishAsync(channel, "", "q", "held");
        await client.ReceiveAsync<BasicAck>();
        await client.AskAsync<BasicConsume, BasicConsumeOk>(channel, new BasicConsume { Queue = "q", ConsumerTag = "slow" });
        Assert.Equal("held", (await client.ReceiveAsync()).Text);
        await PassAsync(fixture, TimeSpan.FromMinutes(29));
        // A message that came later has its own time.
        await client.PublishAsync(channel, "", "q", "later");
        Assert.Equal("later", (await client.ReceiveAsync<BasicDeliver>()).Text);
        await client.ReceiveAsync<BasicAck>();
        await other.AskAsync<BasicConsume, BasicConsumeOk>(2, new BasicConsume { Queue = "q", ConsumerTag = "next" });
        await PassAsync(fixture, TimeSpan.FromMinutes(2));
        Assert.Equal(
            "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. Timeout value used: 1800000 ms. This timeout value can be configured, see consumers doc guide to learn more",
            (await client.ClosedAsync(channel)).Text);
        foreach (var text in new[] { "held", "later" })
        {
            var again = await other.ReceiveAsync();
            Assert.Equal((text, true), (again.Text, again.As<BasicDeliver>().Redelivered));
        }
        await other.SendAsync(2, new BasicAck { DeliveryTag = 2, Multiple = true });
        // The connection is good, and what is acknowledged has no time.
        await client.ChannelAsync(channel);
        await PassAsync(fixture, TimeSpan.FromHours(1));
        Assert.Equal(0u, (await other.CountAsync(2, "q")).MessageCount);
    }

    [Fact]
    public async Task A_queue_says_how_long_its_messages_may_be_held_whether_consumed_or_got()
    {
        await using var fixture = await AmqpFixture.StartAsync(withClock: true);
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync(confirms: true);
        await client.QueueAsync(channel, "q", arguments: new FieldTable(KeyValuePair.Create("x-consumer-timeout", FieldValue.OfInt32(60_000))));
        await client.PublishAsync(channel, "", "q", "held");
        await client.ReceiveAsync<BasicAck>();
        await client.AskAsync<BasicGet, BasicGetOk>(channel, new BasicGet { Queue = "q" });
        await PassAsync(fixture, TimeSpan.FromSeconds(70));
        Assert.Contains("Timeout value used: 60000 ms", (await client.ClosedAsync(channel)).Text, StringComparison.Ordinal);
        await client.ChannelAsync(channel);
        Assert.Equal(1u, (await client.CountAsync(channel, "q")).MessageCount);
    }

    [Fact]
    public async Task Publishers_are_paused_and_told_so_while_there_is_no_memory_and_consumers_are_not()
    {
        await using var fixture = await AmqpFixture.StartAsync(new AmqpOptions { MaxGatheredBytes = 1 << 20 });
        var (greedy, publisher, consumer) = (await fixture.ConnectAsync(), await fixture.ConnectAsync(), await fixture.ConnectAsync());
        var unaware = fixture.Raw();
        await unaware.OpenAsync(properties: FieldTable.Empty);
        foreach (var client in new[] { greedy, publisher, unaware }) await client.ChannelAsync(confirms: true);
        await consumer.ChannelAsync();
        await consumer.QueueAsync(1, "q");
        await publisher.PublishAsync(1, "", "q", "before");
        await unaware.PublishAsync(1, "", "q", "before");
        await publisher.ReceiveAsync<BasicAck>();
        await unaware.ReceiveAsync<BasicAck>();

        // A large message that is not all there yet takes most of the memory.
        using var large = new PooledBuffer();
        greedy.AddPublish(large, 1, "", "q", new byte[900_000]);
        var bytes = large.WrittenSpan.ToArray();
        await greedy.SendRawAsync(bytes[..850_000]);
        Assert.Equal("low on memory", (await publisher.ReceiveAsync()).As<ConnectionBlocked>().Reason);
        await publisher.PublishAsync(1, "", "q", "paused");
        await unaware.PublishAsync(1, "", "q", "paused too");
        Assert.Equal(2u, (await consumer.CountAsync(1, "q")).MessageCount);

        // The large message is finished: pausing its publisher would help nobody.
        await greedy.SendRawAsync(bytes[850_000..]);
        await greedy.ReceiveAsync<BasicAck>();
        (await publisher.ReceiveAsync()).As<ConnectionUnblocked>();
        Assert.Equal(2UL, (await publisher.ReceiveAsync()).As<BasicAck>().DeliveryTag);
        // A client that does not know of it is paused all the same, without a word.
        Assert.Equal(2UL, (await unaware.ReceiveAsync()).As<BasicAck>().DeliveryTag);
        Assert.Equal(5u, (await consumer.CountAsync(1, "q")).MessageCount);
    }

    [Fact]
    public async Task A_transaction_whose_messages_are_not_all_taken_says_so()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync();
        await client.QueueAsync(channel, "q", arguments: new FieldTable(KeyValuePair.Create("x-max-length", FieldValue.OfInt32(1)), KeyValuePair.Create("x-overflow", FieldValue.OfText("reject-publish"))));
        await client.AskAsync<TxSelect, TxSelectOk>(channel, default);
        await client.PublishAsync(channel, "", "q", "one");
        await client.AskAsync<TxCommit, TxCommitOk>(channel, default);
        await client.PublishAsync(channel, "", "q", "too many");
        Assert.Equal("PRECONDITION_FAILED - partial tx completion", (await client.RefusedAsync(channel, default(TxCommit))).Text);
    }

    /// <summary>Lets time pass, in steps, so that whatever looks at it now and then has its turns.</summary>
    private static async Task PassAsync(AmqpFixture fixture, TimeSpan time)
    {
        var steps = (int)Math.Ceiling(time / TimeSpan.FromSeconds(30));
        for (var i = 0; i < steps; i++)
        {
            fixture.Clock!.Advance(time / steps);
            await Task.Yield();
        }
    }
}

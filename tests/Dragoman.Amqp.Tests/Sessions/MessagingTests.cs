using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Records;

namespace Dragoman.Amqp.Tests.Sessions;

/// <summary>Publishing, confirming, delivering and settling.</summary>
public sealed class MessagingTests
{
    [Fact]
    public async Task What_is_published_is_confirmed_and_delivered_in_order()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync(confirms: true);
        await client.QueueAsync(channel, "q");
        using (var burst = new PooledBuffer())
        {
            for (var i = 0; i < 100; i++) client.AddPublish(burst, channel, "", "q", [(byte)i]);
            await client.SendRawAsync(burst.WrittenSpan.ToArray());
        }
        for (var confirmed = 0UL; confirmed < 100;)
        {
            var ack = (await client.ReceiveAsync()).As<BasicAck>();
            Assert.True(ack.Multiple && ack.DeliveryTag > confirmed && ack.DeliveryTag <= 100);
            confirmed = ack.DeliveryTag;
        }
        await client.AskAsync<BasicConsume, BasicConsumeOk>(channel, new BasicConsume { Queue = "q", ConsumerTag = "c" });
        for (var i = 0; i < 100; i++)
        {
            var message = await client.ReceiveAsync();
            var deliver = message.As<BasicDeliver>();
            Assert.Equal(("c", (ulong)i + 1, false, "", "q"), (deliver.ConsumerTag, deliver.DeliveryTag, deliver.Redelivered, deliver.Exchange, deliver.RoutingKey));
            Assert.Equal([(byte)i], message.Body);
        }
        await client.SendAsync(channel, new BasicAck { DeliveryTag = 100, Multiple = true });
        await client.AskAsync<BasicCancel, BasicCancelOk>(channel, new BasicCancel { ConsumerTag = "c" });
        Assert.Equal(0u, (await client.CountAsync(channel, "q")).MessageCount);
    }

    [Fact]
    public async Task A_mandatory_message_that_goes_nowhere_comes_back_before_its_confirm()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync(confirms: true);
        await client.PublishAsync(channel, "amq.direct", "nowhere", "lost", mandatory: true);
        var returned = await client.ReceiveAsync();
        var method = returned.As<BasicReturn>();
        Assert.Equal((312, "NO_ROUTE", "amq.direct", "nowhere", "lost"), (method.Code, method.Text, method.Exchange, method.RoutingKey, returned.Text));
        Assert.Equal(1UL, (await client.ReceiveAsync()).As<BasicAck>().DeliveryTag);
        await client.PublishAsync(channel, "amq.direct", "nowhere", "dropped");
        Assert.Equal(2UL, (await client.ReceiveAsync()).As<BasicAck>().DeliveryTag);
    }

    [Fact]
    public async Task An_exchange_that_gets_a_log_keeps_messages_there_and_still_routes_them_to_its_queues()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync(confirms: true);
        await client.QueueAsync(channel, "q");
        await client.AskAsync<ExchangeDeclare, ExchangeDeclareOk>(channel, new ExchangeDeclare { Exchange = "orders", Type = "direct" });
        await client.AskAsync<QueueBind, QueueBindOk>(channel, new QueueBind { Queue = "q", Exchange = "orders", RoutingKey = "k" });
        await client.PublishAsync(channel, "orders", "k", "before");
        Assert.Equal(1UL, (await client.ReceiveAsync()).As<BasicAck>().DeliveryTag);
        var created = await fixture.Broker.Topics.CreateAsync(TopicName.InDefault("orders"), 1, TopicSettings.Default);
        await client.PublishAsync(channel, "orders", "k", "after");
        Assert.Equal(2UL, (await client.ReceiveAsync()).As<BasicAck>().DeliveryTag);
        await client.PublishAsync(channel, "orders", "elsewhere", "kept", mandatory: true);
        Assert.Equal(3UL, (await client.ReceiveAsync()).As<BasicAck>().DeliveryTag);
        await client.UntilCountAsync(channel, "q", 2);
        Assert.True(created.Topic!.Partitions[0].TryGetOffsets(out var offsets));
        Assert.Equal(2, offsets.HighWatermark);
        // It went through the log, and by no other way.
        await client.AskAsync<QueueBind, QueueBindOk>(channel, new QueueBind { Queue = "q", Exchange = "orders", RoutingKey = "elsewhere" });
        await client.PublishAsync(channel, "orders", "elsewhere", "later");
        Assert.Equal(4UL, (await client.ReceiveAsync()).As<BasicAck>().DeliveryTag);
        foreach (var expected in new[] { "before", "after", "later" })
        {
            await client.UntilCountAsync(channel, "q", 1);
            await client.SendAsync(channel, new BasicGet { Queue = "q", NoAck = true });
            Assert.Equal(expected, (await client.ReceiveAsync()).Text);
        }
        Assert.Equal(0u, (await client.CountAsync(channel, "q")).MessageCount);
    }

    [Fact]
    public async Task What_a_publisher_says_of_a_message_comes_through_a_log_as_it_is()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync(confirms: true);
        foreach (var queue in new[] { "to", "cc", "bcc", "all" }) await client.QueueAsync(channel, queue);
        await client.AskAsync<ExchangeDeclare, ExchangeDeclareOk>(channel, new ExchangeDeclare { Exchange = "orders", Type = "direct", Durable = true });
        await client.AskAsync<ExchangeDeclare, ExchangeDeclareOk>(channel, new ExchangeDeclare { Exchange = "everything", Type = "headers", Durable = true });
        foreach (var queue in new[] { "to", "cc", "bcc" }) await client.AskAsync<QueueBind, QueueBindOk>(channel, new QueueBind { Queue = queue, Exchange = "orders", RoutingKey = queue });
        await client.AskAsync<ExchangeBind, ExchangeBindOk>(channel, new ExchangeBind { Source = "orders", Destination = "everything", RoutingKey = "to" });
        var match = new FieldTable(KeyValuePair.Create("n", FieldValue.OfInt32(7)));
        await client.AskAsync<QueueBind, QueueBindOk>(channel, new QueueBind { Queue = "all", Exchange = "everything", Arguments = match });
        await fixture.Broker.Topics.CreateAsync(TopicName.InDefault("orders"), 3, TopicSettings.Default);
        await client.PublishAsync(channel, "orders", "to", "text", p =>
        {
            (p.CorrelationId, p.ReplyTo, p.Priority, p.Expiration) = ("17", "answers", 3, "60000");
            p.Headers = new FieldTable(
                KeyValuePair.Create("n", FieldValue.OfInt32(7)),
                KeyValuePair.Create("CC", FieldValue.OfArray([FieldValue.OfText("cc")])),
                KeyValuePair.Create("BCC", FieldValue.OfArray([FieldValue.OfText("bcc")])));
        });
        (await client.ReceiveAsync()).As<BasicAck>();
        foreach (var queue in new[] { "to", "cc", "bcc", "all" })
        {
            await client.UntilCountAsync(channel, queue, 1);
            await client.SendAsync(channel, new BasicGet { Queue = queue, NoAck = true });
            var got = await client.ReceiveAsync();
            Assert.Equal(("orders", "to", "text"), (got.As<BasicGetOk>().Exchange, got.As<BasicGetOk>().RoutingKey, got.Text));
            var properties = AmqpProperties.Read(got.Properties);
            Assert.Equal("17 answers 3 60000", $"{Text(properties.CorrelationId)} {Text(properties.ReplyTo)} {properties.Priority} {Text(properties.Expiration)}");
            Assert.False(properties.Has(PropertyFlags.Timestamp));
            Assert.Equal(["n", "CC"], got.Headers.Fields.Select(f => f.Key));
            Assert.Equal(FieldType.Int32, got.Headers.Fields[0].Value.Type);
        }

        static string Text(ReadOnlySpan<byte> bytes) => System.Text.Encoding.UTF8.GetString(bytes);
    }

    [Fact]
    public async Task A_message_that_is_returned_keeps_its_place_and_says_so()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync(confirms: true);
        await client.QueueAsync(channel, "q");
        foreach (var body in new[] { "a", "b", "c" })
        {
            await client.PublishAsync(channel, "", "q", body);
            await client.ReceiveAsync();
        }
        await client.SendAsync(channel, new BasicGet { Queue = "q" });
        var first = (await client.ReceiveAsync()).As<BasicGetOk>();
        Assert.Equal((false, 2u), (first.Redelivered, first.MessageCount));
        await client.SendAsync(channel, new BasicReject { DeliveryTag = first.DeliveryTag, Requeue = true });
        await client.SendAsync(channel, new BasicGet { Queue = "q" });
        var again = await client.ReceiveAsync();
        Assert.Equal(("a", true), (again.Text, again.As<BasicGetOk>().Redelivered));
    }

    [Fact]
    public async Task What_a_channel_holds_goes_back_when_it_closes()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync(confirms: true);
        await client.QueueAsync(channel, "q");
        await client.PublishAsync(channel, "", "q", "a");
        await client.ReceiveAsync();
        await client.AskAsync<BasicConsume, BasicConsumeOk>(channel, new BasicConsume { Queue = "q" });
        Assert.Equal("a", (await client.ReceiveAsync()).Text);
        await client.AskAsync<ChannelClose, ChannelCloseOk>(channel, new ChannelClose { Code = 200, Text = "" });
        await client.ChannelAsync();
        await client.SendAsync(channel, new BasicGet { Queue = "q" });
        var got = await client.ReceiveAsync();
        Assert.True(got.As<BasicGetOk>().Redelivered);
        Assert.Equal("a", got.Text);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_tag_that_was_not_given_out_closes_the_channel(bool multiple)
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync();
        var close = await client.RefusedAsync(channel, new BasicAck { DeliveryTag = 5, Multiple = multiple });
        Assert.Equal((406, "PRECONDITION_FAILED - unknown delivery tag 5", 60, 80), (close.Code, close.Text, close.ClassId, close.MethodId));
    }

    [Fact]
    public async Task Prefetch_limits_what_a_consumer_holds()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync();
        await client.QueueAsync(channel, "q");
        for (var i = 0; i < 5; i++) await client.PublishAsync(channel, "", "q", $"{i}");
        await client.AskAsync<BasicQos, BasicQosOk>(channel, new BasicQos { PrefetchCount = 2 });
        await client.AskAsync<BasicConsume, BasicConsumeOk>(channel, new BasicConsume { Queue = "q" });
        Assert.Equal("0", (await client.ReceiveAsync()).Text);
        Assert.Equal("1", (await client.ReceiveAsync()).Text);
        // Were there a third, it would come before the answer to this.
        Assert.Equal(3u, (await client.CountAsync(channel, "q")).MessageCount);
        await client.SendAsync(channel, new BasicAck { DeliveryTag = 1 });
        var third = await client.ReceiveAsync();
        Assert.Equal(("2", 3UL), (third.Text, third.As<BasicDeliver>().DeliveryTag));
    }

    [Fact]
    public async Task A_global_prefetch_limits_what_all_consumers_of_a_channel_hold_and_can_be_raised()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync();
        foreach (var queue in new[] { "a", "b" })
        {
            await client.QueueAsync(channel, queue);
            for (var i = 0; i < 10; i++) await client.PublishAsync(channel, "", queue, $"{queue}{i}");
        }
        await client.AskAsync<BasicQos, BasicQosOk>(channel, new BasicQos { PrefetchCount = 3, Global = true });
        await client.SendAsync(channel, new BasicConsume { Queue = "a", ConsumerTag = "a" });
        await client.SendAsync(channel, new BasicConsume { Queue = "b", ConsumerTag = "b" });
        var tags = new List<ulong>();
        await DeliveriesAsync(3);
        await ReadyAsync(17);
        await client.SendAsync(channel, new BasicAck { DeliveryTag = tags[0] });
        await DeliveriesAsync(4);
        await ReadyAsync(16);
        await client.SendAsync(channel, new BasicQos { PrefetchCount = 5, Global = true });
        await DeliveriesAsync(6);
        await ReadyAsync(14);
        while (tags.Count < 20)
        {
            await client.SendAsync(channel, new BasicAck { DeliveryTag = tags[^1], Multiple = true });
            await DeliveriesAsync(tags.Count + 1);
        }

        // What comes in at once for both consumers may be too much for a moment, and then goes back.
        async Task ReadyAsync(uint messages)
        {
            for (var i = 0; i < 500; i++)
            {
                if ((await client.CountAsync(channel, "a")).MessageCount + (await client.CountAsync(channel, "b")).MessageCount == messages) return;
                await Task.Delay(10);
            }
            Assert.Fail($"There were never {messages} messages ready.");
        }

        async Task DeliveriesAsync(int total)
        {
            while (tags.Count < total)
            {
                var next = await client.ReceiveAsync();
                if (next.Id == BasicDeliver.Id) tags.Add(next.As<BasicDeliver>().DeliveryTag);
            }
        }
    }

    [Fact]
    public async Task Prefetch_by_size_is_not_implemented()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync();
        await client.SendAsync(channel, new BasicQos { PrefetchSize = 10 });
        var close = (await client.ReceiveAsync()).As<ConnectionClose>();
        Assert.Equal((540, "NOT_IMPLEMENTED - prefetch_size!=0 (10)"), (close.Code, close.Text));
    }

    [Fact]
    public async Task Publishing_to_what_is_not_there_closes_the_channel()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync();
        await client.PublishAsync(channel, "nothing", "k", "x");
        var close = await client.ClosedAsync(channel);
        Assert.Equal((404, "NOT_FOUND - no exchange 'nothing' in vhost '/'", 60, 40), (close.Code, close.Text, close.ClassId, close.MethodId));
    }

    [Fact]
    public async Task A_message_under_somebody_elses_name_is_refused()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync(confirms: true);
        await client.QueueAsync(channel, "q");
        await client.PublishAsync(channel, "", "q", "x", p => p.UserId = "guest");
        (await client.ReceiveAsync()).As<BasicAck>();
        await client.PublishAsync(channel, "", "q", "x", p => p.UserId = "other");
        var close = await client.ClosedAsync(channel);
        Assert.Equal("PRECONDITION_FAILED - user_id property set to 'other' but authenticated user was 'guest'", close.Text);
    }

    [Fact]
    public async Task Carbon_copies_are_delivered_and_blind_ones_are_blind()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync(confirms: true);
        foreach (var queue in new[] { "to", "cc", "bcc" }) await client.QueueAsync(channel, queue);
        var headers = new FieldTable(
            KeyValuePair.Create("CC", FieldValue.OfArray([FieldValue.OfText("cc"), FieldValue.OfText("to")])),
            KeyValuePair.Create("BCC", FieldValue.OfArray([FieldValue.OfText("bcc")])));
        await client.PublishAsync(channel, "", "to", "x", p => p.Headers = headers);
        (await client.ReceiveAsync()).As<BasicAck>();
        foreach (var queue in new[] { "to", "cc", "bcc" })
        {
            await client.SendAsync(channel, new BasicGet { Queue = queue, NoAck = true });
            var got = await client.ReceiveAsync();
            Assert.Equal((0u, "to"), (got.As<BasicGetOk>().MessageCount, got.As<BasicGetOk>().RoutingKey));
            Assert.True(got.Headers.TryGet("CC", out _));
            Assert.False(got.Headers.TryGet("BCC", out _));
        }
    }

    [Fact]
    public async Task Direct_replies_reach_the_requester_past_all_queues()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var requester = await fixture.ConnectAsync();
        var replier = await fixture.ConnectAsync();
        await requester.ChannelAsync(confirms: true);
        await replier.ChannelAsync();
        await requester.QueueAsync(1, "service");
        await requester.AskAsync<BasicConsume, BasicConsumeOk>(1, new BasicConsume { Queue = "amq.rabbitmq.reply-to", NoAck = true, ConsumerTag = "replies" });
        await requester.PublishAsync(1, "", "service", "question", p => (p.ReplyTo, p.CorrelationId) = ("amq.rabbitmq.reply-to", "17"));
        (await requester.ReceiveAsync()).As<BasicAck>();
        await replier.SendAsync(1, new BasicGet { Queue = "service", NoAck = true });
        var question = await replier.ReceiveAsync();
        var replyTo = System.Text.Encoding.UTF8.GetString(AmqpProperties.Read(question.Properties).ReplyTo);
        Assert.StartsWith("amq.rabbitmq.reply-to.", replyTo);
        Assert.Equal(1u, (await replier.CountAsync(1, replyTo)).ConsumerCount);
        await replier.PublishAsync(1, "", replyTo, "answer", p => p.CorrelationId = "17", mandatory: true);
        var reply = await requester.ReceiveAsync();
        Assert.Equal(("replies", "answer"), (reply.As<BasicDeliver>().ConsumerTag, reply.Text));
        Assert.Equal("17"u8, AmqpProperties.Read(reply.Properties).CorrelationId);
        await requester.AskAsync<ChannelClose, ChannelCloseOk>(1, new ChannelClose { Code = 200, Text = "" });
        await replier.PublishAsync(1, "", replyTo, "too late", mandatory: true);
        (await replier.ReceiveAsync()).As<BasicReturn>();
    }

    [Fact]
    public async Task A_transaction_is_done_at_its_commit_or_not_at_all()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync();
        await client.QueueAsync(channel, "q");
        await client.AskAsync<TxSelect, TxSelectOk>(channel, default);
        await client.PublishAsync(channel, "", "q", "a");
        Assert.Equal(0u, (await client.CountAsync(channel, "q")).MessageCount);
        await client.AskAsync<TxRollback, TxRollbackOk>(channel, default);
        await client.AskAsync<TxCommit, TxCommitOk>(channel, default);
        Assert.Equal(0u, (await client.CountAsync(channel, "q")).MessageCount);
        await client.PublishAsync(channel, "amq.direct", "nowhere", "taken back", mandatory: true);
        await client.AskAsync<TxRollback, TxRollbackOk>(channel, default);
        await client.PublishAsync(channel, "amq.direct", "nowhere", "lost", mandatory: true);
        await client.PublishAsync(channel, "", "q", "b");
        Assert.Equal(0u, (await client.CountAsync(channel, "q")).MessageCount);
        // What goes nowhere comes back at the commit, before its answer.
        await client.SendAsync(channel, default(TxCommit));
        var returned = await client.ReceiveAsync();
        Assert.Equal(("nowhere", "lost"), (returned.As<BasicReturn>().RoutingKey, returned.Text));
        (await client.ReceiveAsync()).As<TxCommitOk>();
        Assert.Equal(1u, (await client.CountAsync(channel, "q")).MessageCount);
        await client.SendAsync(channel, new BasicGet { Queue = "q" });
        var tag = (await client.ReceiveAsync()).As<BasicGetOk>().DeliveryTag;
        await client.SendAsync(channel, new BasicAck { DeliveryTag = tag });
        await client.AskAsync<TxRollback, TxRollbackOk>(channel, default);
        // The acknowledgement is forgotten, so the tag is still good.
        await client.SendAsync(channel, new BasicAck { DeliveryTag = tag });
        await client.AskAsync<TxCommit, TxCommitOk>(channel, default);
        await client.AskAsync<ChannelClose, ChannelCloseOk>(channel, new ChannelClose { Code = 200, Text = "" });
        await client.ChannelAsync();
        Assert.Equal(0u, (await client.CountAsync(channel, "q")).MessageCount);
    }

    [Fact]
    public async Task Persistent_messages_and_durable_queues_survive_a_restart_and_others_do_not()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync(confirms: true);
        await client.QueueAsync(channel, "durable");
        await client.QueueAsync(channel, "transient", durable: false);
        await client.AskAsync<ExchangeDeclare, ExchangeDeclareOk>(channel, new ExchangeDeclare { Exchange = "e", Type = "fanout", Durable = true });
        await client.AskAsync<ExchangeDeclare, ExchangeDeclareOk>(channel, new ExchangeDeclare { Exchange = "te", Type = "fanout" });
        foreach (var queue in new[] { "durable", "transient" }) await client.AskAsync<QueueBind, QueueBindOk>(channel, new QueueBind { Queue = queue, Exchange = "e" });
        await client.PublishAsync(channel, "e", "", "kept");
        (await client.ReceiveAsync()).As<BasicAck>();
        await fixture.RestartAsync();
        client = await fixture.ConnectAsync();
        await client.ChannelAsync(confirms: true);
        Assert.Equal(1u, (await client.CountAsync(channel, "durable")).MessageCount);
        await client.PublishAsync(channel, "e", "", "more");
        (await client.ReceiveAsync()).As<BasicAck>();
        Assert.Equal(2u, (await client.CountAsync(channel, "durable")).MessageCount);
        Assert.Equal("NOT_FOUND - no queue 'transient' in vhost '/'", (await client.RefusedAsync(channel, new QueueDeclare { Queue = "transient", Passive = true })).Text);
        await client.ChannelAsync();
        Assert.Equal("NOT_FOUND - no exchange 'te' in vhost '/'", (await client.RefusedAsync(channel, new ExchangeDeclare { Exchange = "te", Passive = true })).Text);
    }
}

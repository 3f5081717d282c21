using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;
using Dragoman.Broker.Namespaces;

namespace Dragoman.Amqp.Tests.Sessions;

/// <summary>Exchanges, queues and bindings, and how they are refused.</summary>
public sealed class TopologyTests
{
    [Theory]
    [InlineData("direct", "a", "a", "b")]
    [InlineData("fanout", "", "anything", null)]
    [InlineData("topic", "a.*.#", "a.b.c.d", "b.b")]
    [InlineData("topic", "#", "", null)]
    [InlineData("topic", "*", "a", "a.b")]
    public async Task Messages_take_the_bindings_that_match(string type, string binding, string good, string? bad)
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync(confirms: true);
        await client.QueueAsync(channel, "q");
        await client.AskAsync<ExchangeDeclare, ExchangeDeclareOk>(channel, new ExchangeDeclare { Exchange = "e", Type = type });
        await client.AskAsync<QueueBind, QueueBindOk>(channel, new QueueBind { Queue = "q", Exchange = "e", RoutingKey = binding });
        await client.PublishAsync(channel, "e", good, "x", mandatory: true);
        (await client.ReceiveAsync()).As<BasicAck>();
        if (bad is not null)
        {
            await client.PublishAsync(channel, "e", bad, "x", mandatory: true);
            (await client.ReceiveAsync()).As<BasicReturn>();
            (await client.ReceiveAsync()).As<BasicAck>();
        }
        Assert.Equal(1u, (await client.CountAsync(channel, "q")).MessageCount);
        await client.AskAsync<QueueUnbind, QueueUnbindOk>(channel, new QueueUnbind { Queue = "q", Exchange = "e", RoutingKey = binding });
        await client.PublishAsync(channel, "e", good, "x", mandatory: true);
        (await client.ReceiveAsync()).As<BasicReturn>();
    }

    [Theory]
    [InlineData("all", true, false)]
    [InlineData("any", true, true)]
    public async Task Headers_exchanges_match_values_by_type(string mode, bool both, bool one)
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync(confirms: true);
        await client.QueueAsync(channel, "q");
        var arguments = new FieldTable(
            KeyValuePair.Create("x-match", FieldValue.OfText(mode)),
            KeyValuePair.Create("n", FieldValue.OfInt32(7)),
            KeyValuePair.Create("s", FieldValue.OfText("yes")),
            KeyValuePair.Create("x-ignored", FieldValue.OfText("whatever")));
        await client.AskAsync<QueueBind, QueueBindOk>(channel, new QueueBind { Queue = "q", Exchange = "amq.headers", Arguments = arguments });
        // A number is a number, however wide; a text that looks like one is none.
        await SendAsync(FieldValue.OfInt64(7), FieldValue.OfText("yes"), both);
        await SendAsync(FieldValue.OfInt64(7), FieldValue.OfText("no"), one);
        await SendAsync(FieldValue.OfText("7"), FieldValue.OfText("no"), false);

        async Task SendAsync(FieldValue n, FieldValue s, bool arrives)
        {
            await client.PublishAsync(channel, "amq.headers", "", "x", p => p.Headers = new FieldTable(KeyValuePair.Create("n", n), KeyValuePair.Create("s", s)), mandatory: true);
            var first = await client.ReceiveAsync();
            Assert.Equal(arrives ? BasicAck.Id : BasicReturn.Id, first.Id);
            if (!arrives) (await client.ReceiveAsync()).As<BasicAck>();
        }
    }

    [Fact]
    public async Task Exchanges_feed_exchanges_and_alternates_take_the_rest()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync(confirms: true);
        await client.QueueAsync(channel, "deep");
        await client.QueueAsync(channel, "rest");
        await client.AskAsync<ExchangeDeclare, ExchangeDeclareOk>(channel, new ExchangeDeclare { Exchange = "others", Type = "fanout" });
        await client.AskAsync<ExchangeDeclare, ExchangeDeclareOk>(channel, new ExchangeDeclare
        {
            Exchange = "front",
            Type = "direct",
            Arguments = new FieldTable(KeyValuePair.Create("alternate-exchange", FieldValue.OfText("others"))),
        });
        await client.AskAsync<ExchangeDeclare, ExchangeDeclareOk>(channel, new ExchangeDeclare { Exchange = "back", Type = "topic", Internal = true });
        await client.AskAsync<ExchangeBind, ExchangeBindOk>(channel, new ExchangeBind { Source = "front", Destination = "back", RoutingKey = "a.b" });
        // A circle ends where it began.
        await client.AskAsync<ExchangeBind, ExchangeBindOk>(channel, new ExchangeBind { Source = "back", Destination = "front", RoutingKey = "#" });
        await client.AskAsync<QueueBind, QueueBindOk>(channel, new QueueBind { Queue = "deep", Exchange = "back", RoutingKey = "a.*" });
        await client.AskAsync<QueueBind, QueueBindOk>(channel, new QueueBind { Queue = "rest", Exchange = "others" });
        await client.PublishAsync(channel, "front", "a.b", "1");
        await client.ReceiveAsync();
        await client.PublishAsync(channel, "front", "c", "2");
        await client.ReceiveAsync();
        Assert.Equal(1u, (await client.CountAsync(channel, "deep")).MessageCount);
        Assert.Equal(1u, (await client.CountAsync(channel, "rest")).MessageCount);
        await client.PublishAsync(channel, "back", "a.b", "3");
        Assert.Equal("ACCESS_REFUSED - cannot publish to internal exchange 'back' in vhost '/'", (await client.ClosedAsync(channel)).Text);
    }

    [Fact]
    public async Task What_is_declared_again_has_to_be_the_same()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        await client.ChannelAsync();
        var arguments = new FieldTable(KeyValuePair.Create("x-message-ttl", FieldValue.OfInt32(500)));
        await client.QueueAsync(1, "q", arguments: arguments);
        await client.QueueAsync(1, "q", arguments: new FieldTable(KeyValuePair.Create("x-message-ttl", FieldValue.OfInt64(500))));
        await RefusedAsync(new QueueDeclare { Queue = "q", Durable = true }, "inequivalent arg 'x-message-ttl' for queue 'q' in vhost '/': received none but current is the value '500' of type 'signedint'");
        await RefusedAsync(
            new QueueDeclare { Queue = "q", Durable = true, Arguments = new FieldTable(KeyValuePair.Create("x-message-ttl", FieldValue.OfInt32(501))) },
            "inequivalent arg 'x-message-ttl' for queue 'q' in vhost '/': received '501' but current is '500'");
        await RefusedAsync(new QueueDeclare { Queue = "q", Arguments = arguments }, "inequivalent arg 'durable' for queue 'q' in vhost '/': received 'false' but current is 'true'");
        await RefusedAsync(new ExchangeDeclare { Exchange = "amq.topic", Type = "fanout", Durable = true }, "inequivalent arg 'type' for exchange 'amq.topic' in vhost '/': received 'fanout' but current is 'topic'");
        await RefusedAsync(
            new QueueDeclare { Queue = "r", Arguments = new FieldTable(KeyValuePair.Create("x-message-ttl", FieldValue.OfInt32(-1))) },
            "invalid arg 'x-message-ttl' for queue 'r' in vhost '/': {value_negative,-1}");
        await RefusedAsync(
            new QueueDeclare { Queue = "r", Arguments = new FieldTable(KeyValuePair.Create("x-max-length", FieldValue.OfText("5"))) },
            "invalid arg 'x-max-length' for queue 'r' in vhost '/': {unacceptable_type,longstr}");
        // What would do nothing is not taken as if it did.
        await RefusedAsync(
            new QueueDeclare { Queue = "r", Arguments = new FieldTable(KeyValuePair.Create("x-max-age", FieldValue.OfText("1D"))) },
            "invalid arg 'x-max-age' for queue 'r' in vhost '/' of queue type rabbit_classic_queue");
        await RefusedAsync(
            new QueueDeclare { Queue = "r", Arguments = new FieldTable(KeyValuePair.Create("x-delivery-limit", FieldValue.OfInt32(3))) },
            "invalid arg 'x-delivery-limit' for queue 'r' in vhost '/' of queue type rabbit_classic_queue");
        await RefusedAsync(
            new QueueBind { Queue = "q", Exchange = "amq.headers", Arguments = new FieldTable(KeyValuePair.Create("x-match", FieldValue.OfText("some"))) },
            "Invalid x-match field value <<\"some\">>; expected all, any, all-with-x, or any-with-x");

        async Task RefusedAsync<T>(T method, string text)
            where T : struct, IMethod<T>
        {
            var close = await client.RefusedAsync(1, method);
            Assert.Equal((406, $"PRECONDITION_FAILED - {text}"[..Math.Min(255, text.Length + 22)]), (close.Code, close.Text));
            await client.ChannelAsync();
        }
    }

    [Fact]
    public async Task Bindings_need_both_of_their_ends_and_to_end_one_that_is_not_there_is_no_error()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        await client.ChannelAsync();
        await client.AskAsync<QueueUnbind, QueueUnbindOk>(1, new QueueUnbind { Queue = "none", Exchange = "amq.direct", RoutingKey = "k" });
        await client.AskAsync<QueueUnbind, QueueUnbindOk>(1, new QueueUnbind { Queue = "none", Exchange = "nowhere", RoutingKey = "k" });
        await client.AskAsync<ExchangeUnbind, ExchangeUnbindOk>(1, new ExchangeUnbind { Destination = "nowhere", Source = "amq.direct", RoutingKey = "k" });
        Assert.Equal((404, "NOT_FOUND - no exchange 'nowhere' in vhost '/'"), await RefusedAsync(new QueueBind { Queue = "none", Exchange = "nowhere" }));
        Assert.Equal((404, "NOT_FOUND - no queue 'none' in vhost '/'"), await RefusedAsync(new QueueBind { Queue = "none", Exchange = "amq.direct" }));
        Assert.Equal((403, "ACCESS_REFUSED - operation not permitted on the default exchange"), await RefusedAsync(new QueueBind { Queue = "none", Exchange = "" }));
        Assert.Equal((404, "NOT_FOUND - no exchange 'nowhere' in vhost '/'"), await RefusedAsync(new ExchangeBind { Destination = "amq.topic", Source = "nowhere" }));
        Assert.Equal((404, "NOT_FOUND - no exchange 'nowhere' in vhost '/'"), await RefusedAsync(new ExchangeBind { Destination = "nowhere", Source = "amq.topic" }));
        // A passive declaration names its queue; it is not the one of before.
        Assert.Equal((404, "NOT_FOUND - no queue '' in vhost '/'"), await RefusedAsync(new QueueDeclare { Queue = "", Passive = true }));

        async Task<(int, string)> RefusedAsync<T>(T method)
            where T : struct, IMethod<T>
        {
            var close = await client.RefusedAsync(1, method);
            await client.ChannelAsync();
            return (close.Code, close.Text);
        }
    }

    [Fact]
    public async Task Names_of_the_system_are_not_for_clients()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        foreach (var (method, text) in new (object, string)[]
        {
            (new QueueDeclare { Queue = "amq.mine" }, "queue name 'amq.mine' contains reserved prefix 'amq.*'"),
            (new ExchangeDeclare { Exchange = "amq.mine", Type = "direct" }, "exchange name 'amq.mine' contains reserved prefix 'amq.*'"),
            (new ExchangeDelete { Exchange = "amq.direct" }, "deletion of system exchange 'amq.direct' in vhost '/' not allowed"),
            (new ExchangeDelete { Exchange = "" }, "operation not permitted on the default exchange"),
        })
        {
            await client.ChannelAsync();
            var close = method switch
            {
                QueueDeclare m => await client.RefusedAsync(1, m),
                ExchangeDeclare m => await client.RefusedAsync(1, m),
                ExchangeDelete m => await client.RefusedAsync(1, m),
                _ => throw new InvalidOperationException(),
            };
            Assert.Equal((403, $"ACCESS_REFUSED - {text}"), (close.Code, close.Text));
        }
        await client.ChannelAsync();
        Assert.Equal("PRECONDITION_FAILED - unknown exchange type 'x-nonsense'", (await client.RefusedAsync(1, new ExchangeDeclare { Exchange = "e", Type = "x-nonsense" })).Text);
    }

    [Fact]
    public async Task An_exclusive_queue_is_its_connections_and_goes_with_it()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var owner = await fixture.ConnectAsync();
        var other = await fixture.ConnectAsync();
        await owner.ChannelAsync();
        await other.ChannelAsync();
        var name = await owner.QueueAsync(1, "", exclusive: true);
        Assert.StartsWith("amq.gen-", name);
        var close = await other.RefusedAsync(1, new QueueDeclare { Queue = name, Passive = true });
        Assert.Equal(405, close.Code);
        Assert.StartsWith($"RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '{name}' in vhost '/'.", close.Text);
        await owner.AskAsync<ConnectionClose, ConnectionCloseOk>(0, new ConnectionClose { Code = 200, Text = "" });
        await other.ChannelAsync();
        Assert.Equal(404, (await other.RefusedAsync(1, new QueueDeclare { Queue = name, Passive = true })).Code);
    }

    [Fact]
    public async Task A_queue_is_deleted_only_if_asked_for_conditions_hold_and_its_consumers_hear_of_it()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var watcher = await fixture.ConnectAsync();
        await client.ChannelAsync(confirms: true);
        await watcher.ChannelAsync();
        await client.QueueAsync(1, "q");
        await watcher.AskAsync<BasicConsume, BasicConsumeOk>(1, new BasicConsume { Queue = "q", ConsumerTag = "w" });
        Assert.Equal("PRECONDITION_FAILED - queue 'q' in vhost '/' in use", (await client.RefusedAsync(1, new QueueDelete { Queue = "q", IfUnused = true })).Text);
        await client.ChannelAsync(confirms: true);
        await client.QueueAsync(1, "full");
        await client.PublishAsync(1, "", "full", "x");
        await client.ReceiveAsync();
        Assert.Equal("PRECONDITION_FAILED - queue 'full' in vhost '/' not empty", (await client.RefusedAsync(1, new QueueDelete { Queue = "full", IfEmpty = true })).Text);
        await client.ChannelAsync();
        Assert.Equal(1u, (await client.AskAsync<QueueDelete, QueueDeleteOk>(1, new QueueDelete { Queue = "full" })).MessageCount);
        Assert.Equal(0u, (await client.AskAsync<QueueDelete, QueueDeleteOk>(1, new QueueDelete { Queue = "full" })).MessageCount);
        await client.AskAsync<QueueDelete, QueueDeleteOk>(1, new QueueDelete { Queue = "q" });
        Assert.Equal("w", (await watcher.ReceiveAsync()).As<BasicCancel>().ConsumerTag);
    }

    [Fact]
    public async Task Bindings_go_with_their_queue_and_an_exchange_that_is_to_go_with_them_goes()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        await client.ChannelAsync(confirms: true);
        await client.AskAsync<ExchangeDeclare, ExchangeDeclareOk>(1, new ExchangeDeclare { Exchange = "e", Type = "fanout", Durable = true, AutoDelete = true });
        await client.QueueAsync(1, "q");
        await client.AskAsync<QueueBind, QueueBindOk>(1, new QueueBind { Queue = "q", Exchange = "e" });
        Assert.Equal("PRECONDITION_FAILED - exchange 'e' in vhost '/' in use", (await client.RefusedAsync(1, new ExchangeDelete { Exchange = "e", IfUnused = true })).Text);
        await client.ChannelAsync(confirms: true);
        await client.AskAsync<QueueDelete, QueueDeleteOk>(1, new QueueDelete { Queue = "q" });
        Assert.Equal(404, (await client.RefusedAsync(1, new ExchangeDeclare { Exchange = "e", Passive = true })).Code);
        await fixture.RestartAsync();
        client = await fixture.ConnectAsync();
        await client.ChannelAsync();
        Assert.Equal(404, (await client.RefusedAsync(1, new ExchangeDeclare { Exchange = "e", Passive = true })).Code);
    }

    [Fact]
    public async Task Virtual_hosts_are_apart()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        Assert.Equal(NamespaceStatus.Ok, (await fixture.Broker.Namespaces.CreateAsync(new NamespaceName("public", "other"))).Status);
        var here = await fixture.ConnectAsync();
        var there = await fixture.ConnectAsync("other");
        await here.ChannelAsync();
        await there.ChannelAsync();
        await here.QueueAsync(1, "q");
        Assert.Equal("NOT_FOUND - no queue 'q' in vhost 'other'", (await there.RefusedAsync(1, new QueueDeclare { Queue = "q", Passive = true })).Text);
    }
}

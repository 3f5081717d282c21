using System.Threading.Channels;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;
using RabbitMQ.Client;
using StackExchange.Redis;

namespace Dragoman.Clients.Tests.Redis;

[Uses<StackExchangeRedis>]
public sealed class StackExchangeRedisTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private int Port => broker.Server.Port("redis");

    public static TheoryData<RedisProtocol> Protocols => [RedisProtocol.Resp2, RedisProtocol.Resp3];

    [Theory, Rows("D1", "D3", "D5", "D7")]
    [MemberData(nameof(Protocols))]
    public async Task Channels_and_patterns_are_heard_by_whoever_listens(RedisProtocol protocol)
    {
        await using var one = await StackExchangeRedis.ConnectAsync(Port, protocol);
        await using var two = await StackExchangeRedis.ConnectAsync(Port, protocol);
        var name = SharedBroker.Unique("se");
        var (literal, pattern) = (new Inbox(), new Inbox());
        await one.GetSubscriber().SubscribeAsync(RedisChannel.Literal(name), literal.Put);
        await one.GetSubscriber().SubscribeAsync(RedisChannel.Pattern($"{name[..^1]}?"), pattern.Put);
        Assert.Equal(2, await two.GetSubscriber().PublishAsync(RedisChannel.Literal(name), "hello"));
        Assert.Equal((name, "hello"), await literal.NextAsync());
        Assert.Equal((name, "hello"), await pattern.NextAsync());
        // The connection that listens does everything else as well.
        Assert.Equal(2, await one.GetSubscriber().PublishAsync(RedisChannel.Literal(name), "self"));
        Assert.Equal((name, "self"), await literal.NextAsync());
        Assert.True(await one.GetDatabase().StringSetAsync(name, "v", TimeSpan.FromMinutes(1)));
        Assert.Equal("v", (string?)await two.GetDatabase().StringGetAsync(name));
        await one.GetSubscriber().UnsubscribeAllAsync();
        Assert.Equal(0, await two.GetSubscriber().PublishAsync(RedisChannel.Literal(name), "gone"));
    }

    [Theory, Rows("D9")]
    [MemberData(nameof(Protocols))]
    public async Task Channels_of_shards_are_heard(RedisProtocol protocol)
    {
        await using var client = await StackExchangeRedis.ConnectAsync(Port, protocol);
        var channel = RedisChannel.Sharded(SharedBroker.Unique("shard"));
        var inbox = new Inbox();
        await client.GetSubscriber().SubscribeAsync(channel, inbox.Put);
        Assert.Equal(1, await client.GetSubscriber().PublishAsync(channel, "x"));
        Assert.Equal("x", (await inbox.NextAsync()).Text);
    }

    [Theory, Rows("D11")]
    [MemberData(nameof(Protocols))]
    public async Task What_one_connection_publishes_is_heard_in_order(RedisProtocol protocol)
    {
        await using var listener = await StackExchangeRedis.ConnectAsync(Port, protocol);
        await using var publisher = await StackExchangeRedis.ConnectAsync(Port, protocol);
        var channel = RedisChannel.Literal(SharedBroker.Unique("order"));
        var queue = await listener.GetSubscriber().SubscribeAsync(channel);
        for (var i = 0; i < 5000; i++) await publisher.GetSubscriber().PublishAsync(channel, i, CommandFlags.FireAndForget);
        using var limit = new CancellationTokenSource(Patience);
        for (var i = 0; i < 5000; i++) Assert.Equal(i, (int)(await queue.ReadAsync(limit.Token)).Message);
    }

    [Theory, Rows("D5", "D14", "D17")]
    [MemberData(nameof(Protocols))]
    public async Task Transactions_conditions_and_counters(RedisProtocol protocol)
    {
        await using var client = await StackExchangeRedis.ConnectAsync(Port, protocol);
        var database = client.GetDatabase();
        var key = SharedBroker.Unique("key");
        var transaction = database.CreateTransaction();
        transaction.AddCondition(Condition.KeyNotExists(key));
        var count = transaction.StringIncrementAsync(key);
        var heard = transaction.PublishAsync(RedisChannel.Literal(key), "x");
        Assert.True(await transaction.ExecuteAsync());
        Assert.Equal((1, 0), (await count, await heard));
        var refused = database.CreateTransaction();
        refused.AddCondition(Condition.KeyNotExists(key));
        _ = refused.StringIncrementAsync(key);
        Assert.False(await refused.ExecuteAsync());
        Assert.Equal(1, (int)await database.StringGetAsync(key));
        Assert.True(await database.KeyExpireAsync(key, TimeSpan.FromMinutes(1)));
        Assert.True(await database.KeyDeleteAsync(key));
        Assert.False(await database.KeyExistsAsync(key));
        Assert.Contains("unknown command", (await Assert.ThrowsAsync<RedisServerException>(() => database.ListLeftPushAsync("l", "x"))).Message, StringComparison.Ordinal);
        Assert.True(await database.PingAsync() < Patience);
    }

    [Theory, Rows("D4", "D13", "D19")]
    [MemberData(nameof(Protocols))]
    public async Task Users_log_in_and_use_the_channels_that_they_may(RedisProtocol protocol)
    {
        await using var server = await DragomanServer.StartAsync("--default-user", "root", "--default-password", "secret");
        var asRoot = new Dictionary<string, string?> { ["DRAGOMAN_USER"] = "root", ["DRAGOMAN_PASSWORD"] = "secret", ["DRAGOMAN_SERVER"] = $"http://{server.Address("admin")}" };
        (await ForeignProcess.RunAsync(Executable.Built, ["user", "create", "app", "--password-stdin"], "app\n"u8.ToArray(), environment: asRoot)).Succeeded();
        (await ForeignProcess.RunAsync(Executable.Built, ["permission", "grant", "app", "read,write", "topic", "app-", "--type", "prefix"], environment: asRoot)).Succeeded();
        await Assert.ThrowsAsync<RedisConnectionException>(() => StackExchangeRedis.ConnectAsync(server.Port("redis"), protocol));
        await using var client = await StackExchangeRedis.ConnectAsync(server.Port("redis"), protocol, options => (options.User, options.Password) = ("app", "app"));
        var inbox = new Inbox();
        await client.GetSubscriber().SubscribeAsync(RedisChannel.Literal("app-1"), inbox.Put);
        Assert.Equal(1, await client.GetSubscriber().PublishAsync(RedisChannel.Literal("app-1"), "x"));
        Assert.Equal("x", (await inbox.NextAsync()).Text);
        Assert.Contains("NOPERM", (await Assert.ThrowsAsync<RedisServerException>(() => client.GetSubscriber().PublishAsync(RedisChannel.Literal("other"), "x"))).Message, StringComparison.Ordinal);
    }

    [Fact, Rows("D12")]
    public async Task What_Kafka_writes_to_a_topic_is_heard_and_what_is_published_to_it_is_kept()
    {
        var topic = SharedBroker.Unique("topic");
        (await broker.Server.RunAsync("topic", "create", topic)).Succeeded();
        await using var client = await StackExchangeRedis.ConnectAsync(Port, RedisProtocol.Resp3);
        var inbox = new Inbox();
        await client.GetSubscriber().SubscribeAsync(RedisChannel.Literal(topic), inbox.Put);
        using (var producer = new Confluent.Kafka.ProducerBuilder<string, string>(new Confluent.Kafka.ProducerConfig { BootstrapServers = broker.Kafka }).Build())
            await producer.ProduceAsync(topic, new Confluent.Kafka.Message<string, string> { Key = "k", Value = "from Kafka" });
        Assert.Equal((topic, "from Kafka"), await inbox.NextAsync());
        Assert.Equal(1, await client.GetSubscriber().PublishAsync(RedisChannel.Literal(topic), "from Redis"));
        Assert.Equal((topic, "from Redis"), await inbox.NextAsync());
        Assert.Equal("from Kafka\nfrom Redis\n", (await broker.Server.RunAsync("consume", topic, "--from", "beginning")).Succeeded().Output);
    }

    [Fact, Rows("D12")]
    public async Task What_AMQP_publishes_to_an_exchange_is_heard_and_what_is_published_there_reaches_its_queues()
    {
        var name = SharedBroker.Unique("exchange");
        await using var connection = await RabbitMqClient.ConnectAsync(broker.Server.Port("amqp"));
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        await channel.ExchangeDeclareAsync(name, "fanout");
        var queue = (await channel.QueueDeclareAsync()).QueueName;
        await channel.QueueBindAsync(queue, name, "");
        await using var client = await StackExchangeRedis.ConnectAsync(Port, RedisProtocol.Resp3);
        var inbox = new Inbox();
        await client.GetSubscriber().SubscribeAsync(RedisChannel.Literal(name), inbox.Put);
        await channel.BasicPublishAsync(name, "", "from AMQP"u8.ToArray());
        Assert.Equal((name, "from AMQP"), await inbox.NextAsync());
        Assert.Equal(1, await client.GetSubscriber().PublishAsync(RedisChannel.Literal(name), "from Redis"));
        var consumed = await Clients.Inbox.OpenAsync(channel, queue);
        Assert.Equal(["from AMQP", "from Redis"], await consumed.NextTextsAsync(2));
    }

    private sealed class Inbox
    {
        private readonly Channel<(string Channel, string Text)> _messages = Channel.CreateUnbounded<(string, string)>();

        public void Put(RedisChannel channel, RedisValue value) => _messages.Writer.TryWrite(((string)channel!, (string)value!));

        public async Task<(string Channel, string Text)> NextAsync()
        {
            using var limit = new CancellationTokenSource(Patience);
            return await _messages.Reader.ReadAsync(limit.Token);
        }
    }
}

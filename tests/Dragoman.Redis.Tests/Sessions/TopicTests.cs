using System.Text;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Log;
using Dragoman.Storage.Records;

namespace Dragoman.Redis.Tests.Sessions;

/// <summary>Channels whose topics others know too.</summary>
public sealed class TopicTests
{
    [Fact]
    [Trait("Row", "D12")]
    public async Task What_is_published_to_a_topic_with_a_log_is_kept_and_heard()
    {
        await using var fixture = await RedisFixture.StartAsync();
        var topic = await CreateAsync(fixture, "orders");
        var (listener, publisher) = (fixture.Connect(), fixture.Connect());
        await listener.AskAsync("SUBSCRIBE", "orders");
        await listener.AskAsync("PSUBSCRIBE", "ord*");
        for (var i = 0; i < 3; i++) await publisher.SendAsync("PUBLISH", "orders", $"{i}");
        await publisher.SendAsync("PING");
        for (var i = 0; i < 3; i++) Assert.Equal(":2", await publisher.ReadAsync());
        Assert.Equal("+PONG", await publisher.ReadAsync());
        Assert.True(topic.Partitions[0].TryGetOffsets(out var offsets));
        Assert.Equal(3, offsets.HighWatermark);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal($"[message,orders,{i}]", await listener.ReadAsync());
            Assert.Equal($"[pmessage,ord*,orders,{i}]", await listener.ReadAsync());
        }
    }

    [Fact]
    [Trait("Row", "D12")]
    public async Task What_others_write_to_the_log_is_heard_also_if_the_topic_came_later()
    {
        await using var fixture = await RedisFixture.StartAsync();
        var listener = fixture.Connect();
        await listener.AskAsync("SUBSCRIBE", "later");
        var topic = await CreateAsync(fixture, "later", partitions: 2);
        foreach (var partition in topic.Partitions)
        {
            using var batch = new RecordBatchBuilder();
            batch.Add(1, default, "one"u8);
            batch.Add(2, default, "two"u8);
            Assert.Equal(PartitionStatus.Ok, (await partition.AppendAsync(batch.Build(new BatchOptions()), TestContext.Current.CancellationToken)).Status);
            Assert.Equal("[message,later,one]", await listener.ReadAsync());
            Assert.Equal("[message,later,two]", await listener.ReadAsync());
        }
        Assert.Equal("[unsubscribe,later,:0]", await listener.AskAsync("UNSUBSCRIBE"));
        Assert.Equal(":0", await listener.AskAsync("PUBLISH", "later", "x"));
        // Gone and made anew, it is another log.
        await listener.AskAsync("SUBSCRIBE", "later");
        await fixture.Broker.Topics.DeleteAsync(topic.Name, TestContext.Current.CancellationToken);
        Assert.Equal(":1", await fixture.Connect().AskAsync("PUBLISH", "later", "transient"));
        Assert.Equal("[message,later,transient]", await listener.ReadAsync());
    }

    [Fact]
    [Trait("Row", "D12")]
    public async Task What_was_published_before_is_not_heard()
    {
        await using var fixture = await RedisFixture.StartAsync();
        await CreateAsync(fixture, "old");
        var (listener, publisher) = (fixture.Connect(), fixture.Connect());
        Assert.Equal(":0", await publisher.AskAsync("PUBLISH", "old", "before"));
        await listener.AskAsync("SUBSCRIBE", "old");
        Assert.Equal(":1", await publisher.AskAsync("PUBLISH", "old", "after"));
        Assert.Equal("[message,old,after]", await listener.ReadAsync());
    }

    [Fact]
    [Trait("Row", "D12")]
    public async Task What_is_published_to_an_exchange_reaches_its_queues_and_its_listeners()
    {
        await using var fixture = await RedisFixture.StartAsync();
        var cancellation = TestContext.Current.CancellationToken;
        var queue = (await fixture.Broker.Queues.DeclareAsync(QueueName.InDefault("q"), new QueueSettings(), cancellation)).Queue!;
        var exchange = TopicName.InDefault("ex");
        await fixture.Broker.Routing.DeclareAsync(exchange, ExchangeFacet.Default, cancellation);
        await fixture.Broker.Routing.BindAsync(exchange, queue, "", [], cancellation);
        var (listener, publisher) = (fixture.Connect(), fixture.Connect());
        await listener.AskAsync("SUBSCRIBE", "ex");
        Assert.Equal(":1", await publisher.AskAsync("PUBLISH", "ex", "hello"));
        Assert.Equal("[message,ex,hello]", await listener.ReadAsync());
        Assert.Equal(1, (await queue.GetCountsAsync()).Ready);
        // In a transaction the replies keep their order.
        await publisher.AskAsync("MULTI");
        await publisher.AskAsync("PUBLISH", "ex", "again");
        await publisher.AskAsync("PING");
        Assert.Equal("[:1,+PONG]", await publisher.AskAsync("EXEC"));
        Assert.Equal("[message,ex,again]", await listener.ReadAsync());
        Assert.Equal(2, (await queue.GetCountsAsync()).Ready);
    }

    [Fact]
    [Trait("Row", "D12")]
    public async Task What_a_route_carries_on_from_a_log_is_heard_on_the_way()
    {
        await using var fixture = await RedisFixture.StartAsync();
        var cancellation = TestContext.Current.CancellationToken;
        var topic = await CreateAsync(fixture, "orders");
        var exchange = TopicName.InDefault("ex");
        await fixture.Broker.Routing.DeclareAsync(exchange, ExchangeFacet.Default, cancellation);
        await fixture.Broker.Routing.BindAsync(topic.Name, exchange, "", [], cancellation);
        var (listener, publisher) = (fixture.Connect(), fixture.Connect());
        await listener.AskAsync("SUBSCRIBE", "ex");
        for (var i = 0; i < 3; i++) await publisher.AskAsync("PUBLISH", "orders", $"{i}");
        for (var i = 0; i < 3; i++) Assert.Equal($"[message,ex,{i}]", await listener.ReadAsync());
        // With a queue behind it, each still hears it once.
        var queue = (await fixture.Broker.Queues.DeclareAsync(QueueName.InDefault("q"), new QueueSettings(), cancellation)).Queue!;
        await fixture.Broker.Routing.BindAsync(exchange, queue, "", [], cancellation);
        await listener.AskAsync("PSUBSCRIBE", "o*");
        await publisher.AskAsync("PUBLISH", "orders", "again");
        await publisher.AskAsync("PUBLISH", "ex", "direct");
        string[] heard = [await listener.ReadAsync(), await listener.ReadAsync(), await listener.ReadAsync()];
        Assert.Equal(["[message,ex,again]", "[message,ex,direct]", "[pmessage,o*,orders,again]"], heard.Order());
        for (var limit = DateTime.UtcNow.AddSeconds(20); (await queue.GetCountsAsync()).Ready < 2; await Task.Delay(5, cancellation)) Assert.True(DateTime.UtcNow < limit);
    }

    [Fact]
    public async Task That_a_topic_is_just_gone_is_told_to_the_publisher_whose_message_it_was_to_keep()
    {
        await using var fixture = await RedisFixture.StartAsync();
        var topic = await CreateAsync(fixture, "brief");
        var channels = fixture.Broker.Channels;
        var target = channels.Resolve(topic.Name.Namespace, "brief"u8);
        Assert.Null((await channels.PublishAsync(target, "kept"u8)).Problem);
        await fixture.Broker.Topics.DeleteAsync(topic.Name, TestContext.Current.CancellationToken);
        Assert.Contains("'brief' has just been deleted", (await channels.PublishAsync(target, "lost"u8)).Problem, StringComparison.Ordinal);
        // Who asks anew finds a channel that nobody keeps messages of.
        Assert.Equal(":0", await fixture.Connect().AskAsync("PUBLISH", "brief", "transient"));
    }

    private static async Task<ITopicHandle> CreateAsync(RedisFixture fixture, string name, int partitions = 1) =>
        (await fixture.Broker.Topics.CreateAsync(TopicName.InDefault(name), partitions, TopicSettings.Default)).Topic!;
}

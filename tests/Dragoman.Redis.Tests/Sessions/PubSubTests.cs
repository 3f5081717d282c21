namespace Dragoman.Redis.Tests.Sessions;

/// <summary>Subscribing and publishing.</summary>
public sealed class PubSubTests
{
    [Theory]
    [InlineData(2, "")]
    [InlineData(3, ">")]
    [Trait("Row", "D1")]
    public async Task Each_channel_is_confirmed_with_the_running_count_and_heard_once_for_each_subscription(int protocol, string push)
    {
        await using var fixture = await RedisFixture.StartAsync();
        var listener = await fixture.ConnectAsync(protocol);
        var publisher = fixture.Connect();
        await listener.SendAsync("SUBSCRIBE", "a", "b", "a");
        Assert.Equal($"{push}[subscribe,a,:1]", await listener.ReadAsync());
        Assert.Equal($"{push}[subscribe,b,:2]", await listener.ReadAsync());
        Assert.Equal($"{push}[subscribe,a,:2]", await listener.ReadAsync());
        Assert.Equal($"{push}[psubscribe,a*,:3]", await listener.AskAsync("PSUBSCRIBE", "a*"));
        Assert.Equal(":2", await publisher.AskAsync("PUBLISH", "a", "hello"));
        Assert.Equal($"{push}[message,a,hello]", await listener.ReadAsync());
        Assert.Equal($"{push}[pmessage,a*,a,hello]", await listener.ReadAsync());
        Assert.Equal(":0", await publisher.AskAsync("PUBLISH", "nobody", "hello"));
        Assert.Equal($"{push}[unsubscribe,a,:2]", await listener.AskAsync("UNSUBSCRIBE", "a"));
        Assert.Equal($"{push}[unsubscribe,b,:1]", await listener.AskAsync("UNSUBSCRIBE"));
        Assert.Equal($"{push}[unsubscribe,null,:1]", await listener.AskAsync("UNSUBSCRIBE"));
        Assert.Equal($"{push}[punsubscribe,a*,:0]", await listener.AskAsync("PUNSUBSCRIBE"));
        Assert.Equal(":0", await publisher.AskAsync("PUBLISH", "a", "hello"));
    }

    [Fact]
    [Trait("Row", "D2")]
    public async Task A_RESP2_subscriber_may_only_see_to_its_subscriptions()
    {
        await using var fixture = await RedisFixture.StartAsync();
        var client = fixture.Connect();
        await client.AskAsync("SUBSCRIBE", "a");
        Assert.Equal("-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context", await client.AskAsync("GET", "x"));
        Assert.Equal("[pong,]", await client.AskAsync("PING"));
        Assert.Equal("[pong,x]", await client.AskAsync("PING", "x"));
        Assert.Equal("+RESET", await client.AskAsync("RESET"));
        Assert.Equal("null", await client.AskAsync("GET", "x"));
    }

    [Fact]
    [Trait("Row", "D3")]
    public async Task A_RESP3_subscriber_may_do_everything_and_hears_itself_after_its_reply()
    {
        await using var fixture = await RedisFixture.StartAsync();
        var client = await fixture.ConnectAsync(3);
        await client.AskAsync("SUBSCRIBE", "a");
        Assert.Equal(":1", await client.AskAsync("PUBLISH", "a", "x"));
        Assert.Equal(">[message,a,x]", await client.ReadAsync());
        Assert.Equal("+PONG", await client.AskAsync("PING"));
        await client.SendAsync("MULTI");
        await client.SendAsync("PUBLISH", "a", "1");
        await client.SendAsync("PUBLISH", "a", "2");
        await client.SendAsync("EXEC");
        Assert.Equal(["+OK", "+QUEUED", "+QUEUED", "[:1,:1]", ">[message,a,1]", ">[message,a,2]"],
            [await client.ReadAsync(), await client.ReadAsync(), await client.ReadAsync(), await client.ReadAsync(), await client.ReadAsync(), await client.ReadAsync()]);
    }

    [Fact]
    [Trait("Row", "D9")]
    public async Task Channels_of_shards_are_apart()
    {
        await using var fixture = await RedisFixture.StartAsync();
        var (one, two, publisher) = (fixture.Connect(), fixture.Connect(), fixture.Connect());
        Assert.Equal("[ssubscribe,a,:1]", await one.AskAsync("SSUBSCRIBE", "a"));
        Assert.Equal("[subscribe,a,:1]", await two.AskAsync("SUBSCRIBE", "a"));
        Assert.Equal(":1", await publisher.AskAsync("SPUBLISH", "a", "s"));
        Assert.Equal(":1", await publisher.AskAsync("PUBLISH", "a", "p"));
        Assert.Equal("[smessage,a,s]", await one.ReadAsync());
        Assert.Equal("[message,a,p]", await two.ReadAsync());
        Assert.Equal("[a]", await publisher.AskAsync("PUBSUB", "SHARDCHANNELS"));
        Assert.Equal("[a,:1,b,:0]", await publisher.AskAsync("PUBSUB", "SHARDNUMSUB", "a", "b"));
        Assert.Equal("[sunsubscribe,a,:0]", await one.AskAsync("SUNSUBSCRIBE"));
    }

    [Fact]
    [Trait("Row", "D10")]
    public async Task Who_listens_can_be_asked()
    {
        await using var fixture = await RedisFixture.StartAsync();
        var (one, two, asker) = (fixture.Connect(), fixture.Connect(), fixture.Connect());
        await one.AskAsync("SUBSCRIBE", "news");
        await two.AskAsync("SUBSCRIBE", "news");
        await one.AskAsync("PSUBSCRIBE", "n*");
        await two.AskAsync("PSUBSCRIBE", "n*");
        Assert.Equal("[news]", await asker.AskAsync("PUBSUB", "CHANNELS"));
        Assert.Equal("[]", await asker.AskAsync("PUBSUB", "CHANNELS", "x*"));
        Assert.Equal("[news,:2,n*,:0]", await asker.AskAsync("PUBSUB", "NUMSUB", "news", "n*"));
        Assert.Equal(":1", await asker.AskAsync("PUBSUB", "NUMPAT"));
        Assert.Equal("-ERR unknown subcommand 'nope'. Try PUBSUB HELP.", await asker.AskAsync("PUBSUB", "nope"));
    }

    [Fact]
    [Trait("Row", "D8")]
    public async Task A_subscriber_that_does_not_read_is_disconnected_and_costs_the_others_nothing()
    {
        await using var fixture = await RedisFixture.StartAsync();
        var (stuck, good, publisher) = (fixture.Connect(), fixture.Connect(), fixture.Connect());
        Assert.Equal("+OK", await publisher.AskAsync("CONFIG", "SET", "client-output-buffer-limit", "pubsub 1mb 0 0"));
        await stuck.AskAsync("SUBSCRIBE", "a");
        await good.AskAsync("SUBSCRIBE", "a");
        var payload = new string('x', 10_000);
        for (var i = 0; i < 300; i++)
        {
            await publisher.SendAsync("PUBLISH", "a", payload);
            Assert.StartsWith(":", await publisher.ReadAsync(), StringComparison.Ordinal);
            Assert.Equal($"[message,a,{payload}]", await good.ReadAsync());
        }
        await stuck.Ended;
        Assert.Equal(":1", await publisher.AskAsync("PUBLISH", "a", "x"));
        Assert.True(fixture.FrontEnd.Limits.Waiting < 64 * 1024);
    }

    [Fact]
    [Trait("Row", "D8")]
    public async Task The_soft_limit_may_be_exceeded_for_a_while_only()
    {
        await using var fixture = await RedisFixture.StartAsync(withClock: true);
        var (stuck, publisher) = (fixture.Connect(), fixture.Connect());
        Assert.Equal("+OK", await publisher.AskAsync("CONFIG", "SET", "client-output-buffer-limit", "pubsub 0 100kb 3"));
        await stuck.AskAsync("SUBSCRIBE", "a");
        for (var i = 0; i < 30; i++) Assert.Equal(":1", await publisher.AskAsync("PUBLISH", "a", new string('x', 10_000)));
        fixture.Clock!.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(":1", await publisher.AskAsync("PUBLISH", "a", "x"));
        fixture.Clock.Advance(TimeSpan.FromSeconds(3));
        await stuck.Ended;
        Assert.Equal(":0", await publisher.AskAsync("PUBLISH", "a", "x"));
    }

    [Fact]
    [Trait("Row", "D11")]
    public async Task What_one_connection_publishes_is_heard_in_order()
    {
        await using var fixture = await RedisFixture.StartAsync();
        var (listener, publisher) = (fixture.Connect(), fixture.Connect());
        await listener.AskAsync("SUBSCRIBE", "a");
        for (var i = 0; i < 500; i++) await publisher.SendAsync("PUBLISH", "a", $"{i}");
        for (var i = 0; i < 500; i++) Assert.Equal($"[message,a,{i}]", await listener.ReadAsync());
    }
}

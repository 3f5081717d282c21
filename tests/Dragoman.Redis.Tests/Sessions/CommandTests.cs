namespace Dragoman.Redis.Tests.Sessions;

/// <summary>Commands beside publishing and subscribing, and how requests fail.</summary>
public sealed class CommandTests
{
    [Fact]
    [Trait("Row", "D4")]
    public async Task HELLO_switches_versions_and_refuses_those_that_are_none()
    {
        await using var fixture = await RedisFixture.StartAsync();
        var client = fixture.Connect();
        Assert.Equal("-NOPROTO unsupported protocol version", await client.AskAsync("HELLO", "4"));
        Assert.Equal("-ERR Protocol version is not an integer or out of range", await client.AskAsync("HELLO", "x"));
        Assert.StartsWith("[server,redis,version,7.", await client.AskAsync("HELLO"), StringComparison.Ordinal);
        Assert.StartsWith("%[server,redis,version,7.", await client.AskAsync("HELLO", "3", "SETNAME", "me"), StringComparison.Ordinal);
        Assert.Equal("me", await client.AskAsync("CLIENT", "GETNAME"));
        Assert.Equal("null", await client.AskAsync("GET", "x"));
        Assert.Equal("+RESET", await client.AskAsync("RESET"));
        Assert.StartsWith("[server", await client.AskAsync("HELLO", "2"), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Row", "D6")]
    [Trait("Row", "D20")]
    public async Task What_is_unknown_is_refused_in_the_words_of_Redis_and_the_connection_goes_on()
    {
        await using var fixture = await RedisFixture.StartAsync();
        var client = fixture.Connect();
        Assert.Equal("-ERR unknown command 'XADD', with args beginning with: 's' '*' ", await client.AskAsync("XADD", "s", "*"));
        Assert.Equal("-ERR unknown command 'MONITOR', with args beginning with: ", await client.AskAsync("MONITOR"));
        Assert.Equal("-ERR unknown subcommand 'maint_notifications'. Try CLIENT HELP.", await client.AskAsync("CLIENT", "maint_notifications", "ON"));
        Assert.Equal("-ERR wrong number of arguments for 'get' command", await client.AskAsync("GET"));
        Assert.Equal("-ERR wrong number of arguments for 'client|setname' command", await client.AskAsync("CLIENT", "SETNAME"));
        Assert.Equal("-ERR This instance has cluster support disabled", await client.AskAsync("CLUSTER", "SLOTS"));
        Assert.Equal("+PONG", await client.AskAsync("PING"));
    }

    [Fact]
    [Trait("Row", "D15")]
    public async Task Lines_are_taken_for_commands_and_requests_may_come_byte_by_byte()
    {
        await using var fixture = await RedisFixture.StartAsync();
        var client = fixture.Connect();
        await client.SendRawAsync("PING\r\nECHO \"a\\x41\\n\"\nECHO 'it''s'\r\n\r\n");
        Assert.Equal("+PONG", await client.ReadAsync());
        Assert.Equal("aA\n", await client.ReadAsync());
        Assert.Equal("-ERR Protocol error: unbalanced quotes in request", await client.ReadAsync());
        await client.Ended;
        var slow = fixture.Connect();
        foreach (var c in "*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\nPING\r\n") await slow.SendRawAsync($"{c}");
        Assert.Equal("hello", await slow.ReadAsync());
        Assert.Equal("+PONG", await slow.ReadAsync());
    }

    [Theory]
    [InlineData("*x\r\n", "invalid multibulk length")]
    [InlineData("*99999999\r\n", "invalid multibulk length")]
    [InlineData("*1\r\n+PING\r\n", "expected '$', got '+'")]
    [InlineData("*1\r\n$-5\r\n", "invalid bulk length")]
    [InlineData("*1\r\n$600000000\r\n", "invalid bulk length")]
    [Trait("Row", "D15")]
    public async Task What_is_no_request_ends_the_connection_with_a_word(string sent, string error)
    {
        await using var fixture = await RedisFixture.StartAsync();
        var client = fixture.Connect();
        await client.SendRawAsync(sent);
        Assert.Equal($"-ERR Protocol error: {error}\r\n", await client.ReadToEndAsync());
        await client.Ended;
    }

    [Fact]
    [Trait("Row", "D14")]
    public async Task Transactions_run_as_one_or_not_at_all()
    {
        await using var fixture = await RedisFixture.StartAsync();
        var (client, other) = (fixture.Connect(), fixture.Connect());
        Assert.Equal("-ERR EXEC without MULTI", await client.AskAsync("EXEC"));
        await client.AskAsync("MULTI");
        Assert.Equal("-ERR MULTI calls can not be nested", await client.AskAsync("MULTI"));
        Assert.Equal("-ERR unknown command 'NOPE', with args beginning with: ", await client.AskAsync("NOPE"));
        Assert.Equal("-EXECABORT Transaction discarded because of previous errors.", await client.AskAsync("EXEC"));
        await client.AskAsync("WATCH", "k");
        await other.AskAsync("SET", "k", "1");
        await client.AskAsync("MULTI");
        await client.AskAsync("SET", "k", "2");
        Assert.Equal("null", await client.AskAsync("EXEC"));
        Assert.Equal("1", await client.AskAsync("GET", "k"));
        await client.AskAsync("MULTI");
        await client.AskAsync("INCR", "k");
        await client.AskAsync("GET", "k");
        Assert.Equal("[:2,2]", await client.AskAsync("EXEC"));
        await client.AskAsync("MULTI");
        Assert.Equal("+OK", await client.AskAsync("DISCARD"));
        await client.AskAsync("MULTI");
        await client.AskAsync("SET", "k", "9");
        Assert.Equal("-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command", await client.AskAsync("EXEC", "x"));
        Assert.Equal("-ERR EXEC without MULTI", await client.AskAsync("EXEC"));
        Assert.Equal("2", await client.AskAsync("GET", "k"));
    }

    [Fact]
    [Trait("Row", "D17")]
    public async Task Keys_hold_strings_for_a_time()
    {
        await using var fixture = await RedisFixture.StartAsync(withClock: true);
        var client = fixture.Connect();
        Assert.Equal("+OK", await client.AskAsync("SET", "k", "v", "EX", "10"));
        Assert.Equal(":10", await client.AskAsync("TTL", "k"));
        Assert.Equal("null", await client.AskAsync("SET", "k", "w", "NX"));
        Assert.Equal("v", await client.AskAsync("SET", "k", "w", "XX", "GET", "KEEPTTL"));
        Assert.Equal(":10000", await client.AskAsync("PTTL", "k"));
        fixture.Clock!.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(":0", await client.AskAsync("EXISTS", "k"));
        Assert.Equal(":-2", await client.AskAsync("TTL", "k"));
        Assert.Equal(":1", await client.AskAsync("INCR", "n"));
        Assert.Equal(":11", await client.AskAsync("INCRBY", "n", "10"));
        Assert.Equal(":1", await client.AskAsync("EXPIRE", "n", "5"));
        Assert.Equal(":1", await client.AskAsync("PERSIST", "n"));
        Assert.Equal(":-1", await client.AskAsync("TTL", "n"));
        Assert.Equal("-ERR value is not an integer or out of range", await client.AskAsync("EXPIRE", "n", "x"));
        Assert.Equal("-ERR syntax error", await client.AskAsync("SET", "k", "v", "NOPE"));
        Assert.Equal("-ERR invalid expire time in 'set' command", await client.AskAsync("SET", "k", "v", "EX", "0"));
        Assert.Equal("[n]", await client.AskAsync("KEYS", "*"));
        Assert.Equal("[0,[n]]", await client.AskAsync("SCAN", "0"));
        await client.AskAsync("SELECT", "3");
        Assert.Equal(":0", await client.AskAsync("DBSIZE"));
        Assert.Equal("+OK", await client.AskAsync("FLUSHALL"));
        await client.AskAsync("SELECT", "0");
        Assert.Equal("null", await client.AskAsync("GET", "n"));
    }

    [Fact]
    [Trait("Row", "D17")]
    public async Task Keys_take_no_more_memory_than_they_may()
    {
        await using var fixture = await RedisFixture.StartAsync(new RedisOptions { MaxKeyBytes = 100_000 });
        var client = fixture.Connect();
        var refused = 0;
        for (var i = 0; i < 200; i++)
            if (await client.AskAsync("SET", $"k{i}", new string('x', 1000)) == "-OOM command not allowed when used memory > 'maxmemory'.") refused++;
        Assert.InRange(refused, 100, 150);
        Assert.Equal("+OK", await client.AskAsync("CONFIG", "SET", "maxmemory-policy", "allkeys-lru"));
        Assert.Equal("+OK", await client.AskAsync("SET", "new", new string('y', 5000)));
        Assert.Equal("null", await client.AskAsync("GET", "k0"));
        Assert.True(fixture.FrontEnd.Keys.UsedBytes <= 100_000);
    }
}

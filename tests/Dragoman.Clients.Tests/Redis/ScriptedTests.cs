using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Redis;

[Uses<IoRedis>]
public sealed class IoRedisTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    private int Port => broker.Server.Port("redis");

    [Theory, Rows("D1", "D5", "D7")]
    [InlineData(2)]
    [InlineData(3)]
    public Task Channels_and_patterns_are_heard(int protocol) => IoRedis.RunAsync("pubsub", Port, protocol);

    [Fact, Rows("D9")]
    public Task Channels_of_shards_are_heard() => IoRedis.RunAsync("shards", Port);

    [Theory, Rows("D11", "D15")]
    [InlineData(2)]
    [InlineData(3)]
    public Task A_pipeline_is_heard_in_order(int protocol) => IoRedis.RunAsync("order", Port, protocol);

    [Fact, Rows("D2", "D5", "D14", "D17")]
    public Task Keys_transactions_and_errors() => IoRedis.RunAsync("commands", Port);

    [Fact, Rows("D4", "D5")]
    public async Task Users_log_in()
    {
        await using var server = await DragomanServer.StartAsync("--default-user", "admin", "--default-password", "secret");
        await IoRedis.RunAsync("login", server.Port("redis"));
    }
}

[Uses<NodeRedis>]
public sealed class NodeRedisTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    private int Port => broker.Server.Port("redis");

    [Theory, Rows("D1", "D3", "D6", "D9", "D10")]
    [InlineData(2)]
    [InlineData(3)]
    public Task Channels_patterns_and_shards_are_heard(int protocol) => NodeRedis.RunAsync("pubsub", Port, protocol);

    [Theory, Rows("D5", "D6", "D14", "D17")]
    [InlineData(2)]
    [InlineData(3)]
    public Task Keys_transactions_and_errors(int protocol) => NodeRedis.RunAsync("commands", Port, protocol);
}

[Uses<SocketIoAdapter>]
public sealed class SocketIoTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    [Theory, Rows("D1", "D7", "D9", "D10")]
    [InlineData("classic")]
    [InlineData("sharded")]
    public Task Two_nodes_share_their_rooms(string adapter) => SocketIoAdapter.RunAsync(adapter, broker.Server.Port("redis"));
}

[Uses<RedisPy>]
public sealed class RedisPyTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    private int Port => broker.Server.Port("redis");

    [Fact, Rows("D1", "D2", "D7", "D10")]
    public Task Channels_and_patterns_are_heard() => RedisPy.RunAsync("pubsub", Port);

    [Fact, Rows("D5", "D14", "D17", "D20")]
    public Task Keys_transactions_and_errors() => RedisPy.RunAsync("commands", Port);

    [Fact, Rows("D8")]
    public async Task Who_does_not_read_is_disconnected_and_nobody_else_is()
    {
        // The limit is the server's: this test has one of its own.
        await using var server = await DragomanServer.StartAsync();
        await RedisPy.RunAsync("behind", server.Port("redis"));
    }

    [Fact, Rows("D16")]
    public async Task What_happens_to_keys_is_told()
    {
        await using var server = await DragomanServer.StartAsync();
        await RedisPy.RunAsync("keyspace", server.Port("redis"));
    }

    [Fact, Rows("D4", "D5")]
    public async Task Users_log_in()
    {
        await using var server = await DragomanServer.StartAsync("--default-user", "admin", "--default-password", "secret");
        await RedisPy.RunAsync("login", server.Port("redis"));
    }
}

[Uses<RedisCli>]
public sealed class RedisCliTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    private string Port => $"{broker.Server.Port("redis")}";

    [Theory, Rows("D4", "D5", "D6", "D15", "D20")]
    [InlineData("-2")]
    [InlineData("-3")]
    public async Task Commands_are_typed(string protocol)
    {
        var output = await RedisCli.RunAsync("PING\nECHO \"a b\"\nNOPE x\nCLIENT maint_notifications\nMONITOR\nPING again\n", protocol, "-p", Port);
        Assert.Equal(
            "PONG\na b\nERR unknown command 'NOPE', with args beginning with: 'x' \n\nERR unknown subcommand 'maint_notifications'. Try CLIENT HELP.\n\nERR unknown command 'MONITOR', with args beginning with: \n\nagain\n", output);
    }

    [Fact, Rows("D1", "D7")]
    public async Task A_pattern_is_listened_to_until_it_is_interrupted()
    {
        var name = SharedBroker.Unique("cli");
        await using var listener = ForeignProcess.Start("redis-cli", ["-p", Port, "psubscribe", $"{name}.*"]);
        await Eventually.TrueAsync(() => listener.Output.Contains("psubscribe", StringComparison.Ordinal), "redis-cli listens");
        Assert.Equal("1\n", await RedisCli.RunAsync("", "-p", Port, "publish", $"{name}.x", "hello"));
        await Eventually.TrueAsync(() => listener.Output.Contains($"pmessage\n{name}.*\n{name}.x\nhello\n", StringComparison.Ordinal), "redis-cli shows the message");
    }

    [Fact, Rows("D19")]
    public async Task A_Unix_domain_socket_serves_as_a_port_does()
    {
        var path = Path.Join(Path.GetTempPath(), $"{SharedBroker.Unique("redis")}.sock");
        await using var server = await DragomanServer.StartAsync("--redis-socket", path);
        Assert.Equal("PONG\n", await RedisCli.RunAsync("", "-s", path, "ping"));
        // A killed process leaves the file behind; the next one takes it over.
        await server.KillAsync();
        await server.StartAgainAsync();
        Assert.Equal("PONG\n", await RedisCli.RunAsync("", "-s", path, "ping"));
    }
}

[Uses<RedisCli>]
public sealed class RedisCliTlsTests(Kafka.SecureBroker broker) : IClassFixture<Kafka.SecureBroker>
{
    [Fact, Rows("D4", "D13", "D19")]
    public async Task TLS_is_spoken_on_the_same_port_and_a_certificate_is_a_log_in()
    {
        var port = $"{broker.Server.Port("redis")}";
        Assert.Equal("NOAUTH Authentication required.\n\n", await RedisCli.RunAsync("", "-p", port, "ping"));
        Assert.Equal("ann\n", await RedisCli.RunAsync("", "--tls", "--cacert", broker.Authority, "-h", "localhost", "-p", port, "--no-auth-warning", "--user", "ann", "--pass", "secret-a", "ACL", "WHOAMI"));
        string[] asBob = ["--tls", "--cacert", broker.Authority, "--cert", broker.File("bob.pem"), "--key", broker.File("bob.key"), "-h", "localhost", "-p", port];
        Assert.Equal("bob\n", await RedisCli.RunAsync("", [.. asBob, "ACL", "WHOAMI"]));
        Assert.Equal("NOPERM No permissions to access a channel\n\n", await RedisCli.RunAsync("", [.. asBob, "PUBLISH", "closed", "x"]));
    }
}

using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Security;
using Dragoman.Broker.Statistics;
using Dragoman.Protocols.Connections;
using Microsoft.Extensions.Time.Testing;

namespace Dragoman.Admin.Tests.RabbitMq;

/// <summary>What RabbitMQ's API tells of messages, connections, channels and consumers, and how fast they go.</summary>
public sealed class StatisticsTests
{
    private static readonly byte[] Salt = new byte[36];

    private static FakeTimeProvider Clock => new(new DateTimeOffset(2030, 1, 1, 0, 0, 2, TimeSpan.Zero));

    private static MessageBatch Batch(int count)
    {
        var batch = MessageBatch.Rent();
        for (var i = 0; i < count; i++) batch.Add(new MessageProperties(), default, Encoding.UTF8.GetBytes("m"));
        return batch;
    }

    private static LiveConnection Connect(AdminServer server, string user, int port, Action<string>? closed = null)
    {
        var connection = server.Node.Connections.Add("AMQP 0-9-1", new IPEndPoint(IPAddress.Loopback, 5672), new IPEndPoint(IPAddress.Loopback, port), _ => { });
        connection.User = user;
        connection.Mechanism = "PLAIN";
        connection.ClientProperties = """{"product":"test"}""";
        if (closed is not null) connection.Closing = closed;
        return connection;
    }

    private static async Task<JsonNode> GetAsync(AdminServer server, string path, string? user = null)
    {
        var answer = await server.ManageAsync("GET", path, user: user);
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        return answer.Body!;
    }

    [Fact]
    [Trait("Row", "R30")]
    public async Task The_overview_has_totals_at_once_and_rates_from_the_second_look_on()
    {
        var clock = Clock;
        await using var server = await AdminServer.StartAsync(time: clock);
        var queue = (await server.Broker.Queues.DeclareAsync(QueueName.InDefault("q"), QueueSettings.Default)).Queue!;
        await queue.PublishAsync(Batch(3));
        var overview = await GetAsync(server, "overview");
        Assert.Equal(3, (int)overview["queue_totals"]!["messages"]!);
        Assert.Equal(3, (int)overview["message_stats"]!["publish"]!);
        Assert.Equal(0, (double)overview["message_stats"]!["publish_details"]!["rate"]!);
        Assert.Equal((0, 0, 0, 7, 1), Totals(overview["object_totals"]!));
        Assert.Equal(("RabbitMQ", server.Node.RabbitMqVersion, "basic", false, server.Node.RabbitMqName), ((string)overview["product_name"]!, (string)overview["rabbitmq_version"]!, (string)overview["rates_mode"]!, (bool)overview["disable_stats"]!, (string)overview["node"]!));
        Assert.Equal(1, (int)overview["churn_rates"]!["queue_created"]!);
        await queue.PublishAsync(Batch(50));
        clock.Advance(TimeSpan.FromSeconds(5));
        overview = await GetAsync(server, "overview?msg_rates_age=60&msg_rates_incr=5&lengths_age=60&lengths_incr=5");
        var publish = overview["message_stats"]!["publish_details"]!;
        Assert.Equal(10, (double)publish["rate"]!);
        var samples = publish["samples"]!.AsArray();
        Assert.Equal(13, samples.Count);
        Assert.Equal([53, 3, 0], samples.Take(3).Select(s => (int)s!["sample"]!));
        var newest = (long)samples[0]!["timestamp"]!;
        Assert.Equal((0, 5000), (newest % 5000, newest - (long)samples[1]!["timestamp"]!));
        Assert.Equal(53 / 60.0, (double)publish["avg_rate"]!, 1e-9);
        Assert.Equal(56 / 13.0, (double)publish["avg"]!, 1e-9);
        Assert.Equal(10, (double)overview["queue_totals"]!["messages_ready_details"]!["rate"]!);
        Assert.Equal(HttpStatusCode.BadRequest, (await server.ManageAsync("GET", "overview?msg_rates_age=x&msg_rates_incr=5")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await server.ManageAsync("DELETE", "reset")).Status);
        Assert.Equal(0, (double)(await GetAsync(server, "overview"))["message_stats"]!["publish_details"]!["rate"]!);

        static (int, int, int, int, int) Totals(JsonNode totals) =>
            ((int)totals["connections"]!, (int)totals["channels"]!, (int)totals["consumers"]!, (int)totals["exchanges"]!, (int)totals["queues"]!);
    }

    [Fact]
    [Trait("Row", "R30")]
    public async Task Connections_channels_and_consumers_show_what_they_are_and_count()
    {
        var clock = Clock;
        await using var server = await AdminServer.StartAsync(time: clock);
        var connection = Connect(server, "ann", 40001);
        connection.ProvidedName = "orders";
        connection.HeartbeatSeconds = 60;
        var channels = new FakeChannels(server.Node.Connections);
        connection.Channels = channels;
        connection.OnReceived(100);
        channels.Publisher.Add(MessageCounter.Publish, 7);
        Connect(server, "bob", 40002);
        var listed = (await GetAsync(server, "connections?sort=peer_port")).AsArray();
        Assert.Equal(["127.0.0.1:40001 -> 127.0.0.1:5672", "127.0.0.1:40002 -> 127.0.0.1:5672"], listed.Select(c => (string)c!["name"]!));
        var name = Uri.EscapeDataString((string)listed[0]!["name"]!);
        channels.Publisher.Add(MessageCounter.Publish, 5);
        connection.OnReceived(50);
        clock.Advance(TimeSpan.FromSeconds(5));
        var shown = await GetAsync(server, $"connections/{name}");
        Assert.Equal(("ann", "/", "orders", "running", 60, 2), ((string)shown["user"]!, (string)shown["vhost"]!, (string)shown["user_provided_name"]!, (string)shown["state"]!, (int)shown["timeout"]!, (int)shown["channels"]!));
        Assert.Equal((150, 2, 10.0), ((int)shown["recv_oct"]!, (int)shown["recv_cnt"]!, (double)shown["recv_oct_details"]!["rate"]!));
        Assert.Equal("test", (string)shown["client_properties"]!["product"]!);
        Assert.False((bool)shown["ssl"]!);
        var ofConnection = (await GetAsync(server, $"connections/{name}/channels")).AsArray();
        Assert.Equal([1, 2], ofConnection.Select(c => (int)c!["number"]!));
        Assert.Equal((12, 1.0), ((int)ofConnection[0]!["message_stats"]!["publish"]!, (double)ofConnection[0]!["message_stats"]!["publish_details"]!["rate"]!));
        Assert.Null(ofConnection[1]!["message_stats"]);
        var channel = await GetAsync(server, $"channels/{Uri.EscapeDataString((string)ofConnection[1]!["name"]!)}");
        Assert.Equal((10, 3, false, 1), ((int)channel["prefetch_count"]!, (int)channel["messages_unacknowledged"]!, (bool)channel["confirm"]!, channel["consumer_details"]!.AsArray().Count));
        var consumer = (await GetAsync(server, "consumers/%2F"))[0]!;
        Assert.Equal(("one", "q", "/", "waiting", 3), ((string)consumer["consumer_tag"]!, (string)consumer["queue"]!["name"]!, (string)consumer["queue"]!["vhost"]!, (string)consumer["activity_status"]!, (int)consumer["arguments"]!["x-priority"]!));
        Assert.Equal((string)channel["name"]!, (string)consumer["channel_details"]!["name"]!);
        Assert.Equal(2, (await GetAsync(server, "vhosts/%2F/connections")).AsArray().Count);
        Assert.Equal(2, (await GetAsync(server, "vhosts/%2F/channels")).AsArray().Count);
        var page = await GetAsync(server, "connections?page=1&page_size=1&name=40002&use_regex=false");
        Assert.Equal((1, 2), ((int)page["filtered_count"]!, (int)page["total_count"]!));
        Assert.Equal("bob", (string)(await GetAsync(server, "connections/username/bob"))[0]!["user"]!);
        server.Node.Connections.Remove(connection);
        Assert.Equal(HttpStatusCode.NotFound, (await server.ManageAsync("GET", $"connections/{name}")).Status);
        Assert.Equal(1, (int)(await GetAsync(server, "overview"))["churn_rates"]!["connection_closed"]!);
    }

    [Fact]
    [Trait("Row", "R30")]
    public async Task Connections_are_closed_with_a_reason_by_administrators_and_by_those_they_belong_to()
    {
        await using var server = await AdminServer.StartAsync();
        await server.Broker.Accounts.CreateUserAsync(new User("root", ["administrator"], []).WithPassword("r", Salt));
        await server.Broker.Accounts.CreateUserAsync(new User("ann", ["management"], []).WithPassword("a", Salt));
        var closed = new List<string>();
        var own = Connect(server, "ann", 40001, reason => closed.Add($"own: {reason}"));
        var other = Connect(server, "bob", 40002, reason => closed.Add($"other: {reason}"));
        Assert.Equal("ann", (string)Assert.Single((await GetAsync(server, "connections", "ann:a")).AsArray())!["user"]!);
        Assert.Equal(HttpStatusCode.Unauthorized, (await CloseAsync(other, "ann:a", null)).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await CloseAsync(own, "ann:a", null)).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await CloseAsync(other, "root:r", "maintenance")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await server.ManageAsync("DELETE", "connections/username/bob", user: "root:r")).Status);
        Assert.Equal(["own: Closed via management plugin", "other: maintenance", "other: Closed via management plugin"], closed);

        Task<ManagementAnswer> CloseAsync(LiveConnection connection, string user, string? reason) =>
            server.ManageAsync("DELETE", $"connections/{Uri.EscapeDataString(connection.Name)}", user: user, headers: reason is null ? [] : [("X-Reason", reason)]);
    }

    [Fact]
    [Trait("Row", "R30")]
    public async Task The_node_tells_what_it_uses_and_of_how_much()
    {
        await using var server = await AdminServer.StartAsync();
        var node = (await GetAsync(server, "nodes"))[0]!;
        var name = (string)node["name"]!;
        Assert.True((bool)node["running"]!);
        foreach (var used in (string[])["mem_used", "fd_used", "proc_used", "disk_free", "fd_total", "mem_limit", "uptime"]) Assert.True((long)node[used]! >= 0, used);
        Assert.True((long)node["mem_used"]! > 0 && (long)node["disk_free"]! > 0);
        Assert.Equal((false, false, Environment.ProcessId.ToString()), ((bool)node["mem_alarm"]!, (bool)node["disk_free_alarm"]!, (string)node["os_pid"]!));
        Assert.Equal(name, (string)(await GetAsync(server, $"nodes/{name}?memory=true"))["name"]!);
        var memory = (await GetAsync(server, $"nodes/{name}/memory"))["memory"]!;
        Assert.True((long)memory["total"]!["rss"]! > 0 && (long)memory["other_proc"]! > 0);
        Assert.Equal(100, (int)(await GetAsync(server, $"nodes/{name}/memory/relative"))["memory"]!["total"]!);
        Assert.Equal(HttpStatusCode.NotFound, (await server.ManageAsync("GET", "nodes/other@host")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await server.ManageAsync("POST", "rebalance/queues")).Status);
    }

    [Fact]
    public async Task Looking_ends_when_nobody_has_asked_for_ten_minutes()
    {
        var clock = Clock;
        await using var server = await AdminServer.StartAsync(time: clock);
        var queue = (await server.Broker.Queues.DeclareAsync(QueueName.InDefault("q"), QueueSettings.Default)).Queue!;
        await GetAsync(server, "overview");
        clock.Advance(TimeSpan.FromMinutes(11));
        await queue.PublishAsync(Batch(50));
        clock.Advance(TimeSpan.FromSeconds(5));
        // It begins anew: there is a first look, and no rate yet.
        Assert.Equal(0, (double)(await GetAsync(server, "overview"))["message_stats"]!["publish_details"]!["rate"]!);
        await queue.PublishAsync(Batch(50));
        clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(10, (double)(await GetAsync(server, "overview"))["message_stats"]!["publish_details"]!["rate"]!);
    }
}

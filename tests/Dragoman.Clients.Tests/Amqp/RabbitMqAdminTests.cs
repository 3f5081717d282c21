using System.Text;
using System.Text.Json.Nodes;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Amqp;

[Uses<RabbitMqAdmin>]
public sealed class RabbitMqAdminTests
{
    [Fact, Rows("R30")]
    public async Task Everything_is_declared_listed_used_and_deleted()
    {
        await using var server = await DragomanServer.StartAsync();
        var port = server.Port("admin");
        Assert.Equal("exchange declared", await RabbitMqAdmin.RunAsync(port, "declare", "exchange", "name=events", "type=topic"));
        Assert.Equal("queue declared", await RabbitMqAdmin.RunAsync(port, "declare", "queue", "name=jobs", "durable=true", """arguments={"x-max-length":100}"""));
        Assert.Equal("binding declared", await RabbitMqAdmin.RunAsync(port, "declare", "binding", "source=events", "destination=jobs", "routing_key=a.#"));
        Assert.Equal("Message published", await RabbitMqAdmin.RunAsync(port, "publish", "exchange=events", "routing_key=a.b", "payload=hello", """properties={"delivery_mode":2,"headers":{"x":1}}"""));
        Assert.Equal("Message published but NOT routed", await RabbitMqAdmin.RunAsync(port, "publish", "exchange=events", "routing_key=b", "payload=hello"));
        var got = JsonNode.Parse(await RabbitMqAdmin.RunAsync(port, "-f", "raw_json", "get", "queue=jobs", "ackmode=ack_requeue_true"))![0]!;
        Assert.Equal(("hello", "events", "a.b", """{"x":1}"""), ((string?)got["payload"], (string?)got["exchange"], (string?)got["routing_key"], got["properties"]!["headers"]!.ToJsonString()));
        Assert.Equal(
            """[{"arguments":{"x-max-length":100},"durable":true,"messages":1,"name":"jobs"}]""",
            Sorted(await RabbitMqAdmin.ListAsync(port, "queues", "name", "messages", "durable", "arguments")));
        Assert.Contains("jobs", await RabbitMqAdmin.RunAsync(port, "list", "queues"));
        Assert.Contains("| events |", await RabbitMqAdmin.RunAsync(port, "list", "bindings", "source", "destination", "routing_key"));
        Assert.Contains("a.#", await RabbitMqAdmin.RunAsync(port, "list", "bindings"));
        Assert.Equal("queue purged", await RabbitMqAdmin.RunAsync(port, "purge", "queue", "name=jobs"));
        Assert.Contains("rabbit@", await RabbitMqAdmin.RunAsync(port, "list", "nodes", "name"));
        Assert.NotEmpty(await RabbitMqAdmin.RunAsync(port, "show", "overview"));

        Assert.Equal("vhost declared", await RabbitMqAdmin.RunAsync(port, "declare", "vhost", "name=other"));
        Assert.Equal("""[{"name":"/"},{"name":"other"}]""", (await RabbitMqAdmin.ListAsync(port, "vhosts", "name")).ToJsonString());
        Assert.Equal("queue declared", await RabbitMqAdmin.RunAsync(port, "--vhost", "other", "declare", "queue", "name=jobs"));
        Assert.Equal(2, (await RabbitMqAdmin.ListAsync(port, "queues", "name")).Count);
        Assert.Equal("vhost deleted", await RabbitMqAdmin.RunAsync(port, "delete", "vhost", "name=other"));
        Assert.Equal("queue deleted", await RabbitMqAdmin.RunAsync(port, "delete", "queue", "name=jobs"));
        Assert.Equal("exchange deleted", await RabbitMqAdmin.RunAsync(port, "delete", "exchange", "name=events"));
        Assert.Equal("[]", (await RabbitMqAdmin.ListAsync(port, "bindings", "source")).ToJsonString());
        Assert.Contains("*** Not found: /api/queues/%2F/jobs", (await RabbitMqAdmin.TryAsync(port, "delete", "queue", "name=jobs")).Error);
    }

    [Fact, Rows("R30", "R34")]
    public async Task Users_permissions_and_limits_are_managed()
    {
        await using var server = await DragomanServer.StartAsync("--default-user", "admin", "--default-password", "secret");
        var port = server.Port("admin");
        string[] login = ["--username", "admin", "--password", "secret"];
        Assert.Contains("Access refused", (await RabbitMqAdmin.TryAsync(port, "list", "queues")).Error, StringComparison.OrdinalIgnoreCase);
        Assert.Equal("user declared", await RabbitMqAdmin.RunAsync(port, [.. login, "declare", "user", "name=app", "password=a", "tags=management"]));
        Assert.Equal("permission declared", await RabbitMqAdmin.RunAsync(port, [.. login, "declare", "permission", "vhost=/", "user=app", "configure=^app", "write=.*", "read=.*"]));
        string[] app = ["--username", "app", "--password", "a"];
        Assert.Equal("queue declared", await RabbitMqAdmin.RunAsync(port, [.. app, "declare", "queue", "name=app.q"]));
        Assert.Contains("Access refused", (await RabbitMqAdmin.TryAsync(port, [.. app, "declare", "queue", "name=other"])).Error, StringComparison.OrdinalIgnoreCase);
        Assert.Equal("vhost_limit declared", await RabbitMqAdmin.RunAsync(port, [.. login, "declare", "vhost_limit", "vhost=/", "name=max-queues", "value=1"]));
        Assert.NotEqual(0, (await RabbitMqAdmin.TryAsync(port, [.. app, "declare", "queue", "name=app.q2"])).ExitCode);
        Assert.Equal("permission deleted", await RabbitMqAdmin.RunAsync(port, [.. login, "delete", "permission", "vhost=/", "user=app"]));
        Assert.Equal("user deleted", await RabbitMqAdmin.RunAsync(port, [.. login, "delete", "user", "name=app"]));
        Assert.Equal(0, (await RabbitMqAdmin.TryAsync(port, [.. login, "list", "users"])).ExitCode);
    }

    /// <summary>A broker is moved by its definitions: what RabbitMQ exports is imported here, and comes out as it went in.</summary>
    [Fact, Rows("R30", "R34")]
    public async Task Definitions_of_RabbitMQ_are_imported_and_come_out_the_same()
    {
        await using var real = await RealRabbitMq.StartAsync("rabbitmq_management");
        await using var server = await DragomanServer.StartAsync();
        using var directory = new Workspace();
        var source = real.ManagementPort;
        foreach (var command in Topology) await RabbitMqAdmin.RunAsync(source, command);
        // What rabbitmqadmin has no word for.
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{source}/api/") };
        http.DefaultRequestHeaders.Authorization = new("Basic", Convert.ToBase64String("guest:guest"u8));
        foreach (var (path, body) in new[]
        {
            ("topic-permissions/shop/app", """{"exchange":"events","write":"^a","read":".*"}"""),
            ("users/nopass", """{"password_hash":"","tags":""}"""),
            ("users/md5", """{"password_hash":"AQIDBLRuQuPfJcrQ1CUO3QV9cOU=","hashing_algorithm":"rabbit_password_hashing_md5","tags":"monitoring"}"""),
        })
        {
            using var content = new StringContent(body, Encoding.UTF8, "application/json");
            (await http.PutAsync(new Uri(path, UriKind.Relative), content)).EnsureSuccessStatusCode();
        }
        var (exported, imported) = (Path.Join(directory.Path, "exported.json"), Path.Join(directory.Path, "imported.json"));
        Assert.StartsWith("Exported definitions", await RabbitMqAdmin.RunAsync(source, "export", exported));
        Assert.StartsWith("Uploaded definitions", await RabbitMqAdmin.RunAsync(server.Port("admin"), "import", exported));
        Assert.StartsWith("Exported definitions", await RabbitMqAdmin.RunAsync(server.Port("admin"), "--username", "guest", "--password", "guest", "export", imported));

        var (before, after) = (JsonNode.Parse(await File.ReadAllTextAsync(exported))!, JsonNode.Parse(await File.ReadAllTextAsync(imported))!);
        foreach (var part in new[] { "users", "permissions", "topic_permissions", "parameters", "global_parameters", "policies", "queues", "exchanges", "bindings" })
        {
            Assert.NotEmpty(before[part]!.AsArray());
            Assert.Equal(Sorted(before[part]!), Sorted(after[part]!));
        }
        Assert.Equal(Names(before["vhosts"]!), Names(after["vhosts"]!));
        // And back: RabbitMQ takes what was exported here for what it has already.
        Assert.StartsWith("Uploaded definitions", await RabbitMqAdmin.RunAsync(source, "import", imported));
        // Passwords work that came as hashes.
        Assert.Contains("orders", await RabbitMqAdmin.RunAsync(server.Port("admin"), "--username", "app", "--password", "app's", "--vhost", "shop", "list", "queues", "name"));
    }

    /// <summary>A broker that is in use is moved: its queue is shovelled over, and its exchange federated.</summary>
    [Fact, Rows("R33")]
    public async Task What_RabbitMQ_holds_is_shovelled_and_what_it_is_told_arrives_by_federation()
    {
        await using var real = await RealRabbitMq.StartAsync("rabbitmq_management");
        await using var server = await DragomanServer.StartAsync();
        var (from, to) = (real.ManagementPort, server.Port("admin"));
        var uri = $"amqp://guest:guest@127.0.0.1:{real.Port}";
        await RabbitMqAdmin.RunAsync(from, "declare", "queue", "name=jobs", "durable=true");
        await RabbitMqAdmin.RunAsync(from, "declare", "exchange", "name=events", "type=topic");
        for (var i = 0; i < 3; i++) await RabbitMqAdmin.RunAsync(from, "publish", "exchange=amq.default", "routing_key=jobs", $"payload=job {i}", $$"""properties={"message_id":"{{i}}","delivery_mode":2}""");
        await RabbitMqAdmin.RunAsync(to, "declare", "queue", "name=jobs", "durable=true");
        await RabbitMqAdmin.RunAsync(to, "declare", "exchange", "name=events", "type=topic");
        await RabbitMqAdmin.RunAsync(to, "declare", "queue", "name=heard", "durable=true");
        await RabbitMqAdmin.RunAsync(to, "declare", "binding", "source=events", "destination=heard", "routing_key=shop.#");

        Assert.Equal("parameter declared", await RabbitMqAdmin.RunAsync(to, "declare", "parameter", "component=shovel", "name=move", $$"""value={"src-uri":"{{uri}}","src-queue":"jobs","dest-uri":"amqp://","dest-queue":"jobs","src-delete-after":"queue-length"}"""));
        await Eventually.TrueAsync(async () => await CountAsync(to, "jobs") == 3 && await CountAsync(from, "jobs") == 0, "the jobs are over here, and no longer there");
        await Eventually.TrueAsync(async () => (await RabbitMqAdmin.ListAsync(to, "parameters", "name")).Count == 0, "the shovel is done and goes");
        var got = JsonNode.Parse(await RabbitMqAdmin.RunAsync(to, "-f", "raw_json", "get", "queue=jobs", "ackmode=ack_requeue_false"))![0]!;
        Assert.Equal(("job 0", "0"), ((string?)got["payload"], (string?)got["properties"]!["message_id"]));

        Assert.Equal("parameter declared", await RabbitMqAdmin.RunAsync(to, "declare", "parameter", "component=federation-upstream", "name=old", $$"""value={"uri":"{{uri}}"}"""));
        Assert.Equal("policy declared", await RabbitMqAdmin.RunAsync(to, "declare", "policy", "name=from-old", "pattern=^events$", "apply-to=exchanges", """definition={"federation-upstream":"old"}"""));
        await Eventually.TrueAsync(async () => (await RabbitMqAdmin.ListAsync(from, "bindings", "source", "routing_key")).Any(static b => (string?)b!["source"] == "events" && (string?)b["routing_key"] == "shop.#"), "the link asks the old broker for what is wanted here");
        await RabbitMqAdmin.RunAsync(from, "publish", "exchange=events", "routing_key=shop.open", "payload=open");
        await RabbitMqAdmin.RunAsync(from, "publish", "exchange=events", "routing_key=bank.open", "payload=not wanted");
        await Eventually.TrueAsync(async () => await CountAsync(to, "heard") == 1, "what the old broker is told is heard here");
        Assert.Equal("policy deleted", await RabbitMqAdmin.RunAsync(to, "delete", "policy", "name=from-old"));
        await Eventually.TrueAsync(async () => !(await RabbitMqAdmin.ListAsync(from, "bindings", "source")).Any(static b => (string?)b!["source"] == "events"), "the link takes away what it made");

        static async Task<int> CountAsync(int port, string queue) =>
            (int?)(await RabbitMqAdmin.ListAsync(port, "queues", "name", "messages")).FirstOrDefault(q => (string?)q!["name"] == queue)?["messages"] ?? -1;
    }

    private static readonly string[][] Topology =
    [
        ["declare", "vhost", "name=shop"],
        ["declare", "user", "name=app", "password=app's", "tags=management,team-1"],
        ["declare", "permission", "vhost=shop", "user=app", "configure=^app\\.", "write=.*", "read=^(?!secret)"],
        ["declare", "exchange", "name=events", "type=topic"],
        ["--vhost", "shop", "declare", "exchange", "name=events", "type=topic", """arguments={"alternate-exchange":"lost"}"""],
        ["--vhost", "shop", "declare", "exchange", "name=lost", "type=fanout", "internal=true"],
        ["--vhost", "shop", "declare", "exchange", "name=by-header", "type=headers", "auto_delete=false"],
        ["--vhost", "shop", "declare", "queue", "name=orders", "durable=true", """arguments={"x-max-length":100,"x-message-ttl":60000,"x-dead-letter-exchange":"lost","x-overflow":"reject-publish"}"""],
        ["--vhost", "shop", "declare", "queue", "name=big", "durable=true", """arguments={"x-queue-type":"quorum","x-delivery-limit":5}"""],
        ["--vhost", "shop", "declare", "queue", "name=history", "durable=true", """arguments={"x-queue-type":"stream","x-max-age":"7D"}"""],
        ["--vhost", "shop", "declare", "queue", "name=ranked", "durable=false", """arguments={"x-max-priority":9}"""],
        ["--vhost", "shop", "declare", "binding", "source=events", "destination=orders", "routing_key=order.#"],
        ["--vhost", "shop", "declare", "binding", "source=events", "destination=lost", "destination_type=exchange", "routing_key=lost.*"],
        ["--vhost", "shop", "declare", "binding", "source=by-header", "destination=big", """arguments={"x-match":"all","kind":"big","weight":3,"fresh":true,"ratio":1.5}"""],
        ["--vhost", "shop", "declare", "policy", "name=ttl", "pattern=^app", "apply-to=queues", """definition={"message-ttl":60000,"max-length":10}""", "priority=2"],
        ["--vhost", "shop", "declare", "operator_policy", "name=cap", "pattern=.*", "apply-to=queues", """definition={"max-length":1000}"""],
        ["declare", "vhost_limit", "vhost=shop", "name=max-connections", "value=500"],
    ];

    private static string[] Names(JsonNode list) => [.. list.AsArray().Select(static v => (string)v!["name"]!).Order(StringComparer.Ordinal)];

    private static string Sorted(JsonNode list) => $"[{string.Join(',', list.AsArray().Select(static i => Ordered(i!)!.ToJsonString()).Order(StringComparer.Ordinal))}]";

    private static JsonNode? Ordered(JsonNode? node) => node switch
    {
        JsonObject o => new JsonObject(o.OrderBy(static p => p.Key, StringComparer.Ordinal).Select(static p => KeyValuePair.Create(p.Key, Ordered(p.Value)))),
        // Erlang does not tell an empty object from an empty list.
        JsonArray { Count: 0 } => new JsonObject(),
        _ => node?.DeepClone(),
    };
}

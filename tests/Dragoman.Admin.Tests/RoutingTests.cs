using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Dragoman.Broker.Security;

namespace Dragoman.Admin.Tests;

public sealed class RoutingTests
{
    private static async Task<JsonNode> OkAsync(AdminServer server, string method, string path, string? body = null)
    {
        var (status, answer) = await server.SendAsync(method, path, body);
        Assert.True((int)status < 300, $"{status}: {answer?.ToJsonString()}");
        return answer!;
    }

    private static async Task<AdminServer> StartAsync()
    {
        var server = await AdminServer.StartAsync();
        await OkAsync(server, "POST", "exchanges", """{"name":"shop","type":"topic","alternate":"rest"}""");
        await OkAsync(server, "POST", "exchanges", """{"name":"rest","type":"headers","internal":true,"durable":false,"autoDelete":true}""");
        await OkAsync(server, "POST", "queues", """{"name":"q"}""");
        return server;
    }

    [Fact]
    public async Task Exchanges_are_created_listed_described_and_deleted()
    {
        await using var server = await StartAsync();
        Assert.Equal(
            """[{"namespace":"public/default","name":"rest","type":"headers","durable":false,"autoDelete":true,"internal":true,"hasLog":false,"bindings":0},{"namespace":"public/default","name":"shop","type":"topic","durable":true,"autoDelete":false,"internal":false,"alternate":"rest","hasLog":false,"bindings":0}]""",
            (await OkAsync(server, "GET", "exchanges"))["exchanges"]!.ToJsonString());
        Assert.Equal("topic", (string?)(await OkAsync(server, "GET", "exchanges/amq.topic"))["type"]);
        await server.SendAsync("POST", "topics", """{"name":"log"}""");
        var log = await OkAsync(server, "GET", "exchanges/log");
        Assert.Equal(("fanout", true), ((string?)log["type"], (bool)log["hasLog"]!));
        Assert.Equal(HttpStatusCode.NotFound, (await server.SendAsync("DELETE", "exchanges/log")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await server.SendAsync("DELETE", "exchanges/amq.topic")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await server.SendAsync("DELETE", "exchanges/shop")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await server.SendAsync("GET", "exchanges/shop")).Status);
    }

    [Theory]
    [InlineData("""{"name":"shop"}""", HttpStatusCode.Conflict, "there already, with type topic")]
    [InlineData("""{"name":""}""", HttpStatusCode.BadRequest, "no name")]
    [InlineData("""{"name":"amq.x"}""", HttpStatusCode.BadRequest, "the broker's own")]
    [InlineData("""{"name":"x","type":"odd"}""", HttpStatusCode.BadRequest, "direct, fanout, topic or headers")]
    public async Task What_cannot_be_an_exchange_is_refused_with_the_reason(string body, HttpStatusCode expected, string reason)
    {
        await using var server = await StartAsync();
        var (status, problem) = await server.SendAsync("POST", "exchanges", body);
        Assert.Equal(expected, status);
        Assert.Contains(reason, (string?)problem!["detail"]);
    }

    [Fact]
    public async Task Bindings_are_added_listed_and_removed()
    {
        await using var server = await StartAsync();
        const string ToQueue = """{"source":"shop","queue":"q","key":"orders.*"}""";
        const string ToExchange = """{"source":"shop","exchange":"rest"}""";
        const string WithArguments = """{"source":"rest","queue":"q","arguments":{"x-match":"any","n":5,"yes":true,"text":"é"}}""";
        foreach (var body in new[] { ToQueue, ToExchange, WithArguments }) await OkAsync(server, "POST", "bindings", body);
        Assert.Equal(HttpStatusCode.Conflict, (await server.SendAsync("POST", "bindings", WithArguments)).Status);
        var listed = (await OkAsync(server, "GET", "bindings"))["bindings"]!.AsArray();
        Assert.Equal("rest-q shop-q shop-rest", string.Join(' ', listed.Select(b => $"{b!["source"]}-{b["queue"] ?? b["exchange"]}")));
        Assert.Equal("any 5 true é", string.Join(' ', listed[0]!["arguments"]!.AsObject().Select(a => a.Value!.ToString())));
        Assert.Equal("orders.*", (string?)listed[1]!["key"]);
        Assert.Equal(2, (await OkAsync(server, "GET", "bindings?queue=q"))["bindings"]!.AsArray().Count);
        Assert.Single((await OkAsync(server, "GET", "bindings?exchange=rest"))["bindings"]!.AsArray());
        Assert.Equal(2, (await OkAsync(server, "GET", "bindings?source=shop"))["bindings"]!.AsArray().Count);
        Assert.Equal(2, (await OkAsync(server, "GET", "queues/q"))["bindings"]!.AsArray().Count);
        Assert.Equal(2, (await OkAsync(server, "GET", "exchanges/shop"))["routes"]!.AsArray().Count);
        Assert.Equal(HttpStatusCode.Conflict, (await server.SendAsync("DELETE", "exchanges/shop?ifUnused=true")).Status);
        foreach (var body in new[] { ToQueue, ToExchange, WithArguments })
        {
            Assert.Equal(HttpStatusCode.NoContent, (await server.SendAsync("DELETE", "bindings", body)).Status);
            Assert.Equal(HttpStatusCode.NotFound, (await server.SendAsync("DELETE", "bindings", body)).Status);
        }
        Assert.Empty((await OkAsync(server, "GET", "bindings"))["bindings"]!.AsArray());
    }

    [Theory]
    [InlineData("""{"source":"shop"}""", HttpStatusCode.BadRequest, "name one of the two")]
    [InlineData("""{"source":"shop","queue":"q","exchange":"rest"}""", HttpStatusCode.BadRequest, "name one of the two")]
    [InlineData("""{"source":"","queue":"q"}""", HttpStatusCode.BadRequest, "default exchange")]
    [InlineData("""{"source":"none","queue":"q"}""", HttpStatusCode.NotFound, "no exchange 'none'")]
    [InlineData("""{"source":"shop","queue":"none"}""", HttpStatusCode.NotFound, "no queue 'none'")]
    [InlineData("""{"source":"shop","exchange":"none"}""", HttpStatusCode.NotFound, "no exchange 'none'")]
    [InlineData("""{"source":"shop","queue":"q","arguments":{"a":[1]}}""", HttpStatusCode.BadRequest, "Argument 'a'")]
    public async Task What_cannot_be_a_binding_is_refused_with_the_reason(string body, HttpStatusCode expected, string reason)
    {
        await using var server = await StartAsync();
        var (status, problem) = await server.SendAsync("POST", "bindings", body);
        Assert.Equal(expected, status);
        Assert.Contains(reason, (string?)problem!["detail"]);
    }

    [Fact]
    public async Task Who_may_do_what_is_kept_to()
    {
        await using var server = await StartAsync();
        var accounts = server.Broker.Accounts;
        var salt = new byte[36];
        Assert.Equal(AccountStatus.Ok, (await accounts.CreateUserAsync(new User("root", [User.AdministratorTag], []).WithPassword("pw", salt))).Status);
        Assert.Equal(AccountStatus.Ok, (await accounts.CreateUserAsync(new User("watcher", ["monitoring"], []).WithPassword("pw", salt))).Status);
        Assert.Equal(AccountStatus.Ok, (await accounts.CreateUserAsync(new User("reader", [], []).WithPassword("pw", salt))).Status);
        await accounts.AddPermissionsAsync([new Permission("reader", null, ResourceKind.Queue, new NamePattern(PatternKind.Literal, "q"), Operations.Read, Effect.Allow, Permission.AnyHost)]);
        const string Message = """{"messages":[{"value":"a"}]}""";
        (string Method, string Path, string? Body, string Users)[] expected =
        [
            ("GET", "queues", null, "root watcher"),
            ("GET", "groups", null, "root watcher"),
            ("GET", "exchanges/shop", null, "root watcher"),
            ("GET", "moves", null, "root watcher"),
            ("GET", "namespaces", null, "root watcher"),
            ("POST", "queues/q/messages", Message, "root"),
            ("GET", "queues/q/messages", null, "root reader"),
            ("POST", "queues/q/receive", "{}", "root reader"),
            ("POST", "queues/q/settle", """{"leases":[],"action":"acknowledge"}""", "root reader"),
            ("POST", "queues/q/purge", null, "root"),
            ("POST", "queues/q/replay", """{"to":"latest"}""", "root"),
            ("POST", "groups/g/reset-offsets", """{"to":"latest","topics":["none"]}""", "root"),
            ("DELETE", "bindings", """{"source":"shop","queue":"q"}""", "root"),
            ("POST", "moves", """{"source":"none"}""", "root"),
        ];
        foreach (var (method, path, body, users) in expected)
        {
            foreach (var user in new[] { "root", "watcher", "reader" })
            {
                server.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:pw")));
                var (status, _) = await server.SendAsync(method, path, body);
                Assert.True((status != HttpStatusCode.Forbidden) == users.Split(' ').Contains(user), $"{user}: {method} {path} was {status}");
            }
        }
        server.Client.DefaultRequestHeaders.Authorization = null;
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.SendAsync("GET", "queues")).Status);
    }
}

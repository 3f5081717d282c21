using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Queues;

namespace Dragoman.Admin.Tests;

public sealed class QueueTests
{
    private static async Task<AdminServer> StartAsync(string settings = "{}")
    {
        var server = await AdminServer.StartAsync();
        Assert.Equal(HttpStatusCode.Created, (await server.SendAsync("POST", "queues", $$"""{"name":"jobs","settings":{{settings}}}""")).Status);
        return server;
    }

    private static async Task<JsonNode> OkAsync(AdminServer server, string method, string path, string? body = null)
    {
        var (status, answer) = await server.SendAsync(method, path, body);
        Assert.True((int)status < 300, $"{status}: {answer?.ToJsonString()}");
        return answer!;
    }

    private static Task<JsonNode> PublishAsync(AdminServer server, params string[] values) =>
        OkAsync(server, "POST", "queues/jobs/messages", $$"""{"messages":[{{string.Join(',', values.Select(v => $$"""{"value":"{{v}}"}"""))}}]}""");

    private static string Values(JsonNode list) => string.Join(' ', list["messages"]!.AsArray().Select(m => (string?)m!["value"]));

    private static string Leases(JsonNode list, int skip = 0) => string.Join(',', list["messages"]!.AsArray().Skip(skip).Select(m => m!["lease"]!.ToJsonString()));

    [Fact]
    public async Task A_queue_is_created_with_its_settings_described_listed_and_deleted()
    {
        const string Settings = """
            {"durable":true,"commitMode":"written","dispatch":"byKey","leaseMs":5000,"maxDeliveries":4,"deadLetterExchange":"dlx","deadLetterKey":"k","messageLifetimeMs":60000,"maxLength":10,"maxLengthBytes":1000,"overflow":"rejectDeadLetter","expiresAfterMs":90000,"autoDelete":true,"maxPriority":9,"delayMs":0,"deduplicationWindowMs":1000,"replayWindowMs":2000,"replayWindowBytes":3000}
            """;
        await using var server = await StartAsync(Settings);
        var described = await OkAsync(server, "GET", "queues/jobs");
        Assert.Equal(Settings.Trim(), described["settings"]!.ToJsonString());
        Assert.Equal("queue", (string?)described["type"]);
        var listed = Assert.Single((await OkAsync(server, "GET", "queues"))["queues"]!.AsArray())!;
        Assert.Equal("""{"namespace":"public/default","name":"jobs","type":"queue","durable":true,"commitMode":"written","ready":0,"leased":0,"delayed":0,"consumers":0}""", listed.ToJsonString());
        Assert.Equal(HttpStatusCode.NoContent, (await server.SendAsync("DELETE", "queues/jobs")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await server.SendAsync("DELETE", "queues/jobs")).Status);
        Assert.Empty((await OkAsync(server, "GET", "queues"))["queues"]!.AsArray());
    }

    [Theory]
    [InlineData("""{"name":"jobs"}""", HttpStatusCode.Conflict, "there already")]
    [InlineData("""{"name":""}""", HttpStatusCode.BadRequest, "no name")]
    [InlineData("""{"name":"amq.x"}""", HttpStatusCode.BadRequest, "the broker's own")]
    [InlineData("""{"name":"a\u0001b"}""", HttpStatusCode.BadRequest, "not a name")]
    [InlineData("""{"name":"x","settings":{"dispatch":"round"}}""", HttpStatusCode.BadRequest, "shared, failover, exclusive, byKey or fair")]
    [InlineData("""{"name":"x","settings":{"maxPriority":256}}""", HttpStatusCode.BadRequest, "from 0 to 255")]
    [InlineData("""{"name":"x","settings":{"maxLength":-2}}""", HttpStatusCode.BadRequest, "at least -1")]
    [InlineData("""{"name":"x","settings":{"deadLetterKey":"k"}}""", HttpStatusCode.BadRequest, "needs deadLetterExchange")]
    [InlineData("""{"name":"x","settings":{"deadLetterQueue":"a","deadLetterExchange":"b"}}""", HttpStatusCode.BadRequest, "not both")]
    [InlineData("""{"name":"x","settings":{"colour":"red"}}""", HttpStatusCode.BadRequest, "$.settings.colour")]
    public async Task What_cannot_be_a_queue_is_refused_with_the_reason(string body, HttpStatusCode expected, string reason)
    {
        await using var server = await StartAsync();
        var (status, problem) = await server.SendAsync("POST", "queues", body);
        Assert.Equal(expected, status);
        Assert.Contains(reason, (string?)problem!["detail"]);
        Assert.Single(server.Broker.Queues.List());
    }

    [Fact]
    public async Task A_namespace_has_to_be_there_and_lists_can_keep_to_one()
    {
        await using var server = await StartAsync();
        Assert.Equal(HttpStatusCode.NotFound, (await server.SendAsync("POST", "queues?namespace=acme/sales", """{"name":"q"}""")).Status);
        await OkAsync(server, "POST", "namespaces", """{"name":"acme/sales","description":"of sales"}""");
        Assert.Equal(HttpStatusCode.Conflict, (await server.SendAsync("POST", "namespaces", """{"name":"acme/sales"}""")).Status);
        await OkAsync(server, "POST", "queues?namespace=acme/sales", """{"name":"a/b ?é"}""");
        Assert.NotNull(server.Broker.Queues.Find(new QueueName(new NamespaceName("acme", "sales"), "a/b ?é")));
        Assert.Equal("a/b ?é", (string?)Assert.Single((await OkAsync(server, "GET", "queues?namespace=acme/sales"))["queues"]!.AsArray())!["name"]);
        Assert.Equal("public/default acme/sales", string.Join(' ', (await OkAsync(server, "GET", "namespaces"))["namespaces"]!.AsArray().Select(n => (string?)n!["name"])));
        Assert.Equal(HttpStatusCode.Conflict, (await server.SendAsync("DELETE", "namespaces/acme%2Fsales")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await server.SendAsync("DELETE", $"queues/{Uri.EscapeDataString("a/b ?é")}?namespace=acme/sales")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await server.SendAsync("DELETE", "namespaces/acme%2Fsales")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await server.SendAsync("GET", "namespaces/acme%2Fsales")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await server.SendAsync("DELETE", "namespaces/public%2Fdefault")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await server.SendAsync("POST", "namespaces", """{"name":"sales"}""")).Status);
    }

    [Fact]
    public async Task A_look_shows_messages_as_they_are_and_takes_none()
    {
        await using var server = await StartAsync();
        var published = await OkAsync(server, "POST", "queues/jobs/messages", """{"messages":[{"key":"k","value":"é","headers":[{"name":"a","value":"1"},{"name":"b","valueBase64":"/w=="}],"priority":3},{"valueBase64":"/w==","keyBase64":"/g=="},{}]}""");
        Assert.Equal("""{"published":3,"duplicates":0}""", published.ToJsonString());
        for (var i = 0; i < 2; i++)
        {
            var seen = (await OkAsync(server, "GET", "queues/jobs/messages"))["messages"]!.AsArray();
            foreach (var message in seen) message!.AsObject().Remove("timestamp");
            Assert.Equal(
                """[{"offset":0,"deliveries":0,"key":"k","value":"é","headers":[{"name":"priority","value":"3"},{"name":"a","value":"1"},{"name":"b","valueBase64":"/w=="}]},{"offset":1,"deliveries":0,"keyBase64":"/g==","valueBase64":"/w=="},{"offset":2,"deliveries":0,"value":""}]""",
                seen.ToJsonString(new System.Text.Json.JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
        }
        var page = await OkAsync(server, "GET", "queues/jobs/messages?limit=2");
        Assert.Equal((2, 2), (page["messages"]!.AsArray().Count, (int)page["next"]!));
        page = await OkAsync(server, "GET", "queues/jobs/messages?from=2");
        Assert.Equal(2, (int)Assert.Single(page["messages"]!.AsArray())!["offset"]!);
        Assert.Null(page["next"]);
    }

    [Fact]
    public async Task Messages_are_received_under_a_lease_and_settled()
    {
        await using var server = await StartAsync();
        await OkAsync(server, "POST", "queues", """{"name":"dead"}""");
        await server.SendAsync("DELETE", "queues/jobs");
        await OkAsync(server, "POST", "queues", """{"name":"jobs","settings":{"deadLetterQueue":"dead"}}""");
        Assert.Empty((await OkAsync(server, "POST", "queues/jobs/receive"))["messages"]!.AsArray());
        await PublishAsync(server, "a", "b", "c", "d");
        var received = await OkAsync(server, "POST", "queues/jobs/receive", """{"max":3,"leaseSeconds":600}""");
        Assert.Equal("a b c", Values(received));
        Assert.Equal((1, 3), await OkAsync(server, "GET", "queues/jobs") is var counts ? ((int)counts["ready"]!, (int)counts["leased"]!) : default);
        var leases = received["messages"]!.AsArray().Select(m => m!["lease"]!.ToJsonString()).ToList();
        foreach (var (lease, action) in leases.Zip(["acknowledge", "return", "reject"]))
            Assert.Equal(1, (int)(await OkAsync(server, "POST", "queues/jobs/settle", $$"""{"leases":[{{lease}}],"action":"{{action}}"}"""))["settled"]!);
        Assert.Equal(0, (int)(await OkAsync(server, "POST", "queues/jobs/settle", $$"""{"leases":[{{leases[0]}}],"action":"acknowledge"}"""))["settled"]!);
        var again = await OkAsync(server, "POST", "queues/jobs/receive", """{"max":10}""");
        Assert.Equal("b d", Values(again));
        Assert.Equal("2 1", string.Join(' ', again["messages"]!.AsArray().Select(m => (int)m!["deliveries"]!)));
        var dead = Assert.Single((await OkAsync(server, "GET", "queues/dead/messages"))["messages"]!.AsArray())!;
        Assert.Equal(("c", "jobs", "rejected"), ((string?)dead["value"], (string?)dead["deaths"]![0]!["queue"], (string?)dead["deaths"]![0]!["reason"]));
        // Somebody who waits gets what comes.
        var waiting = OkAsync(server, "POST", "queues/jobs/receive", """{"waitSeconds":30}""");
        await PublishAsync(server, "e");
        Assert.Equal("e", Values(await waiting));
    }

    [Theory]
    [InlineData("messages", """{"messages":[{"offset":1}]}""", "no offset")]
    [InlineData("messages", """{"messages":[{"value":"a","valueBase64":"YQ=="}]}""", "both as text and as bytes")]
    [InlineData("messages", """{"messages":[{"priority":256}]}""", "from 0 to 255")]
    [InlineData("messages", """{"messages":[{"delayMs":-1}]}""", "at least 0")]
    [InlineData("receive", """{"max":0}""", "from 1 to 1000")]
    [InlineData("receive", """{"waitSeconds":61}""", "from 0 to 60")]
    [InlineData("receive", """{"leaseSeconds":-1}""", "leaseSeconds")]
    [InlineData("settle", """{"leases":["x"],"action":"acknowledge"}""", "'x' is not the lease")]
    [InlineData("settle", """{"leases":[],"action":"eat"}""", "acknowledge, return, release or reject")]
    [InlineData("replay", """{"to":"soon"}""", "to is 'soon'")]
    [InlineData("replay", """{"to":""}""", "to is empty")]
    public async Task What_makes_no_sense_is_refused_with_the_reason(string part, string body, string reason)
    {
        await using var server = await StartAsync();
        var (status, problem) = await server.SendAsync("POST", $"queues/jobs/{part}", body);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains(reason, (string?)problem!["detail"]);
        Assert.Equal(HttpStatusCode.NotFound, (await server.SendAsync("POST", $"queues/none/{part}", """{"to":"latest","leases":[],"action":"acknowledge","messages":[]}""".Replace("\"to\":\"latest\",", part == "replay" ? "\"to\":\"latest\"," : "", StringComparison.Ordinal))).Status);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await server.SendAsync("PUT", $"queues/jobs/{part}", body)).Status);
    }

    [Fact]
    public async Task A_full_queue_refuses_and_says_how_many_it_took()
    {
        await using var server = await StartAsync("""{"maxLength":2,"overflow":"reject"}""");
        var (status, problem) = await server.SendAsync("POST", "queues/jobs/messages", """{"messages":[{"value":"a"},{"value":"b"},{"value":"c"}]}""");
        Assert.Equal((HttpStatusCode.Conflict, 2), (status, (int)problem!["published"]!));
        Assert.Contains("greatest length", (string?)problem["detail"]);
    }

    [Fact]
    public async Task A_purge_drops_what_waits()
    {
        await using var server = await StartAsync();
        await PublishAsync(server, "a", "b", "c");
        await OkAsync(server, "POST", "queues/jobs/receive");
        Assert.Equal(2, (int)(await OkAsync(server, "POST", "queues/jobs/purge"))["purged"]!);
        Assert.Equal(HttpStatusCode.Conflict, (await PublishThenDeleteAsync(server)).Status);
        Assert.Equal(2, (int)(await OkAsync(server, "POST", "queues/jobs/purge", """{"everything":true}"""))["purged"]!);
        Assert.Equal(HttpStatusCode.NoContent, (await server.SendAsync("DELETE", "queues/jobs?ifEmpty=true&ifUnused=true")).Status);
    }

    private static async Task<(HttpStatusCode Status, JsonNode? Body)> PublishThenDeleteAsync(AdminServer server)
    {
        await PublishAsync(server, "d");
        return await server.SendAsync("DELETE", "queues/jobs?ifEmpty=true");
    }

    [Fact]
    public async Task A_replay_brings_back_what_is_kept_and_says_what_is_not()
    {
        await using var server = await StartAsync("""{"replayWindowMs":3600000}""");
        await PublishAsync(server, "a", "b", "c");
        var received = await OkAsync(server, "POST", "queues/jobs/receive", """{"max":3}""");
        await OkAsync(server, "POST", "queues/jobs/settle", $$"""{"leases":[{{Leases(received)}}],"action":"acknowledge"}""");
        Assert.Equal("""{"replayed":2,"ready":2}""", (await OkAsync(server, "POST", "queues/jobs/replay", """{"to":"1"}""")).ToJsonString());
        Assert.Equal("b c", Values(await OkAsync(server, "GET", "queues/jobs/messages")));
        Assert.Equal("""{"replayed":1,"ready":3}""", (await OkAsync(server, "POST", "queues/jobs/replay", """{"to":"earliest"}""")).ToJsonString());
        Assert.Equal("""{"replayed":0,"ready":0}""", (await OkAsync(server, "POST", "queues/jobs/replay", """{"to":"latest"}""")).ToJsonString());
        Assert.Equal(3, (int)(await OkAsync(server, "POST", "queues/jobs/replay", """{"to":"30m"}"""))["ready"]!);
        var (status, problem) = await server.SendAsync("POST", "queues/jobs/replay", """{"to":"99"}""");
        Assert.Equal(HttpStatusCode.Conflict, status);
        Assert.Contains("'99' lies outside of what queue 'jobs' keeps: offsets 0 to 2", (string?)problem!["detail"]);
        // Without a window what is settled is gone.
        await OkAsync(server, "POST", "queues", """{"name":"plain"}""");
        await OkAsync(server, "POST", "queues/plain/messages", """{"messages":[{"value":"a"}]}""");
        await OkAsync(server, "POST", "queues/plain/purge");
        foreach (var to in new[] { "0", "2001-01-01T00:00:00Z", "1h" })
        {
            (status, problem) = await server.SendAsync("POST", "queues/plain/replay", $$"""{"to":"{{to}}"}""");
            Assert.Equal(HttpStatusCode.Conflict, status);
            Assert.Contains("no replay window", (string?)problem!["detail"]);
        }
    }

    [Fact]
    public async Task A_move_is_started_watched_and_cancelled()
    {
        await using var server = await StartAsync();
        await OkAsync(server, "POST", "queues", """{"name":"other"}""");
        await PublishAsync(server, "a", "b", "c");
        var slow = await OkAsync(server, "POST", "moves", """{"source":"jobs","target":"other","messagesPerSecond":0.01}""");
        Assert.Equal(("running", 3), ((string?)slow["state"], (int)slow["planned"]!));
        var (status, problem) = await server.SendAsync("POST", "moves", """{"source":"jobs"}""");
        Assert.Equal(HttpStatusCode.Conflict, status);
        Assert.Contains((string)slow["id"]!, (string?)problem!["detail"]);
        var id = (string)slow["id"]!;
        Assert.Equal(HttpStatusCode.Accepted, (await server.SendAsync("DELETE", $"moves/{id}")).Status);
        Assert.Equal("cancelled", (string?)(await EndAsync(server, id))["state"]);
        Assert.Equal(HttpStatusCode.Conflict, (await server.SendAsync("DELETE", $"moves/{id}")).Status);
        var move = await EndAsync(server, (string)(await OkAsync(server, "POST", "moves", """{"source":"jobs","target":"other","maxMessages":1}"""))["id"]!);
        Assert.Equal(("completed", 1, 1), ((string?)move["state"], (int)move["planned"]!, (int)move["moved"]!));
        Assert.Equal(2, (await OkAsync(server, "GET", "moves?source=jobs"))["moves"]!.AsArray().Count);
        Assert.Empty((await OkAsync(server, "GET", "moves?source=other"))["moves"]!.AsArray());
        foreach (var (body, expected) in new[] { ("""{"source":"none"}""", HttpStatusCode.NotFound), ("""{"source":"jobs","target":"none"}""", HttpStatusCode.NotFound), ("""{"source":"jobs","target":"jobs"}""", HttpStatusCode.BadRequest), ("""{"source":"jobs","messagesPerSecond":0}""", HttpStatusCode.BadRequest), ("""{"source":"jobs","maxMessages":0}""", HttpStatusCode.BadRequest) })
            Assert.Equal(expected, (await server.SendAsync("POST", "moves", body)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await server.SendAsync("GET", "moves/none")).Status);
    }

    private static async Task<JsonNode> EndAsync(AdminServer server, string id)
    {
        for (var watch = Stopwatch.StartNew(); ; await Task.Delay(5))
        {
            var move = await OkAsync(server, "GET", $"moves/{id}");
            if (move["endedAt"] is not null) return move;
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(30), move.ToJsonString());
        }
    }

    [Fact]
    public async Task Ten_thousand_queues_are_listed_in_pages()
    {
        await using var server = await AdminServer.StartAsync();
        await Parallel.ForEachAsync(Enumerable.Range(0, 10_000), async (i, cancellation) =>
            await server.Broker.Queues.DeclareAsync(QueueName.InDefault($"q{i:00000}"), QueueSettings.Default with { IsDurable = false }, cancellation));
        var names = new List<string>();
        var pages = 0;
        for (string? after = ""; after is not null; pages++)
        {
            var page = await OkAsync(server, "GET", $"queues?limit=4000&after={after}");
            names.AddRange(page["queues"]!.AsArray().Select(q => (string)q!["name"]!));
            after = (string?)page["next"];
        }
        Assert.Equal(3, pages);
        Assert.Equal(Enumerable.Range(0, 10_000).Select(i => $"q{i:00000}"), names);
        Assert.Equal(1000, (await OkAsync(server, "GET", "queues"))["queues"]!.AsArray().Count);
    }
}

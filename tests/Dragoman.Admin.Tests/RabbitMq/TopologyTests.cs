using System.Net;
using System.Text.Json.Nodes;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Queues;

namespace Dragoman.Admin.Tests.RabbitMq;

/// <summary>Queues, exchanges, bindings and messages through RabbitMQ's API. The answers are those that RabbitMQ 3.10 gives.</summary>
public sealed class TopologyTests
{
    [Fact]
    [Trait("Row", "R30")]
    public async Task Queues_are_declared_described_and_deleted()
    {
        await using var server = await AdminServer.StartAsync();
        var declaration = """{"durable":true,"arguments":{"x-max-length":5}}""";
        Assert.Equal(HttpStatusCode.Created, (await server.ManageAsync("PUT", "queues/%2F/q1", declaration)).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await server.ManageAsync("PUT", "queues/%2F/q1", declaration)).Status);
        var other = await server.ManageAsync("PUT", "queues/%2F/q1", """{"durable":false}""");
        Assert.Equal(HttpStatusCode.BadRequest, other.Status);
        Assert.Equal("inequivalent arg 'durable' for queue 'q1' in vhost '/': received 'false' but current is 'true'", (string?)other.Body!["reason"]);
        Assert.Equal("""{"error":"bad_request","reason":"not_json"}""", (await server.ManageAsync("PUT", "queues/%2F/q2", "{bad")).Text);
        Assert.Equal("""{"error":"bad_request","reason":"not_json"}""", (await server.ManageAsync("PUT", "queues/%2F/q2", "[]")).Text);
        Assert.Equal("""{"error":"bad_request","reason":["not_boolean","maybe"]}""", (await server.ManageAsync("PUT", "queues/%2F/q2", """{"durable":"maybe"}""")).Text);
        Assert.Equal("""{"error":"not_found","reason":"vhost_not_found"}""", (await server.ManageAsync("PUT", "queues/nov/q2", "{}")).Text);
        Assert.Equal("""{"error":"not_authorised","reason":"Access refused."}""", (await server.ManageAsync("PUT", "queues/%2F/amq.q", "{}")).Text);

        var queue = (await server.ManageAsync("GET", "queues/%2F/q1")).Body!.AsObject();
        Assert.Equal("""{"x-max-length":5}""", queue["arguments"]!.ToJsonString());
        foreach (var (name, value) in new (string, string)[] { ("name", "\"q1\""), ("vhost", "\"/\""), ("durable", "true"), ("auto_delete", "false"), ("exclusive", "false"), ("type", "\"classic\""), ("state", "\"running\""), ("messages", "0"), ("messages_ready", "0"), ("messages_unacknowledged", "0"), ("consumers", "0") })
            Assert.Equal(value, queue[name]?.ToJsonString());
        foreach (var name in new[] { "policy", "operator_policy", "head_message_timestamp", "exclusive_consumer_tag", "single_active_consumer_tag" }) Assert.True(queue.ContainsKey(name) && queue[name] is null, name);

        await server.ManageAsync("POST", "exchanges/%2F/amq.default/publish", """{"properties":{},"routing_key":"q1","payload":"x","payload_encoding":"string"}""");
        await server.ManageAsync("POST", "exchanges/%2F/amq.default/publish", $$"""{"properties":{},"routing_key":"q1","payload":"{{new string('x', 1999)}}","payload_encoding":"string"}""");
        queue = (await server.ManageAsync("GET", "queues/%2F/q1")).Body!.AsObject();
        Assert.InRange((long)queue["message_bytes"]!, 2000, 2500);
        Assert.Equal((long)queue["message_bytes"]!, (long)queue["message_bytes_ready"]!);
        Assert.Equal(0, (long)queue["message_bytes_unacknowledged"]!);
        Assert.Equal(HttpStatusCode.BadRequest, (await server.ManageAsync("DELETE", "queues/%2F/q1?if-empty=true")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await server.ManageAsync("DELETE", "queues/%2F/q1/contents")).Status);
        Assert.Equal(0, (long)(await server.ManageAsync("GET", "queues/%2F/q1")).Body!["message_bytes"]!);
        Assert.Equal(HttpStatusCode.NoContent, (await server.ManageAsync("DELETE", "queues/%2F/q1?if-empty=true")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await server.ManageAsync("DELETE", "queues/%2F/q1")).Status);
        Assert.Equal("""{"error":"Object Not Found","reason":"Not Found"}""", (await server.ManageAsync("GET", "queues/%2F/q1")).Text);
    }

    [Fact]
    [Trait("Row", "R30")]
    public async Task Lists_are_sorted_filtered_paged_and_cut_to_columns()
    {
        await using var server = await AdminServer.StartAsync();
        foreach (var name in new[] { "b", "a", "Ab", "c" }) await server.Broker.Queues.DeclareAsync(new QueueName(NamespaceName.Default, name), QueueSettings.Default with { MaxPriority = name == "b" ? 9 : 0 });
        async Task<string> ListAsync(string query) => (await server.ManageAsync("GET", "queues?columns=name&" + query)).Text;
        Assert.Equal("""[{"name":"Ab"},{"name":"a"},{"name":"b"},{"name":"c"}]""", await ListAsync(""));
        Assert.Equal("""[{"name":"c"},{"name":"b"},{"name":"a"},{"name":"Ab"}]""", await ListAsync("sort=name&sort_reverse=true"));
        Assert.Equal("""{"filtered_count":4,"item_count":2,"items":[{"name":"b"},{"name":"c"}],"page":2,"page_count":2,"page_size":2,"total_count":4}""", await ListAsync("page=2&page_size=2"));
        Assert.Equal("""{"filtered_count":2,"item_count":2,"items":[{"name":"Ab"},{"name":"a"}],"page":1,"page_count":1,"page_size":100,"total_count":4}""", await ListAsync("page=1&name=A"));
        Assert.Equal("""{"filtered_count":2,"item_count":2,"items":[{"name":"b"},{"name":"c"}],"page":1,"page_count":1,"page_size":100,"total_count":4}""", await ListAsync("page=1&name=^[bc]$&use_regex=true"));
        Assert.Equal("""{"error":"page_out_of_range","reason":"Page out of range, page: 4 page size: 2, len: 4"}""", await ListAsync("page=4&page_size=2"));
        Assert.Equal("""{"error":"invalid_pagination_parameters","reason":"Invalid pagination parameters: page number 1, page size 501"}""", await ListAsync("page=1&page_size=501"));
        Assert.Equal("""{"error":"bad_request","reason":"Pagination parameters are invalid"}""", await ListAsync("page=1&name=(&use_regex=true"));
        await server.ManageAsync("POST", "exchanges/%2F/amq.default/publish", """{"properties":{},"routing_key":"a","payload":"x","payload_encoding":"string"}""");
        Assert.Equal("""[{"name":"a"},{"name":"c"},{"name":"b"},{"name":"Ab"}]""", await ListAsync("sort=messages&sort_reverse=true"));
        Assert.Equal("""[{"messages":1,"name":"a"}]""", SortNames((await server.ManageAsync("GET", "queues/%2F?page=1&name=^a$&use_regex=true&columns=name,messages")).Body!["items"]![0]!));
    }

    [Fact]
    [Trait("Row", "R30")]
    public async Task Exchanges_and_bindings_have_the_names_that_RabbitMQ_gives_them()
    {
        await using var server = await AdminServer.StartAsync();
        var names = (await server.ManageAsync("GET", "exchanges/%2F?columns=name")).Body!.AsArray().Select(e => (string?)e!["name"]);
        Assert.Equal(["", "amq.direct", "amq.fanout", "amq.headers", "amq.match", "amq.rabbitmq.trace", "amq.topic"], names);
        Assert.Equal(HttpStatusCode.Created, (await server.ManageAsync("PUT", "exchanges/%2F/e1", """{"type":"topic","durable":true,"arguments":{"alternate-exchange":"amq.fanout"}}""")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await server.ManageAsync("PUT", "exchanges/%2F/e1", """{"type":"direct","durable":true}""")).Status);
        Assert.Equal("""{"error":"bad_request","reason":"unknown exchange type 'nope'"}""", (await server.ManageAsync("PUT", "exchanges/%2F/e2", """{"type":"nope"}""")).Text);
        await server.ManageAsync("PUT", "queues/%2F/q1", "{}");

        async Task<string?> BindAsync(string path, string body)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server.Root, "api/bindings/%2F/e/" + path)) { Content = new StringContent(body) };
            using var response = await server.Client.SendAsync(request);
            return response.StatusCode == HttpStatusCode.Created ? response.Headers.Location!.OriginalString : response.StatusCode.ToString();
        }
        Assert.Equal("q1/a.%257Eb%2Bc", await BindAsync("e1/q/q1", """{"routing_key":"a.~b c"}"""));
        Assert.Equal("q1/~", await BindAsync("e1/q/q1", """{"routing_key":"","arguments":{}}"""));
        Assert.Equal("amq.fanout/~", await BindAsync("e1/e/amq.fanout", "{}"));
        Assert.Equal("NotFound", await BindAsync("nope/q/q1", "{}"));
        Assert.Equal("Unauthorized", await BindAsync("amq.default/q/q1", "{}"));
        var withArguments = await BindAsync("e1/q/q1", """{"routing_key":"k","arguments":{"x":1}}""");
        Assert.StartsWith("q1/k~", withArguments, StringComparison.Ordinal);

        Assert.Equal(
            """{"source":"e1","vhost":"/","destination":"q1","destination_type":"queue","routing_key":"a.~b c","arguments":{},"properties_key":"a.%7Eb+c"}""",
            (await server.ManageAsync("GET", "bindings/%2F/e/e1/q/q1/a.%257Eb%2Bc")).Text);
        Assert.Equal("""{"x":1}""", (await server.ManageAsync("GET", "bindings/%2F/e/e1/q/" + withArguments)).Body!["arguments"]!.ToJsonString());
        Assert.Equal(3, (await server.ManageAsync("GET", "bindings/%2F/e/e1/q/q1")).Body!.AsArray().Count);
        Assert.Equal(4, (await server.ManageAsync("GET", "queues/%2F/q1/bindings")).Body!.AsArray().Count);
        Assert.Equal(4, (await server.ManageAsync("GET", "exchanges/%2F/e1/bindings/source")).Body!.AsArray().Count);
        Assert.Single((await server.ManageAsync("GET", "exchanges/%2F/amq.fanout/bindings/destination")).Body!.AsArray());
        Assert.Equal(5, (await server.ManageAsync("GET", "bindings")).Body!.AsArray().Count);
        Assert.Equal(HttpStatusCode.NoContent, (await server.ManageAsync("DELETE", "bindings/%2F/e/e1/q/q1/~")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await server.ManageAsync("DELETE", "bindings/%2F/e/e1/q/q1/~")).Status);
        Assert.Equal("""{"error":"bad_request","reason":"exchange 'e1' in vhost '/' in use"}""", (await server.ManageAsync("DELETE", "exchanges/%2F/e1?if-unused=true")).Text);
        Assert.Equal(HttpStatusCode.NoContent, (await server.ManageAsync("DELETE", "exchanges/%2F/e1")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.ManageAsync("DELETE", "exchanges/%2F/amq.direct")).Status);
    }

    [Fact]
    [Trait("Row", "R30")]
    public async Task Messages_are_published_and_got_with_all_their_properties()
    {
        await using var server = await AdminServer.StartAsync();
        await server.ManageAsync("PUT", "queues/%2F/q1", """{"durable":true}""");
        const string Properties = """{"cluster_id":"cl","app_id":"a","user_id":"guest","type":"t","timestamp":123,"message_id":"m","expiration":"100000","reply_to":"r","correlation_id":"c","priority":3,"delivery_mode":2,"headers":{"f":1.5,"h":1,"t":{"u":[1,"x",true]}},"content_encoding":"e","content_type":"text/plain"}""";
        async Task<string> PublishAsync(string exchange, string key, string payload, string encoding, string properties = "{}") => (await server.ManageAsync(
            "POST", $"exchanges/%2F/{exchange}/publish", $$"""{"properties":{{properties}},"routing_key":"{{key}}","payload":"{{payload}}","payload_encoding":"{{encoding}}"}""")).Text;
        Assert.Equal("""{"routed":true}""", await PublishAsync("amq.default", "q1", "plain", "string"));
        Assert.Equal("""{"routed":true}""", await PublishAsync("amq.default", "q1", "/wA=", "base64", Properties));
        Assert.Equal("""{"routed":false}""", await PublishAsync("amq.direct", "nowhere", "x", "string"));
        Assert.Equal("""{"error":"bad_request","reason":"404 NOT_FOUND - no exchange 'nope' in vhost '/'"}""", await PublishAsync("nope", "q1", "x", "string"));
        Assert.Equal("""{"error":"bad_request","reason":["unsupported_encoding","rot13"]}""", await PublishAsync("amq.default", "q1", "x", "rot13"));
        Assert.Equal("""{"error":"bad_request","reason":["not_base64","%%%"]}""", await PublishAsync("amq.default", "q1", "%%%", "base64"));

        var got = (await server.ManageAsync("POST", "queues/%2F/q1/get", """{"count":5,"ackmode":"ack_requeue_true","encoding":"auto"}""")).Body!.AsArray();
        Assert.Equal(2, got.Count);
        Assert.Equal("""{"payload_bytes":5,"redelivered":false,"exchange":"","routing_key":"q1","message_count":1,"properties":[],"payload":"plain","payload_encoding":"string"}""", got[0]!.ToJsonString());
        Assert.Equal(Properties, got[1]!["properties"]!.ToJsonString());
        Assert.Equal(("/wA=", "base64"), ((string?)got[1]!["payload"], (string?)got[1]!["payload_encoding"]));
        var again = (await server.ManageAsync("POST", "queues/%2F/q1/get", """{"count":"1","requeue":"false","encoding":"base64","truncate":3}""")).Body!.AsArray();
        Assert.Equal("""{"payload_bytes":5,"redelivered":true,"exchange":"","routing_key":"q1","message_count":1,"properties":[],"payload":"cGxh","payload_encoding":"base64"}""", Assert.Single(again)!.ToJsonString());
        Assert.Equal(1, (int)(await server.ManageAsync("GET", "queues/%2F/q1")).Body!["messages"]!);
        Assert.Equal("""{"error":"not_found","reason":"NOT_FOUND - no queue 'nope' in vhost '/'"}""", (await server.ManageAsync("POST", "queues/%2F/nope/get", """{"count":5,"ackmode":"ack_requeue_true","encoding":"auto"}""")).Text);
    }

    [Fact]
    public async Task As_many_messages_are_got_as_are_asked_for_and_there()
    {
        await using var server = await AdminServer.StartAsync();
        await server.ManageAsync("PUT", "queues/%2F/q", """{"durable":true}""");
        for (var i = 0; i < 140; i++) await server.ManageAsync("POST", "exchanges/%2F/amq.default/publish", $$"""{"properties":{},"routing_key":"q","payload":"{{i}}","payload_encoding":"string"}""");
        Assert.Equal(Enumerable.Range(0, 130).Select(static i => $"{i}"), await GetAsync(130));
        Assert.Equal(Enumerable.Range(130, 10).Select(static i => $"{i}"), await GetAsync(130));

        async Task<IEnumerable<string?>> GetAsync(int count) =>
            (await server.ManageAsync("POST", "queues/%2F/q/get", $$"""{"count":{{count}},"ackmode":"ack_requeue_false","encoding":"auto"}""")).Body!.AsArray().Select(static m => (string?)m!["payload"]);
    }

    private static string SortNames(JsonNode item) => new JsonArray(new JsonObject(item.AsObject().OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone())))).ToJsonString();
}

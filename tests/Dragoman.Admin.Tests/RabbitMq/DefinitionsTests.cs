using System.Net;
using System.Text.Json.Nodes;

namespace Dragoman.Admin.Tests.RabbitMq;

/// <summary>Definitions: what one broker exports is what another one is after it imported that.</summary>
public sealed class DefinitionsTests
{
    private const string Document = """
        {
          "rabbit_version": "3.13.7",
          "users": [
            {"name":"app","password_hash":"xiv5UD3lfHkPWd7sjaHe4ecQOV3Ls31j75Eiqp3XRkwtROXH","hashing_algorithm":"rabbit_password_hashing_sha256","tags":["management"],"limits":{"max-connections":7}},
            {"name":"none","password_hash":"","hashing_algorithm":"rabbit_password_hashing_sha256","tags":[],"limits":{}},
            {"name":"root","password_hash":"KaXrGFd5jnK6NhINNL81Ohgb0he4h/+yjfZmC6XRUJHdFsGU","hashing_algorithm":"rabbit_password_hashing_sha256","tags":["administrator"],"limits":{}}
          ],
          "vhosts": [{"name":"/"},{"name":"v/1","description":"d","tags":["x"],"metadata":{"description":"d","tags":["x"]}}],
          "permissions": [{"user":"app","vhost":"v/1","configure":"^app","write":".*","read":""}],
          "topic_permissions": [{"user":"app","vhost":"v/1","exchange":"events","write":"^a","read":".*"}],
          "parameters": [
            {"value":{"max-queues":100},"vhost":"v/1","component":"vhost-limits","name":"limits"},
            {"value":{"pattern":"^app","apply-to":"queues","definition":{"max-length":1000},"priority":1},"vhost":"v/1","component":"operator_policy","name":"cap"}
          ],
          "global_parameters": [{"name":"cluster_name","value":"west"},{"name":"internal_cluster_id","value":"rabbitmq-cluster-id-x"}],
          "policies": [{"vhost":"v/1","name":"ttl","pattern":"^app","apply-to":"queues","definition":{"message-ttl":60000},"priority":0}],
          "queues": [
            {"name":"app.q","vhost":"v/1","durable":true,"auto_delete":false,"arguments":{"x-max-length":5,"x-queue-type":"classic"}},
            {"name":"app.quorum","vhost":"v/1","durable":true,"auto_delete":false,"arguments":{"x-queue-type":"quorum"}}
          ],
          "exchanges": [{"name":"events","vhost":"v/1","type":"topic","durable":true,"auto_delete":false,"internal":false,"arguments":{"alternate-exchange":"amq.fanout"}}],
          "bindings": [
            {"source":"events","vhost":"v/1","destination":"amq.fanout","destination_type":"exchange","routing_key":"#","arguments":{}},
            {"source":"events","vhost":"v/1","destination":"app.q","destination_type":"queue","routing_key":"a.*","arguments":{"x":1}}
          ]
        }
        """;

    [Fact]
    [Trait("Row", "R34")]
    public async Task What_was_imported_is_exported_again()
    {
        await using var server = await AdminServer.StartAsync();
        Assert.Equal("", (await server.ManageAsync("POST", "definitions", Document)).Text);
        // The passwords came as hashes, and open the door.
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.ManageAsync("GET", "definitions")).Status);
        Assert.Equal(HttpStatusCode.OK, (await server.ManageAsync("GET", "whoami", user: "app:m")).Status);
        var root = "root:guest";
        var exported = (await server.ManageAsync("GET", "definitions", user: root)).Body!.AsObject();
        var expected = JsonNode.Parse(Document)!.AsObject();
        foreach (var name in new[] { "users", "permissions", "topic_permissions", "parameters", "global_parameters", "policies", "queues", "exchanges", "bindings" })
            Assert.Equal(Sorted(expected[name]!), Sorted(exported[name]!));
        Assert.Equal("""{"description":"d","tags":["x"]}""", exported["vhosts"]![1]!["metadata"]!.ToJsonString());
        // Once more changes nothing, and of one virtual host it is the same without its name.
        Assert.Equal(HttpStatusCode.NoContent, (await server.ManageAsync("POST", "definitions", exported.ToJsonString(), root)).Status);
        Assert.Equal(exported.ToJsonString(), (await server.ManageAsync("GET", "definitions", user: root)).Body!.ToJsonString());
        var one = (await server.ManageAsync("GET", "definitions/v%2F1", user: root)).Body!.AsObject();
        Assert.False(one.ContainsKey("users"));
        Assert.Equal("""{"name":"app.q","durable":true,"auto_delete":false,"arguments":{"x-max-length":5,"x-queue-type":"classic"}}""", one["queues"]![0]!.ToJsonString());
        await server.ManageAsync("PUT", "vhosts/v2", user: root);
        one.Remove("parameters");
        one.Remove("policies");
        Assert.Equal("", (await server.ManageAsync("POST", "definitions/v2", one.ToJsonString(), root)).Text);
        Assert.Equal(3, (await server.ManageAsync("GET", "bindings/v2/", user: root)).Body!.AsArray().Count(b => (string?)b!["source"] == "" || (string?)b["destination"] == "app.q"));
        Assert.Equal("west", (string?)(await server.ManageAsync("GET", "cluster-name", user: root)).Body!["name"]);
    }

    [Fact]
    [Trait("Row", "R34")]
    public async Task What_cannot_be_imported_is_named()
    {
        await using var server = await AdminServer.StartAsync();
        Assert.Equal("""{"error":"bad_request","reason":"not_json"}""", (await server.ManageAsync("POST", "definitions", "[]")).Text);
        Assert.Equal("queue 'x': [{key_missing,vhost}]", (string?)(await server.ManageAsync("POST", "definitions", """{"queues":[{"name":"x"}]}""")).Body!["reason"]);
        Assert.Equal("queue 'x': vhost 'nov' does not exist", (string?)(await server.ManageAsync("POST", "definitions", """{"queues":[{"name":"x","vhost":"nov"}]}""")).Body!["reason"]);
        Assert.Equal("binding 's': no exchange 's' in vhost '/'", (string?)(await server.ManageAsync("POST", "definitions", """{"bindings":[{"source":"s","vhost":"/","destination":"d","destination_type":"queue","routing_key":"","arguments":{}}]}""")).Body!["reason"]);
        Assert.Equal("""{"error":"bad_request","reason":"vhost_not_found"}""", (await server.ManageAsync("GET", "definitions/nov")).Text);
    }

    private static string Sorted(JsonNode list) => string.Join('\n', list.AsArray().Select(static i => Ordered(i!)!.ToJsonString()).Order(StringComparer.Ordinal));

    private static JsonNode? Ordered(JsonNode? node) => node is JsonObject o ? new JsonObject(o.OrderBy(static p => p.Key, StringComparer.Ordinal).Select(static p => KeyValuePair.Create(p.Key, Ordered(p.Value)))) : node?.DeepClone();
}

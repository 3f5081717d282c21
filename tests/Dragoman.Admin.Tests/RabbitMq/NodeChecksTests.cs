using System.Net;

namespace Dragoman.Admin.Tests.RabbitMq;

/// <summary>Limits, parameters, health checks and what the broker says it can do.</summary>
public sealed class NodeChecksTests
{
    [Fact]
    [Trait("Row", "R31")]
    public async Task Frameworks_find_the_features_that_they_ask_for()
    {
        await using var server = await AdminServer.StartAsync();
        var flags = (await server.ManageAsync("GET", "feature-flags")).Body!.AsArray().ToDictionary(f => (string)f!["name"]!, f => (string?)f!["state"]);
        foreach (var name in new[] { "stream_queue", "quorum_queue", "stream_filtering", "virtual_host_metadata", "user_limits" }) Assert.Equal("enabled", flags[name]);
        Assert.Equal(HttpStatusCode.NoContent, (await server.ManageAsync("PUT", "feature-flags/stream_queue/enable", "{}")).Status);
        Assert.Equal("[]", (await server.ManageAsync("GET", "deprecated-features/used")).Text);
        Assert.Equal("[]", (await server.ManageAsync("GET", "extensions")).Text);
    }

    [Fact]
    [Trait("Row", "R30")]
    public async Task Health_checks_say_what_is_so()
    {
        await using var server = await AdminServer.StartAsync();
        var port = server.Root.Port;
        foreach (var check in new[] { "health/checks/alarms", "health/checks/local-alarms", "health/checks/virtual-hosts", "health/checks/certificate-expiration/1/weeks", "healthchecks/node", "aliveness-test/%2F", "aliveness-test/%2F", "health/checks/is-in-service" })
            Assert.Equal("""{"status":"ok"}""", (await server.ManageAsync("GET", check)).Text);
        Assert.Equal("""{"status":"ok","reason":"single node cluster"}""", (await server.ManageAsync("GET", "health/checks/node-is-quorum-critical")).Text);
        Assert.Equal($$"""{"status":"ok","port":{{port}}}""", (await server.ManageAsync("GET", $"health/checks/port-listener/{port}")).Text);
        var closed = await server.ManageAsync("GET", "health/checks/port-listener/1");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, $$"""{"status":"failed","reason":"No active listener","missing":1,"ports":[{{port}}]}"""), (closed.Status, closed.Text));
        Assert.Equal("""{"error":"bad_request","reason":"Invalid port"}""", (await server.ManageAsync("GET", "health/checks/port-listener/x")).Text);
        Assert.Equal("""{"status":"ok","protocol":"http"}""", (await server.ManageAsync("GET", "health/checks/protocol-listener/http")).Text);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await server.ManageAsync("GET", "health/checks/protocol-listener/mqtt")).Status);
        server.Node.IsLowOnMemory = static () => true;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await server.ManageAsync("GET", "health/checks/alarms")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await server.ManageAsync("GET", "aliveness-test/nov")).Status);
    }

    [Fact]
    [Trait("Row", "R34")]
    public async Task Limits_and_parameters_are_set_and_acted_upon()
    {
        await using var server = await AdminServer.StartAsync();
        await server.ManageAsync("PUT", "vhosts/v1");
        Assert.Equal(HttpStatusCode.NoContent, (await server.ManageAsync("PUT", "vhost-limits/v1/max-queues", """{"value":1}""")).Status);
        Assert.Equal("""[{"vhost":"v1","value":{"max-queues":1}}]""", (await server.ManageAsync("GET", "vhost-limits")).Text);
        Assert.Equal(HttpStatusCode.Created, (await server.ManageAsync("PUT", "queues/v1/one", "{}")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await server.ManageAsync("PUT", "queues/v1/two", "{}")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await server.ManageAsync("DELETE", "vhost-limits/v1/max-queues")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await server.ManageAsync("DELETE", "vhost-limits/v1/max-queues")).Status);
        Assert.Equal(HttpStatusCode.Created, (await server.ManageAsync("PUT", "queues/v1/two", "{}")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await server.ManageAsync("PUT", "vhost-limits/v1/nope", """{"value":1}""")).Status);

        Assert.Equal("""{"error":"bad_request","reason":"Validation failed\n\ncomponent foo not found\n"}""", (await server.ManageAsync("PUT", "parameters/foo/%2F/n", """{"value":{}}""")).Text);
        Assert.Equal(HttpStatusCode.Created, (await server.ManageAsync("PUT", "global-parameters/gp", """{"value":{"a":1}}""")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await server.ManageAsync("PUT", "global-parameters/gp", """{"value":[1]}""")).Status);
        Assert.Equal("""{"value":[1],"name":"gp"}""", (await server.ManageAsync("GET", "global-parameters/gp")).Text);
        Assert.Equal(HttpStatusCode.NoContent, (await server.ManageAsync("DELETE", "global-parameters/gp")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await server.ManageAsync("DELETE", "global-parameters/gp")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await server.ManageAsync("PUT", "cluster-name", """{"name":"west"}""")).Status);
        Assert.Equal("""{"name":"west"}""", (await server.ManageAsync("GET", "cluster-name")).Text);
    }
}

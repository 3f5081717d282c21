using System.Net;

namespace Dragoman.Admin.Tests;

public sealed class NodeTests
{
    [Fact]
    public async Task Health_follows_the_node()
    {
        await using var server = await AdminServer.StartAsync();
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync("GET", "/health/live")).Status);
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync("GET", "/health/ready")).Status);
        server.Node.Stop();
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync("GET", "/health/live")).Status);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await server.SendAsync("GET", "/health/ready")).Status);
    }

    [Fact]
    public async Task The_overview_tells_what_the_broker_is_and_holds()
    {
        await using var server = await AdminServer.StartAsync();
        await server.SendAsync("POST", "topics", """{"name":"t","partitions":4}""");
        await server.SendAsync("POST", "topics/t/records", "x", "text/plain");
        var (_, overview) = await server.SendAsync("GET", "overview");
        Assert.Equal(server.Broker.Store.Id, (Guid)overview!["clusterId"]!);
        Assert.Equal(1, (int)overview["topics"]!);
        Assert.Equal(4, (int)overview["partitions"]!);
        Assert.True((long)overview["storedBytes"]! > 0);
        Assert.Equal(server.Broker.Options.Store.Directory, (string?)overview["dataDirectory"]);
        Assert.True((bool)overview["recovery"]!["isNew"]!);
        Assert.Equal("admin", (string?)overview["listeners"]![0]!["name"]);
        Assert.True((long)overview["residentMemoryBytes"]! > 1 << 20);
        Assert.NotEqual("unknown", (string?)overview["version"]);
    }

    [Fact]
    public async Task A_checkpoint_can_be_asked_for_and_leaves_the_records()
    {
        await using var server = await AdminServer.StartAsync();
        await server.SendAsync("POST", "topics/t/records", "x", "text/plain");
        Assert.Equal(HttpStatusCode.NoContent, (await server.SendAsync("POST", "storage/checkpoint")).Status);
        Assert.Equal("x\n", await server.Client.GetStringAsync("topics/t/records?format=value"));
    }

    [Theory]
    [InlineData("GET", "/", HttpStatusCode.NotFound)]
    [InlineData("GET", "/_dragoman/v2/overview", HttpStatusCode.NotFound)]
    [InlineData("POST", "overview", HttpStatusCode.MethodNotAllowed)]
    [InlineData("PUT", "topics", HttpStatusCode.MethodNotAllowed)]
    [InlineData("POST", "topics/t", HttpStatusCode.MethodNotAllowed)]
    [InlineData("DELETE", "topics/t/records", HttpStatusCode.MethodNotAllowed)]
    [InlineData("GET", "storage/checkpoint", HttpStatusCode.MethodNotAllowed)]
    [InlineData("GET", "topics?namespace=nonsense", HttpStatusCode.BadRequest)]
    public async Task What_is_not_there_is_a_problem(string method, string path, HttpStatusCode expected)
    {
        await using var server = await AdminServer.StartAsync();
        var (status, problem) = await server.SendAsync(method, path, method == "GET" ? null : "{}");
        Assert.Equal(expected, status);
        Assert.Equal((int)expected, (int)problem!["status"]!);
    }

    [Theory]
    [InlineData("Origin", "https://evil.example", HttpStatusCode.Forbidden)]
    [InlineData("Origin", "null", HttpStatusCode.Forbidden)]
    [InlineData("Host", "rebound.example:15672", HttpStatusCode.Forbidden)]
    [InlineData("Host", "localhost:15672", HttpStatusCode.OK)]
    public async Task Web_pages_of_others_cannot_use_the_api(string header, string value, HttpStatusCode expected)
    {
        await using var server = await AdminServer.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "topics");
        request.Headers.TryAddWithoutValidation(header, value);
        using var response = await server.Client.SendAsync(request);
        Assert.Equal(expected, response.StatusCode);
    }
}

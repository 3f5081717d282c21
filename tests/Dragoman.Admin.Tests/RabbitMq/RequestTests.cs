using System.Net;
using Dragoman.Broker.Security;

namespace Dragoman.Admin.Tests.RabbitMq;

/// <summary>What all requests to RabbitMQ's API have in common.</summary>
public sealed class RequestTests
{
    private static readonly byte[] Salt = new byte[36];

    [Fact]
    public async Task A_name_that_comes_twice_in_an_object_is_no_error_of_the_server()
    {
        await using var server = await AdminServer.StartAsync();
        Assert.Equal("""{"error":"bad_request","reason":"not_json"}""", (await server.ManageAsync("PUT", "queues/%2F/q", """{"durable":true,"arguments":{"x-a":1,"x-a":2}}""")).Text);
    }

    [Fact]
    [Trait("Row", "R30")]
    public async Task Errors_are_in_the_words_of_RabbitMQ()
    {
        await using var server = await AdminServer.StartAsync();
        var missing = await server.ManageAsync("GET", "nothing");
        Assert.Equal(HttpStatusCode.NotFound, missing.Status);
        Assert.Equal("""{"error":"Object Not Found","reason":"Not Found"}""", missing.Text);
        var method = await server.ManageAsync("PATCH", "whoami");
        Assert.Equal(HttpStatusCode.MethodNotAllowed, method.Status);
        Assert.Equal("GET, HEAD, OPTIONS", method.Allow);
        Assert.Equal("GET, HEAD, OPTIONS", (await server.ManageAsync("OPTIONS", "whoami")).Allow);
        var head = await server.ManageAsync("HEAD", "whoami");
        Assert.Equal(HttpStatusCode.OK, head.Status);
        Assert.True(head.Length > 0);
    }

    [Fact]
    [Trait("Row", "R34")]
    public async Task Everybody_administers_a_broker_without_users()
    {
        await using var server = await AdminServer.StartAsync();
        Assert.Equal("""{"name":"guest","tags":["administrator"]}""", (await server.ManageAsync("GET", "whoami")).Text);
        Assert.Equal("""{"name":"ann","tags":["administrator"]}""", (await server.ManageAsync("GET", "whoami", user: "ann:x")).Text);
    }

    [Fact]
    [Trait("Row", "R34")]
    public async Task Users_log_in_by_name_and_password_and_need_a_tag()
    {
        await using var server = await AdminServer.StartAsync();
        await server.Broker.Accounts.CreateUserAsync(new User("root", ["administrator"], []).WithPassword("r", Salt));
        await server.Broker.Accounts.CreateUserAsync(new User("app", [], []).WithPassword("a", Salt));
        await server.Broker.Accounts.CreateUserAsync(new User("eye", ["management", "shift-2"], []).WithPassword("e", Salt));
        var anonymous = await server.ManageAsync("GET", "whoami");
        Assert.Equal((HttpStatusCode.Unauthorized, ""), (anonymous.Status, anonymous.Text));
        var wrong = await server.ManageAsync("GET", "whoami", user: "root:x");
        Assert.Equal((HttpStatusCode.Unauthorized, """{"error":"not_authorized","reason":"Login failed"}"""), (wrong.Status, wrong.Text));
        var untagged = await server.ManageAsync("GET", "whoami", user: "app:a");
        Assert.Equal((HttpStatusCode.Unauthorized, """{"error":"not_authorised","reason":"Not management user"}"""), (untagged.Status, untagged.Text));
        Assert.Equal("""{"name":"eye","tags":["management","shift-2"]}""", (await server.ManageAsync("GET", "whoami", user: "eye:e")).Text);
    }
}

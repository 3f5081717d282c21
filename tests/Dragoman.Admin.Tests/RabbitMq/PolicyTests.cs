using System.Net;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Security;

namespace Dragoman.Admin.Tests.RabbitMq;

/// <summary>Policies through RabbitMQ's API.</summary>
[Trait("Row", "R24")]
public sealed class PolicyTests
{
    private static readonly byte[] Salt = new byte[36];

    [Theory]
    [InlineData("policies")]
    [InlineData("operator-policies")]
    public async Task Policies_are_set_shown_replaced_and_deleted_and_apply(string path)
    {
        await using var server = await AdminServer.StartAsync();
        var queue = (await server.Broker.Queues.DeclareAsync(QueueName.InDefault("q"), QueueSettings.Default)).Queue!;
        var made = await server.ManageAsync("PUT", $"{path}/%2F/a%2Fb", """{"pattern":"^q","definition":{"max-length":7},"priority":3,"apply-to":"queues"}""");
        Assert.Equal(HttpStatusCode.Created, made.Status);
        Assert.Equal(7, queue.Settings.MaxLength);
        const string Shown = """{"vhost":"/","name":"a/b","pattern":"^q","apply-to":"queues","definition":{"max-length":7},"priority":3}""";
        Assert.Equal(Shown, (await server.ManageAsync("GET", $"{path}/%2F/a%2Fb")).Text);
        Assert.Equal($"[{Shown}]", (await server.ManageAsync("GET", path)).Text);
        Assert.Equal($"[{Shown}]", (await server.ManageAsync("GET", $"{path}/%2F")).Text);
        Assert.Equal("[]", (await server.ManageAsync("GET", path == "policies" ? "operator-policies" : "policies")).Text);
        // Priority and target have defaults; what comes with an export counts for nothing.
        var replaced = await server.ManageAsync("PUT", $"{path}/%2F/a%2Fb", """{"vhost":"/","name":"a/b","pattern":"^q","definition":{"max-length":9}}""");
        Assert.Equal(HttpStatusCode.NoContent, replaced.Status);
        Assert.Equal(9, queue.Settings.MaxLength);
        Assert.Contains("\"apply-to\":\"all\"", (await server.ManageAsync("GET", $"{path}/%2F/a%2Fb")).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NoContent, (await server.ManageAsync("DELETE", $"{path}/%2F/a%2Fb")).Status);
        Assert.Equal(-1, queue.Settings.MaxLength);
        Assert.Equal(HttpStatusCode.NotFound, (await server.ManageAsync("DELETE", $"{path}/%2F/a%2Fb")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await server.ManageAsync("GET", $"{path}/%2F/a%2Fb")).Status);
    }

    [Theory]
    [InlineData("{}", "[{key_missing,pattern},{key_missing,definition}]")]
    [InlineData("""{"pattern":"a","definition":{"nonsense":1}}""", "Validation failed\n\n[{<<\"nonsense\">>,1}] are not recognised policy settings\n")]
    public async Task What_is_wrong_is_told_as_RabbitMQ_does(string body, string reason)
    {
        await using var server = await AdminServer.StartAsync();
        var answer = await server.ManageAsync("PUT", "policies/%2F/p", body);
        Assert.Equal((HttpStatusCode.BadRequest, "bad_request", reason), (answer.Status, answer.Body?["error"]?.GetValue<string>(), answer.Body?["reason"]?.GetValue<string>()));
        Assert.Equal("vhost_not_found", (await server.ManageAsync("PUT", "policies/nowhere/p", """{"pattern":"a","definition":{"max-length":1}}""")).Body?["reason"]?.GetValue<string>());
    }

    [Fact]
    public async Task Policies_need_their_tag_and_those_of_operators_an_administrator()
    {
        await using var server = await AdminServer.StartAsync();
        await server.Broker.Accounts.CreateUserAsync(new User("root", ["administrator"], []).WithPassword("r", Salt));
        await server.Broker.Accounts.CreateUserAsync(new User("eye", ["management"], []).WithPassword("e", Salt));
        await server.Broker.Accounts.CreateUserAsync(new User("maker", ["policymaker"], []).WithPassword("m", Salt));
        const string Policy = """{"pattern":"a","definition":{"max-length":1}}""";
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.ManageAsync("PUT", "policies/%2F/p", Policy, "eye:e")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.ManageAsync("PUT", "operator-policies/%2F/p", Policy, "maker:m")).Status);
        Assert.Equal(HttpStatusCode.Created, (await server.ManageAsync("PUT", "operator-policies/%2F/p", Policy, "root:r")).Status);
    }
}

using System.Net;
using System.Text;
using System.Text.Json;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Parameters;
using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;
using Dragoman.Protocols.Authentication;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Admin.Tests.RabbitMq;

/// <summary>Users, virtual hosts and permissions through RabbitMQ's API.</summary>
public sealed class AccessTests
{
    private const string Root = "root:r";

    [Fact]
    [Trait("Row", "R34")]
    public async Task Users_come_with_a_password_or_with_its_hash()
    {
        await using var server = await StartAsync();
        Assert.Equal("""{"error":"bad_request","reason":"tags_not_present"}""", (await server.ManageAsync("PUT", "users/u", """{"password":"a"}""", Root)).Text);
        Assert.Equal(HttpStatusCode.Created, (await server.ManageAsync("PUT", "users/u", """{"password":"a","tags":"x, management"}""", Root)).Status);
        Assert.Equal("""["x","management"]""", (await server.ManageAsync("GET", "users/u", user: Root)).Body!["tags"]!.ToJsonString());
        Assert.Equal(HttpStatusCode.OK, (await server.ManageAsync("GET", "whoami", user: "u:a")).Status);
        var hash = Convert.ToBase64String(PasswordHash.FromPassword(PasswordAlgorithm.Sha512, "b", [1, 2, 3, 4]).Salted.AsSpan());
        Assert.Equal(HttpStatusCode.NoContent, (await server.ManageAsync("PUT", "users/u", $$"""{"password_hash":"{{hash}}","hashing_algorithm":"rabbit_password_hashing_sha512","tags":["management"]}""", Root)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.ManageAsync("GET", "whoami", user: "u:a")).Status);
        Assert.Equal(HttpStatusCode.OK, (await server.ManageAsync("GET", "whoami", user: "u:b")).Status);
        Assert.Equal(
            $$$"""{"name":"u","password_hash":"{{{hash}}}","hashing_algorithm":"rabbit_password_hashing_sha512","tags":["management"],"limits":{}}""",
            (await server.ManageAsync("GET", "users/u", user: Root)).Text);
        await server.ManageAsync("PUT", "users/nopass", """{"password_hash":"","tags":""}""", Root);
        Assert.Equal("", (string?)(await server.ManageAsync("GET", "users/nopass", user: Root)).Body!["password_hash"]);
        Assert.Equal("""{"error":"bad_request","reason":["not_base64","bad!"]}""", (await server.ManageAsync("PUT", "users/v", """{"password_hash":"bad!","tags":""}""", Root)).Text);
        Assert.Equal("""{"error":"bad_request","reason":["no_such_user","who"]}""", (await server.ManageAsync("POST", "users/bulk-delete", """{"users":["u","who"]}""", Root)).Text);
        Assert.Equal(HttpStatusCode.NoContent, (await server.ManageAsync("POST", "users/bulk-delete", """{"users":["u","nopass"]}""", Root)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await server.ManageAsync("DELETE", "users/u", user: Root)).Status);
    }

    [Fact]
    [Trait("Row", "R34")]
    public async Task Permissions_are_three_expressions_that_the_broker_acts_upon()
    {
        await using var server = await StartAsync();
        await server.ManageAsync("PUT", "users/app", """{"password":"a","tags":"management"}""", Root);
        Assert.Equal(HttpStatusCode.Created, (await server.ManageAsync("PUT", "vhosts/v1", """{"description":"d","tags":"a,b"}""", Root)).Status);
        Assert.Equal("""{"error":"bad_request","reason":"[{key_missing,write}]"}""", (await server.ManageAsync("PUT", "permissions/v1/app", """{"configure":".*","read":""}""", Root)).Text);
        Assert.Equal("""{"error":"bad_request","reason":"vhost_or_user_not_found"}""", (await server.ManageAsync("PUT", "permissions/v2/app", """{"configure":".*","write":"","read":""}""", Root)).Text);
        Assert.Equal("""{"error":"not_authorised","reason":"User not authorised to access virtual host"}""", (await server.ManageAsync("PUT", "queues/v1/app.q", "{}", "app:a")).Text);
        Assert.Equal("invalid_regexp", (string?)(await server.ManageAsync("PUT", "permissions/v1/app", """{"configure":"(","write":"","read":""}""", Root)).Body!["reason"]![0]);
        Assert.Equal(HttpStatusCode.Created, (await server.ManageAsync("PUT", "permissions/v1/app", """{"configure":"^(?!amq\\.)app","write":"^app","read":""}""", Root)).Status);
        Assert.Equal("""{"user":"app","vhost":"v1","configure":"^(?!amq\\.)app","write":"^app","read":""}""", (await server.ManageAsync("GET", "permissions/v1/app", user: Root)).Text);
        Assert.Equal(HttpStatusCode.Created, (await server.ManageAsync("PUT", "queues/v1/app.q", "{}", "app:a")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.ManageAsync("PUT", "queues/v1/other", "{}", "app:a")).Status);
        Assert.Equal("""{"error":"not_authorised","reason":"Access refused."}""", (await server.ManageAsync("POST", "queues/v1/app.q/get", """{"count":1,"ackmode":"ack_requeue_true","encoding":"auto"}""", "app:a")).Text);
        Assert.Equal("""[{"name":"app.q"}]""", (await server.ManageAsync("GET", "queues?columns=name", user: "app:a")).Text);
        Assert.Equal(HttpStatusCode.NoContent, (await server.ManageAsync("PUT", "permissions/v1/app", """{"configure":"","write":"","read":".*"}""", Root)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.ManageAsync("PUT", "queues/v1/app.q2", "{}", "app:a")).Status);
        Assert.Equal("[]", (await server.ManageAsync("POST", "queues/v1/app.q/get", """{"count":1,"ackmode":"ack_requeue_true","encoding":"auto"}""", "app:a")).Text);
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.ManageAsync("GET", "users", user: "app:a")).Status);
        // Who made a virtual host may use it.
        Assert.Equal(2, (await server.ManageAsync("GET", "vhosts/v1/permissions", user: Root)).Body!.AsArray().Count);
        Assert.Equal(HttpStatusCode.NoContent, (await server.ManageAsync("DELETE", "vhosts/v1", user: Root)).Status);
        Assert.Equal("[]", (await server.ManageAsync("GET", "permissions", user: Root)).Text);
    }

    [Fact]
    public async Task A_parameter_is_no_way_into_a_virtual_host_that_its_user_may_not_enter()
    {
        await using var server = await StartAsync();
        server.Broker.Parameters.Register(new Reaching());
        await server.ManageAsync("PUT", "users/maker", """{"password":"m","tags":"policymaker"}""", Root);
        await server.ManageAsync("PUT", "vhosts/mine", "{}", Root);
        await server.ManageAsync("PUT", "permissions/mine/maker", """{"configure":"","write":"","read":""}""", Root);
        Assert.Equal(HttpStatusCode.Created, (await server.ManageAsync("PUT", "parameters/reaching/mine/a", """{"value":"mine"}""", "maker:m")).Status);
        var refused = await server.ManageAsync("PUT", "parameters/reaching/mine/b", """{"value":"/"}""", "maker:m");
        Assert.Equal(("bad_request", "Validation failed\n\nuser \"maker\" may not connect to vhost \"/\"\n"), ((string?)refused.Body!["error"], (string?)refused.Body["reason"]));
        Assert.Equal(HttpStatusCode.Created, (await server.ManageAsync("PUT", "parameters/reaching/mine/b", """{"value":"/"}""", Root)).Status);
    }

    /// <summary>A component whose values are virtual hosts that it acts in.</summary>
    private sealed class Reaching : IParameterComponent
    {
        public string Name => "reaching";

        public IReadOnlyList<string> Validate(NamespaceName space, string name, JsonElement value) => [];

        public IReadOnlyList<NamespaceName> Reaches(string name, JsonElement value) => [VirtualHosts.ToNamespace(value.GetString()!)!];
    }

    [Fact]
    [Trait("Row", "R34")]
    public async Task Topic_permissions_say_which_routing_keys_a_user_may_use()
    {
        await using var server = await StartAsync();
        await server.ManageAsync("PUT", "users/app", """{"password":"a","tags":"management"}""", Root);
        await server.ManageAsync("PUT", "permissions/%2F/app", """{"configure":".*","write":".*","read":".*"}""", Root);
        Assert.Equal(HttpStatusCode.Created, (await server.ManageAsync("PUT", "topic-permissions/%2F/app", """{"exchange":"amq.topic","write":"^{username}\\.","read":"^public\\."}""", Root)).Status);
        Assert.Equal("""[{"user":"app","vhost":"/","exchange":"amq.topic","write":"^{username}\\.","read":"^public\\."}]""", (await server.ManageAsync("GET", "topic-permissions/%2F/app", user: Root)).Text);
        await server.ManageAsync("PUT", "queues/%2F/q", "{}", "app:a");
        Assert.Equal(HttpStatusCode.Created, (await server.ManageAsync("POST", "bindings/%2F/e/amq.topic/q/q", """{"routing_key":"public.#"}""", "app:a")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.ManageAsync("POST", "bindings/%2F/e/amq.topic/q/q", """{"routing_key":"private.#"}""", "app:a")).Status);
        Assert.Equal(HttpStatusCode.Created, (await server.ManageAsync("POST", "bindings/%2F/e/amq.direct/q/q", """{"routing_key":"private.#"}""", "app:a")).Status);
        async Task<string> PublishAsync(string key) => (await server.ManageAsync("POST", "exchanges/%2F/amq.topic/publish", $$"""{"properties":{},"routing_key":"{{key}}","payload":"","payload_encoding":"string"}""", "app:a")).Text;
        Assert.Equal("""{"routed":false}""", await PublishAsync("app.1"));
        Assert.Equal("""{"error":"bad_request","reason":"403 ACCESS_REFUSED - write access to topic 'public.1' in exchange 'amq.topic' in vhost '/' refused for user 'app'"}""", await PublishAsync("public.1"));
        var identity = new ClientIdentity(server.Broker.Accounts, "app", "127.0.0.1");
        Assert.True(identity.AllowsKey(Operations.Write, new TopicName(NamespaceName.Default, "amq.topic"), "app.x"));
        Assert.False(identity.AllowsKey(Operations.Read, new TopicName(NamespaceName.Default, "amq.topic"), "app.x"));
        Assert.Equal(HttpStatusCode.NoContent, (await server.ManageAsync("DELETE", "topic-permissions/%2F/app/amq.topic", user: Root)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await server.ManageAsync("GET", "topic-permissions/%2F/app", user: Root)).Status);
        Assert.Equal("""{"routed":true}""", await PublishAsync("public.1"));
    }

    [Fact]
    [Trait("Row", "R30")]
    public async Task Virtual_hosts_keep_what_is_said_of_them()
    {
        await using var server = await StartAsync();
        await server.ManageAsync("PUT", "vhosts/a%2Fb%20c", """{"description":"d","tags":["x"],"default_queue_type":"quorum","protected_from_deletion":true}""", Root);
        var vhost = (await server.ManageAsync("GET", "vhosts/a%2Fb%20c", user: Root)).Body!;
        Assert.Equal(("d", """["x"]""", "quorum"), ((string?)vhost["description"], vhost["tags"]!.ToJsonString(), (string?)vhost["default_queue_type"]));
        Assert.Equal("""{"description":"d","tags":["x"],"default_queue_type":"quorum"}""", vhost["metadata"]!.ToJsonString());
        Assert.Equal(HttpStatusCode.Created, (await server.ManageAsync("PUT", "queues/a%2Fb%20c/q", """{"durable":true}""", Root)).Status);
        Assert.Equal("quorum", (string?)(await server.ManageAsync("GET", "queues/a%2Fb%20c/q", user: Root)).Body!["type"]);
        Assert.Equal("""["/","a/b c"]""", new System.Text.Json.Nodes.JsonArray([.. (await server.ManageAsync("GET", "vhosts", user: Root)).Body!.AsArray().Select(v => v!["name"]!.DeepClone())]).ToJsonString());
        Assert.Equal(HttpStatusCode.PreconditionFailed, (await server.ManageAsync("DELETE", "vhosts/a%2Fb%20c", user: Root)).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await server.ManageAsync("DELETE", "vhosts/a%2Fb%20c/deletion/protection", user: Root)).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await server.ManageAsync("DELETE", "vhosts/a%2Fb%20c", user: Root)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await server.ManageAsync("DELETE", "vhosts/a%2Fb%20c", user: Root)).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await server.ManageAsync("PUT", "vhosts/%2F", """{"description":"mine"}""", Root)).Status);
        Assert.Equal("mine", (string?)(await server.ManageAsync("GET", "vhosts/%2F", user: Root)).Body!["description"]);
    }

    [Fact]
    [Trait("Row", "R34")]
    public async Task Guest_logs_in_from_this_machine_only_unless_somebody_chose_that_name()
    {
        await using var server = await StartAsync();
        await server.ManageAsync("PUT", "users/guest", """{"password":"guest","tags":"administrator"}""", Root);
        Assert.Equal(HttpStatusCode.OK, (await server.ManageAsync("GET", "whoami", user: "guest:guest")).Status);
        var authenticator = new Authenticator(server.Broker.Accounts);
        foreach (var host in new[] { "127.0.0.1", "::1", "::ffff:127.0.0.1" }) Assert.NotNull(authenticator.CheckPassword("guest", "guest", host));
        foreach (var host in new[] { "10.0.0.1", "::ffff:10.0.0.1", "2001:db8::1" }) Assert.Null(authenticator.CheckPassword("guest", "guest", host));
        Assert.NotNull(authenticator.CheckPassword("root", "r", "10.0.0.1"));
        Assert.NotNull(new Authenticator(server.Broker.Accounts) { GuestOnlyFromLoopback = false }.CheckPassword("guest", "guest", "10.0.0.1"));
    }

    [Theory]
    [InlineData("DELETE", "_dragoman/v1/users/app", null)]
    [InlineData("DELETE", "api/users/app", null)]
    [InlineData("POST", "api/users/bulk-delete", """{"users":["app"]}""")]
    [Trait("Row", "R30")]
    public async Task Limits_go_with_their_user_whichever_way_it_is_deleted(string method, string path, string? body)
    {
        await using var server = await StartAsync();
        await server.ManageAsync("PUT", "users/app", """{"password":"a","tags":""}""", Root);
        Assert.Equal(HttpStatusCode.NoContent, (await server.ManageAsync("PUT", "user-limits/app/max-channels", """{"value":3}""", Root)).Status);
        Assert.Equal("""{"max-channels":3}""", (await server.ManageAsync("GET", "users/app", user: Root)).Body!["limits"]!.ToJsonString());
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(server.Root, path));
        if (body is not null) request.Content = new StringContent(body);
        request.Headers.TryAddWithoutValidation("Authorization", "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(Root)));
        using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode);
        Assert.Equal("[]", (await server.ManageAsync("GET", "user-limits", user: Root)).Text);
        Assert.DoesNotContain("max-channels", (await server.ManageAsync("GET", "definitions", user: Root)).Text, StringComparison.Ordinal);
        await server.ManageAsync("PUT", "users/app", """{"password":"b","tags":""}""", Root);
        Assert.Equal("{}", (await server.ManageAsync("GET", "users/app", user: Root)).Body!["limits"]!.ToJsonString());
    }

    private static async Task<AdminServer> StartAsync()
    {
        var server = await AdminServer.StartAsync();
        await server.Broker.Accounts.CreateUserAsync(new User("root", ["administrator"], []).WithPassword("r", new byte[36]));
        return server;
    }
}

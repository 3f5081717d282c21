using System.Text;
using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Security;

namespace Dragoman.Amqp.Tests.Sessions;

/// <summary>Who may connect, and do what.</summary>
public sealed class AccessTests
{
    [Fact]
    public async Task Once_there_are_users_strangers_are_refused_in_words_and_old_clients_by_silence()
    {
        await using var fixture = await StartAsync();
        var client = fixture.Raw();
        await LogInAsync(client, "app", "wrong", tellsFailure: true);
        var close = (await client.ReceiveAsync()).As<ConnectionClose>();
        Assert.Equal((403, "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker logfile."), (close.Code, close.Text));
        await client.SendAsync(0, default(ConnectionCloseOk));
        await client.Ended;
        var old = fixture.Raw();
        await LogInAsync(old, "app", "wrong", tellsFailure: false);
        Assert.Empty(await old.RestAsync());
    }

    [Fact]
    public async Task Permissions_hold_for_each_operation()
    {
        await using var fixture = await StartAsync();
        var client = fixture.Raw();
        await LogInAsync(client, "app", "secret", tellsFailure: true);
        (await client.ReceiveAsync()).As<ConnectionTune>();
        await client.SendAsync(0, new ConnectionTuneOk { FrameMax = 131072 });
        await client.SendAsync(0, new ConnectionOpen { VirtualHost = "/" });
        (await client.ReceiveAsync()).As<ConnectionOpenOk>();
        await client.ChannelAsync();
        await client.QueueAsync(1, "app-1");
        Assert.Equal("ACCESS_REFUSED - configure access to queue 'other' in vhost '/' refused for user 'app'", (await client.RefusedAsync(1, new QueueDeclare { Queue = "other" })).Text);
        await client.ChannelAsync();
        await client.PublishAsync(1, "amq.fanout", "", "x");
        Assert.Equal("ACCESS_REFUSED - write access to exchange 'amq.fanout' in vhost '/' refused for user 'app'", (await client.ClosedAsync(1)).Text);
        await client.ChannelAsync();
        Assert.Equal("ACCESS_REFUSED - read access to exchange 'amq.fanout' in vhost '/' refused for user 'app'", (await client.RefusedAsync(1, new QueueBind { Queue = "app-1", Exchange = "amq.fanout" })).Text);
    }

    [Fact]
    public async Task A_virtual_host_without_permissions_is_closed()
    {
        await using var fixture = await StartAsync();
        var client = fixture.Raw();
        await LogInAsync(client, "app", "secret", tellsFailure: true);
        (await client.ReceiveAsync()).As<ConnectionTune>();
        await client.SendAsync(0, new ConnectionTuneOk { FrameMax = 131072 });
        await client.SendAsync(0, new ConnectionOpen { VirtualHost = "other" });
        var close = (await client.ReceiveAsync()).As<ConnectionClose>();
        Assert.Equal((530, "NOT_ALLOWED - access to vhost 'other' refused for user 'app'"), (close.Code, close.Text));
    }

    private static async Task<AmqpFixture> StartAsync()
    {
        var fixture = await AmqpFixture.StartAsync();
        var accounts = fixture.Broker.Accounts;
        var salt = new byte[36];
        Assert.Equal(AccountStatus.Ok, (await accounts.CreateUserAsync(new User("root", [User.AdministratorTag], []).WithPassword("root", salt))).Status);
        Assert.Equal(AccountStatus.Ok, (await accounts.CreateUserAsync(new User("app", [], []).WithPassword("secret", salt))).Status);
        var rule = new Permission("app", NamespaceName.Default, ResourceKind.Any, new NamePattern(PatternKind.Regex, "^app-"), Operations.Configure | Operations.Write | Operations.Read);
        Assert.Equal(AccountStatus.Ok, (await accounts.AddPermissionsAsync([rule])).Status);
        Assert.Equal(NamespaceStatus.Ok, (await fixture.Broker.Namespaces.CreateAsync(new NamespaceName("public", "other"))).Status);
        return fixture;
    }

    private static async Task LogInAsync(TestClient client, string name, string password, bool tellsFailure)
    {
        await client.SendRawAsync(ProtocolHeader.Bytes.ToArray());
        (await client.ReceiveAsync()).As<ConnectionStart>();
        var capabilities = new FieldTable(KeyValuePair.Create("authentication_failure_close", FieldValue.OfBoolean(tellsFailure)));
        await client.SendAsync(0, new ConnectionStartOk
        {
            ClientProperties = new FieldTable(KeyValuePair.Create("capabilities", FieldValue.OfTable(capabilities))),
            Mechanism = "PLAIN",
            Response = Encoding.UTF8.GetBytes($"\0{name}\0{password}"),
            Locale = "en_US",
        });
    }
}

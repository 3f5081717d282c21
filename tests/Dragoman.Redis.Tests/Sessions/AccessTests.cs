using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Security;

namespace Dragoman.Redis.Tests.Sessions;

/// <summary>Who may log in, and use which channels.</summary>
public sealed class AccessTests
{
    [Fact]
    [Trait("Row", "D4")]
    [Trait("Row", "D5")]
    public async Task Once_there_are_users_nothing_goes_without_a_log_in()
    {
        await using var fixture = await StartAsync();
        var client = fixture.Connect();
        Assert.Equal("-NOAUTH Authentication required.", await client.AskAsync("PING"));
        Assert.StartsWith("-NOAUTH HELLO must be called with the client already authenticated", await client.AskAsync("HELLO", "3"), StringComparison.Ordinal);
        Assert.Equal("-WRONGPASS invalid username-password pair or user is disabled.", await client.AskAsync("AUTH", "app", "wrong"));
        Assert.Equal("-WRONGPASS invalid username-password pair or user is disabled.", await client.AskAsync("AUTH", "secret"));
        Assert.StartsWith("%[server", await client.AskAsync("HELLO", "3", "AUTH", "app", "secret"), StringComparison.Ordinal);
        Assert.Equal("app", await client.AskAsync("ACL", "WHOAMI"));
        Assert.Equal("+RESET", await client.AskAsync("RESET"));
        Assert.Equal("-NOAUTH Authentication required.", await client.AskAsync("PING"));
    }

    [Fact]
    [Trait("Row", "D13")]
    public async Task Channels_are_allowed_as_topics_are()
    {
        await using var fixture = await StartAsync();
        var client = fixture.Connect();
        await client.AskAsync("AUTH", "app", "secret");
        const string Refused = "-NOPERM No permissions to access a channel";
        Assert.Equal(Refused, await client.AskAsync("PUBLISH", "other", "x"));
        Assert.Equal(":0", await client.AskAsync("PUBLISH", "app-1", "x"));
        Assert.Equal(Refused, await client.AskAsync("SPUBLISH", "other", "x"));
        Assert.Equal(Refused, await client.AskAsync("SUBSCRIBE", "app-1", "other"));
        Assert.Equal(Refused, await client.AskAsync("PSUBSCRIBE", "*"));
        Assert.Equal(Refused, await client.AskAsync("PSUBSCRIBE", "app*"));
        Assert.Equal("[psubscribe,app-*,:1]", await client.AskAsync("PSUBSCRIBE", "app-*"));
        Assert.Equal("[subscribe,app-1,:2]", await client.AskAsync("SUBSCRIBE", "app-1"));
        var root = fixture.Connect();
        await root.AskAsync("AUTH", "root", "root");
        Assert.Equal("[psubscribe,*,:1]", await root.AskAsync("PSUBSCRIBE", "*"));
    }

    [Fact]
    [Trait("Row", "D13")]
    public async Task Who_may_not_listen_any_longer_is_disconnected()
    {
        await using var fixture = await StartAsync(withClock: true);
        var client = fixture.Connect();
        await client.AskAsync("AUTH", "app", "secret");
        Assert.Equal("[subscribe,app-1,:1]", await client.AskAsync("SUBSCRIBE", "app-1"));
        await fixture.Broker.Accounts.RemovePermissionsAsync(static rule => rule.User == "app", TestContext.Current.CancellationToken);
        fixture.Clock!.Advance(TimeSpan.FromSeconds(1));
        await client.Ended;
    }

    [Fact]
    [Trait("Row", "D19")]
    public async Task Only_administrators_end_the_connections_of_others()
    {
        await using var fixture = await StartAsync();
        var (app, root) = (fixture.Connect(), fixture.Connect());
        await app.AskAsync("AUTH", "app", "secret");
        await root.AskAsync("AUTH", "root", "root");
        Assert.Equal("-NOPERM User app has no permissions to run the 'client|kill' command", await app.AskAsync("CLIENT", "KILL", "ID", "1"));
        var id = (await app.AskAsync("CLIENT", "ID"))[1..];
        Assert.Equal(":1", await root.AskAsync("CLIENT", "KILL", "ID", id));
        await app.Ended;
    }

    private static async Task<RedisFixture> StartAsync(bool withClock = false)
    {
        var fixture = await RedisFixture.StartAsync(withClock: withClock);
        var accounts = fixture.Broker.Accounts;
        var salt = new byte[36];
        Assert.Equal(AccountStatus.Ok, (await accounts.CreateUserAsync(new User("root", [User.AdministratorTag], []).WithPassword("root", salt))).Status);
        Assert.Equal(AccountStatus.Ok, (await accounts.CreateUserAsync(new User("app", [], []).WithPassword("secret", salt))).Status);
        var rule = new Permission("app", NamespaceName.Default, ResourceKind.Topic, new NamePattern(PatternKind.Prefix, "app-"), Operations.Write | Operations.Read);
        Assert.Equal(AccountStatus.Ok, (await accounts.AddPermissionsAsync([rule])).Status);
        return fixture;
    }
}

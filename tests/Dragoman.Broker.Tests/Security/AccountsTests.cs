using System.Security.Cryptography;
using System.Text;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;

namespace Dragoman.Broker.Tests.Security;

public sealed class AccountsTests
{
    private static readonly byte[] Salt = RandomNumberGenerator.GetBytes(36);

    private static User Named(string name, params string[] tags) => new User(name, [.. tags], []).WithPassword("secret of " + name, Salt);

    private static Permission Rule(string user, ResourceKind kind, string pattern, Operations operations, Effect effect = Effect.Allow, PatternKind how = PatternKind.Literal, string host = "*", NamespaceName? ns = null) =>
        new(user, ns, kind, new NamePattern(how, pattern), operations, effect, host);

    private static bool Allows(IAccounts accounts, string? user, Operations operation, string topic, string host = "10.0.0.1", NamespaceName? ns = null) =>
        accounts.Allows(user, host, operation, ResourceKind.Topic, ns ?? NamespaceName.Default, topic);

    [Fact]
    public async Task Without_users_everything_is_allowed_and_the_first_one_closes_the_door()
    {
        await using var broker = await TestBroker.StartAsync();
        var accounts = broker.Broker.Accounts;
        Assert.False(accounts.IsEnabled);
        Assert.True(Allows(accounts, null, Operations.Write, "t"));
        Assert.Equal(AccountStatus.LastAdministrator, (await accounts.CreateUserAsync(Named("bob"))).Status);
        Assert.Equal(AccountStatus.Ok, (await accounts.CreateUserAsync(Named("ann", "administrator"))).Status);
        Assert.Equal(AccountStatus.AlreadyExists, (await accounts.CreateUserAsync(Named("ann"))).Status);
        Assert.True(accounts.IsEnabled);
        Assert.False(Allows(accounts, null, Operations.Write, "t"));
        Assert.True(Allows(accounts, "ann", Operations.Write, "t"));
        Assert.Equal(AccountStatus.Ok, (await accounts.CreateUserAsync(Named("bob"))).Status);
        Assert.Equal(AccountStatus.LastAdministrator, (await accounts.DeleteUserAsync("ann")).Status);
        Assert.Equal(AccountStatus.LastAdministrator, (await accounts.ChangeUserAsync("ann", u => u with { Tags = [] })).Status);
        Assert.Equal(AccountStatus.Ok, (await accounts.DeleteUserAsync("bob")).Status);
        Assert.Equal(AccountStatus.Ok, (await accounts.DeleteUserAsync("ann")).Status);
        Assert.False(accounts.IsEnabled);
    }

    [Fact]
    public async Task Passwords_tokens_and_access_keys_are_found_and_survive_restarts_and_checkpoints()
    {
        await using var broker = await TestBroker.StartAsync();
        var token = new TokenHash("ci", [.. SHA256.HashData("t0ken"u8)]);
        var ann = Named("ann", "administrator");
        Assert.Equal(AccountStatus.Ok, (await broker.Broker.Accounts.CreateUserAsync(ann with { Credentials = [.. ann.Credentials, token, new AccessKey("AKIA1", "shh")] })).Status);
        Assert.Equal(AccountStatus.Invalid, (await broker.Broker.Accounts.CreateUserAsync(new User("thief", [], [new AccessKey("AKIA1", "other")]))).Status);
        Assert.Equal(AccountStatus.Ok, (await broker.Broker.Accounts.AddPermissionsAsync([Rule("bob", ResourceKind.Topic, "^a", Operations.Read, how: PatternKind.Regex)])).Status);
        for (var round = 0; round < 3; round++)
        {
            var accounts = broker.Broker.Accounts;
            Assert.Equal("ann", accounts.CheckPassword("ann", "secret of ann")?.Name);
            Assert.Null(accounts.CheckPassword("ann", "secret"));
            Assert.Null(accounts.CheckPassword("eve", ""));
            Assert.Equal("ann", accounts.FindToken("t0ken")?.Name);
            Assert.Null(accounts.FindToken("t0ken2"));
            Assert.Equal("shh", accounts.FindAccessKey("AKIA1")?.Key.Secret);
            Assert.All(accounts.Find("ann")!.Credentials.OfType<ScramCredential>(), s => Assert.True(s.Matches("secret of ann")));
            Assert.Equal(2, accounts.Find("ann")!.Credentials.OfType<ScramCredential>().Count());
            Assert.True(Assert.Single(accounts.Permissions).Pattern.Matches("abc"));
            if (round == 1) await broker.Broker.Store.CheckpointAsync();
            await broker.RestartAsync();
        }
    }

    [Fact]
    public void A_password_hashed_by_rabbitmq_lets_its_user_in()
    {
        // rabbitmqctl hash_password, documented at "Passwords and credentials" with this very example.
        var salted = Convert.FromBase64String("kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR");
        Assert.True(new PasswordHash(PasswordAlgorithm.Sha256, [.. salted]).Matches("test12"));
        Assert.False(new PasswordHash(PasswordAlgorithm.Sha256, [.. salted]).Matches("test13"));
    }

    [Fact]
    public void Scram_keys_are_those_of_the_standards_example()
    {
        // RFC 7677, section 3: user, pencil.
        var scram = ScramCredential.FromPassword(ScramHash.Sha256, "pencil", Convert.FromBase64String("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096);
        var message = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        var signature = HMACSHA256.HashData(scram.ServerKey.ToArray(), Encoding.ASCII.GetBytes(message));
        Assert.Equal("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", Convert.ToBase64String(signature));
    }

    [Fact]
    public async Task Rules_allow_and_forbid_by_user_pattern_host_and_namespace()
    {
        await using var broker = await TestBroker.StartAsync();
        var accounts = broker.Broker.Accounts;
        await accounts.CreateUserAsync(Named("ann", "administrator"));
        await accounts.CreateUserAsync(Named("bob"));
        var other = new NamespaceName("acme", "eu");
        await accounts.AddPermissionsAsync(
        [
            Rule("bob", ResourceKind.Topic, "orders", Operations.Read, how: PatternKind.Prefix),
            Rule("bob", ResourceKind.Topic, "orders.secret", Operations.Read, Effect.Deny),
            Rule("*", ResourceKind.Topic, "news", Operations.Read),
            Rule("bob", ResourceKind.Topic, "local", Operations.All, host: "127.0.0.1"),
            Rule("bob", ResourceKind.Any, ".*", Operations.Write, how: PatternKind.Regex, ns: other),
        ]);
        Assert.True(Allows(accounts, "bob", Operations.Read, "orders.eu"));
        Assert.True(Allows(accounts, "bob", Operations.Describe, "orders.eu"));
        Assert.False(Allows(accounts, "bob", Operations.Write, "orders.eu"));
        Assert.False(Allows(accounts, "bob", Operations.Read, "orders.secret"));
        Assert.True(Allows(accounts, null, Operations.Read, "news"));
        Assert.False(Allows(accounts, "bob", Operations.Read, "local"));
        Assert.True(Allows(accounts, "bob", Operations.Delete, "local", "127.0.0.1"));
        Assert.True(Allows(accounts, "bob", Operations.Write, "any", ns: other));
        Assert.False(Allows(accounts, "bob", Operations.Write, "any"));
        Assert.True(accounts.Allows("bob", "h", Operations.Write, ResourceKind.Queue, other, "q"));
        Assert.True(accounts.AllowsAny("bob", "h", Operations.Read, ResourceKind.Topic));
        Assert.False(accounts.AllowsAny("bob", "h", Operations.Read, ResourceKind.Group));
        Assert.True(Allows(accounts, "ann", Operations.Delete, "anything"));

        var version = accounts.Version;
        var (answer, removed) = await accounts.RemovePermissionsAsync(p => p.Effect == Effect.Deny);
        Assert.Equal(AccountStatus.Ok, answer.Status);
        Assert.Single(removed);
        Assert.NotEqual(version, accounts.Version);
        Assert.True(Allows(accounts, "bob", Operations.Read, "orders.secret"));
        Assert.Equal(AccountStatus.NotFound, (await accounts.RemovePermissionsAsync(p => p.Effect == Effect.Deny)).Answer.Status);
        await accounts.DeleteUserAsync("bob");
        Assert.DoesNotContain(accounts.Permissions, p => p.User == "bob");
    }

    [Fact]
    [Trait("Row", "R34")]
    public async Task Topic_permissions_go_with_their_user_and_survive_a_restart()
    {
        await using var broker = await TestBroker.StartAsync();
        var topic = new TopicName(NamespaceName.Default, "amq.topic");
        await broker.Broker.Accounts.CreateUserAsync(Named("ann", "administrator"));
        await broker.Broker.Accounts.CreateUserAsync(Named("bob"));
        Assert.Equal(AccountStatus.NotFound, (await broker.Broker.Accounts.PutTopicPermissionAsync(new TopicPermission("nobody", topic, "", ""))).Status);
        Assert.True(broker.Broker.Accounts.AllowsKey("bob", Operations.Write, topic, "any", "/"));
        await broker.Broker.Accounts.PutTopicPermissionAsync(new TopicPermission("bob", topic, "^{username}\\.{vhost}$", "^a"));
        await broker.Broker.Accounts.PutTopicPermissionAsync(new TopicPermission("bob", topic, "^{username}\\.{vhost}$", "^b"));
        await broker.RestartAsync();
        var accounts = broker.Broker.Accounts;
        Assert.Equal("^b", Assert.Single(accounts.TopicPermissions).Read);
        Assert.True(accounts.AllowsKey("bob", Operations.Write, topic, "bob.v1", "v1"));
        Assert.False(accounts.AllowsKey("bob", Operations.Write, topic, "bob.v2", "v1"));
        Assert.False(accounts.AllowsKey("bob", Operations.Read, topic, "a", "/"));
        Assert.True(accounts.AllowsKey("ann", Operations.Read, topic, "a", "/"));
        Assert.True(accounts.AllowsKey("bob", Operations.Read, topic with { Name = "other" }, "a", "/"));
        await accounts.DeleteUserAsync("bob");
        Assert.Empty(accounts.TopicPermissions);
    }
}

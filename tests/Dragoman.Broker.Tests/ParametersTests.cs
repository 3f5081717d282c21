using System.Text.Json;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Parameters;
using Dragoman.Broker.Security;

namespace Dragoman.Broker.Tests;

public sealed class ParametersTests
{
    private static readonly User Ann = new User("ann", [User.AdministratorTag], []).WithPassword("a", new byte[36]);
    private static readonly NamespaceName Other = new("public", "other");

    private sealed class Links : IParameterComponent
    {
        public string Name => "link";

        public IReadOnlyList<string> Validate(NamespaceName space, string name, JsonElement value) => value.ValueKind == JsonValueKind.Object ? [] : ["link should be a map", "really"];
    }

    [Fact]
    public async Task Parameters_survive_a_restart_and_others_hear_of_changes()
    {
        await using var broker = await TestBroker.StartAsync();
        var parameters = broker.Broker.Parameters;
        parameters.Register(new Links());
        var heard = new List<ParameterKey>();
        parameters.Changed += heard.Add;
        var key = ParameterKey.Of(NamespaceName.Default, "link", "ä");
        Assert.Equal(ParameterStatus.Ok, (await SetAsync(parameters, key, "{ \"to\" : \"ü\" }")).Status);
        await broker.Broker.Store.CheckpointAsync();
        Assert.Equal(ParameterStatus.Ok, (await SetAsync(parameters, ParameterKey.Of(Other, "link", "b"), "{}")).Status);
        Assert.Equal(ParameterStatus.Ok, (await SetAsync(parameters, ParameterKey.Global("cluster_name"), "\"c\"")).Status);
        Assert.Equal(ParameterStatus.Ok, (await SetAsync(parameters, ParameterKey.Global("gone"), "1")).Status);
        Assert.Equal(ParameterStatus.Ok, (await parameters.RemoveAsync(ParameterKey.Global("gone"))).Status);
        Assert.Equal(ParameterStatus.NotFound, (await parameters.RemoveAsync(ParameterKey.Global("gone"))).Status);
        Assert.Equal(key, heard[0]);
        await broker.RestartAsync();
        parameters = broker.Broker.Parameters;
        Assert.Equal(["ä", "b"], parameters.List("link").Select(p => p.Key.Name));
        Assert.Equal("ü", JsonDocument.Parse(parameters.Find(key)!.Value).RootElement.GetProperty("to").GetString());
        Assert.Equal(["cluster_name"], parameters.Global.Select(p => p.Key.Name));
        Assert.Equal(ParameterStatus.Ok, (await parameters.RemoveAllAsync(Other)).Status);
        Assert.Equal([key], parameters.List().Select(p => p.Key));
    }

    [Fact]
    public async Task What_a_component_does_not_take_is_refused_in_words_that_tools_know()
    {
        await using var broker = await TestBroker.StartAsync();
        var parameters = broker.Broker.Parameters;
        var answer = await SetAsync(parameters, ParameterKey.Of(NamespaceName.Default, "link", "a"), "{}");
        Assert.Equal((ParameterStatus.Invalid, "Validation failed\n\ncomponent link not found\n"), (answer.Status, answer.Message));
        parameters.Register(new Links());
        answer = await SetAsync(parameters, ParameterKey.Of(NamespaceName.Default, "link", "a"), "1");
        Assert.Equal((ParameterStatus.Invalid, "Validation failed\n\nlink should be a map\nreally\n"), (answer.Status, answer.Message));
        answer = await SetAsync(parameters, ParameterKey.Of(NamespaceName.Default, "vhost-limits", "limits"), "{\"max-queues\":\"many\"}");
        Assert.Equal("Validation failed\n\nmax-queues should be a number, actually was <<\"many\">>\n", answer.Message);
        answer = await SetAsync(parameters, ParameterKey.Of(NamespaceName.Default, "vhost-limits", "limits"), "{\"max-cats\":1}");
        Assert.Equal("Validation failed\n\nUnrecognised terms [{<<\"max-cats\">>,1}] in limits\n", answer.Message);
    }

    [Fact]
    public async Task Limits_are_parameters_and_survive_a_restart()
    {
        await using var broker = await TestBroker.StartAsync();
        var limits = broker.Broker.Limits;
        Assert.Equal(ParameterStatus.Ok, (await limits.SetAsync(Other, LimitNames.MaxQueues, 5)).Status);
        Assert.Equal(ParameterStatus.Ok, (await limits.SetAsync(Other, LimitNames.MaxConnections, -1)).Status);
        Assert.Equal(ParameterStatus.NotFound, (await limits.SetUserAsync("ann", LimitNames.MaxChannels, 2)).Status);
        await broker.Broker.Accounts.CreateUserAsync(Ann);
        Assert.Equal(ParameterStatus.Ok, (await limits.SetUserAsync("ann", LimitNames.MaxChannels, 2)).Status);
        Assert.Equal(ParameterStatus.Invalid, (await limits.SetUserAsync("ann", LimitNames.MaxQueues, 2)).Status);
        Assert.Equal("{\"max-queues\":5,\"max-connections\":-1}", broker.Broker.Parameters.List("vhost-limits").Single().Value);
        await broker.RestartAsync();
        limits = broker.Broker.Limits;
        Assert.Equal((5L, -1L), (limits.Of(Other)[LimitNames.MaxQueues], limits.Of(Other)[LimitNames.MaxConnections]));
        Assert.Equal(["ann"], limits.Users);
        Assert.Equal(ParameterStatus.Ok, (await limits.RemoveAsync(Other, LimitNames.MaxQueues)).Status);
        Assert.Equal(ParameterStatus.Ok, (await limits.RemoveAsync(Other, LimitNames.MaxConnections)).Status);
        Assert.Equal(ParameterStatus.NotFound, (await limits.RemoveAsync(Other, LimitNames.MaxConnections)).Status);
        Assert.Equal(ParameterStatus.Ok, (await limits.RemoveUserAsync("ann", LimitNames.MaxChannels)).Status);
        Assert.Empty(limits.Namespaces);
        Assert.Empty(limits.OfUser("ann"));
    }

    [Fact]
    public async Task Limits_of_a_user_go_with_the_user_in_one_commit()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.Broker.Accounts.CreateUserAsync(Ann);
        await broker.Broker.Limits.SetUserAsync("ann", LimitNames.MaxChannels, 2);
        var heard = new List<ParameterKey>();
        broker.Broker.Parameters.Changed += heard.Add;
        var before = broker.Broker.CompletedCommits;
        Assert.Equal(AccountStatus.Ok, (await broker.Broker.Accounts.DeleteUserAsync("ann")).Status);
        Assert.Equal(before + 1, broker.Broker.CompletedCommits);
        Assert.Empty(broker.Broker.Limits.Users);
        Assert.Equal([ParameterKey.OfUser("ann", "user-limits")], heard);
        Assert.Equal(ParameterStatus.NotFound, (await broker.Broker.Limits.SetUserAsync("ann", LimitNames.MaxChannels, 2)).Status);
        await broker.Broker.Accounts.CreateUserAsync(Ann);
        await broker.RestartAsync();
        Assert.Empty(broker.Broker.Limits.Users);
        Assert.Empty(broker.Broker.Limits.OfUser("ann"));
    }

    [Fact]
    public async Task No_limit_outlives_a_user_who_goes_while_it_is_set()
    {
        await using var broker = await TestBroker.StartAsync();
        for (var round = 0; round < 50; round++)
        {
            await broker.Broker.Accounts.CreateUserAsync(Ann);
            var setting = broker.Broker.Limits.SetUserAsync("ann", LimitNames.MaxChannels, round).AsTask();
            var deleting = broker.Broker.Accounts.DeleteUserAsync("ann").AsTask();
            await Task.WhenAll(setting, deleting);
            Assert.Equal(AccountStatus.Ok, (await deleting).Status);
            Assert.Empty(broker.Broker.Limits.Users);
        }
    }

    private static ValueTask<ParameterAnswer> SetAsync(IParameters parameters, ParameterKey key, string value)
    {
        using var document = JsonDocument.Parse(value);
        return parameters.SetAsync(key, document.RootElement.Clone());
    }
}

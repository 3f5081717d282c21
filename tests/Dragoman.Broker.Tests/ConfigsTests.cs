using Dragoman.Broker.Configs;

namespace Dragoman.Broker.Tests;

public sealed class ConfigsTests
{
    private static readonly ConfigTarget Node = new(ConfigKind.Node, "1");

    [Fact]
    public async Task Configurations_survive_a_restart_and_others_hear_of_changes()
    {
        await using var broker = await TestBroker.StartAsync();
        var heard = new List<ConfigTarget>();
        broker.Broker.Configs.Changed += heard.Add;
        Assert.Equal(ConfigStatus.Ok, (await broker.Broker.Configs.ChangeAsync(Node, c => c.SetItem("a", "1").SetItem("b", "ü"))).Status);
        await broker.Broker.Store.CheckpointAsync();
        Assert.Equal(ConfigStatus.Ok, (await broker.Broker.Configs.ChangeAsync(Node, c => c.Remove("a"))).Status);
        Assert.Equal(ConfigStatus.Ok, (await broker.Broker.Configs.ChangeAsync(new(ConfigKind.Group, "g"), c => c.SetItem("c", "2"))).Status);
        Assert.Equal(ConfigStatus.Ok, (await broker.Broker.Configs.ChangeAsync(new(ConfigKind.Group, "g"), c => c.Clear())).Status);
        Assert.Equal(4, heard.Count);
        await broker.RestartAsync();
        Assert.Equal(("b", "ü"), broker.Broker.Configs.Get(Node).Select(c => (c.Key, c.Value)).Single());
        Assert.Equal(["1"], broker.Broker.Configs.Names(ConfigKind.Node));
        Assert.Empty(broker.Broker.Configs.Names(ConfigKind.Group));
    }

    [Fact]
    public async Task A_change_that_throws_changes_nothing()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.Broker.Configs.ChangeAsync(Node, c => c.SetItem("a", "1"));
        await Assert.ThrowsAsync<FormatException>(() => broker.Broker.Configs.ChangeAsync(Node, _ => throw new FormatException()).AsTask());
        Assert.Equal("1", broker.Broker.Configs.Get(Node)["a"]);
    }
}

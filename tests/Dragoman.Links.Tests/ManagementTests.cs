using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Dragoman.TestKit;

namespace Dragoman.Links.Tests;

/// <summary>Links as RabbitMQ's management API shows them, in a broker as users start it.</summary>
public sealed class ManagementTests
{
    [Fact]
    public async Task A_shovel_is_shown_restarted_and_deleted()
    {
        await using var other = await DragomanServer.StartAsync(new ServerOptions { Listeners = ["amqp", "admin"] });
        var uri = $"amqp://guest:secret@{other.Address("amqp")}/%2F";
        using var workspace = new Workspace();
        await KillTests.SetShovelAsync(workspace.Data, new Dictionary<string, object> { ["src-uri"] = uri, ["src-queue"] = "from", ["dest-uri"] = "amqp://", ["dest-queue"] = "to" });
        await using var dragoman = await DragomanServer.StartAsync(new ServerOptions { Listeners = ["amqp", "admin"], Data = workspace.Data });
        using var api = new HttpClient { BaseAddress = new Uri($"http://{dragoman.Address("admin")}/api/") };
        await AmqpClient.DeclareAsync(uri, "from");
        await AmqpClient.PublishAsync(uri, "from", 0, 10);
        JsonObject? shovel = null;
        await Eventually.TrueAsync(async () => (shovel = await ShowAsync()) is not null && shovel["forwarded"]?.GetValue<int>() == 10, "the shovel has carried all");
        Assert.Equal(("s", "/", "dynamic", "running"), ((string?)shovel!["name"], (string?)shovel["vhost"], (string?)shovel["type"], (string?)shovel["state"]));
        Assert.Equal(("from", "to", "amqp091", "amqp://"), ((string?)shovel["src_queue"], (string?)shovel["dest_queue"], (string?)shovel["src_protocol"], (string?)shovel["dest_uri"]));
        Assert.Equal($"amqp://{other.Address("amqp")}/%2F", (string?)shovel["src_uri"]);
        var defined = (await api.GetFromJsonAsync<JsonObject>("shovels/vhost/%2F/s"))!;
        Assert.Equal($"amqp://{other.Address("amqp")}/%2F", (string?)defined["value"]!["src-uri"]);
        Assert.Equal(HttpStatusCode.NoContent, (await api.DeleteAsync("shovels/vhost/%2F/s/restart")).StatusCode);
        await Eventually.TrueAsync(async () => (await ShowAsync()) is { } again && (string?)again["state"] == "running", "the shovel runs again");
        Assert.Equal(HttpStatusCode.NotFound, (await api.DeleteAsync("shovels/vhost/%2F/none/restart")).StatusCode);
        Assert.Empty((await api.GetFromJsonAsync<JsonArray>("federation-links"))!);
        Assert.Equal(HttpStatusCode.NoContent, (await api.DeleteAsync("shovels/vhost/%2F/s")).StatusCode);
        await Eventually.TrueAsync(async () => (await api.GetFromJsonAsync<JsonArray>("shovels/%2F"))!.Count == 0, "the shovel is gone");
        Assert.Equal(10u, await AmqpClient.CountAsync($"amqp://guest:guest@{dragoman.Address("amqp")}/%2F", "to"));

        async Task<JsonObject?> ShowAsync() => (JsonObject?)(await api.GetFromJsonAsync<JsonArray>("shovels"))!.SingleOrDefault();
    }
}

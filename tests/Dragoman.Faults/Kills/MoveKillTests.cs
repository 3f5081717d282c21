using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Dragoman.TestKit;

namespace Dragoman.Faults.Kills;

/// <summary>
/// <c>kill -9</c> while messages are moved from one queue to others: each message is in one of them, in its order; none is
/// lost, none is there twice; and the move goes on until all are moved.
/// </summary>
public sealed class MoveKillTests(ITestOutputHelper output)
{
    private const int Messages = 20_000;
    private const int Portion = 1000;

    private readonly Random _random = new();

    [Fact]
    public async Task A_move_to_a_queue_is_exact_through_kills()
    {
        await using var server = await StartAsync("fsync");
        using var client = Open(server);
        await CreateAsync(client, "from", "{}");
        await CreateAsync(client, "to", "{}");
        await PublishAsync(client, "from", 0, Messages);
        await MoveThroughKillsAsync(server, client, "from", "to", ["to"], (Counts.Kills + 1) / 2);
        Assert.Equal(Enumerable.Range(0, Messages), await NumbersAsync(client, "to"));
    }

    [Fact]
    public async Task Dead_letters_go_back_to_where_they_came_from_exactly_through_kills()
    {
        await using var server = await StartAsync("written");
        using var client = Open(server);
        string[] origins = ["a", "b", "c"];
        await CreateAsync(client, "dead", """{"commitMode":"written"}""");
        foreach (var origin in origins) await CreateAsync(client, origin, """{"commitMode":"written","deadLetterQueue":"dead"}""");
        for (var i = 0; i < Messages / Portion; i++) await DieAsync(client, origins[i % origins.Length], i * Portion);
        await MoveThroughKillsAsync(server, client, "dead", null, origins, Math.Max(2, Counts.Kills / 2));
        for (var i = 0; i < origins.Length; i++)
            Assert.Equal(Enumerable.Range(0, Messages).Where(n => n / Portion % origins.Length == i), await NumbersAsync(client, origins[i]));
    }

    /// <summary>Moves, and kills in the middle; cancels the move, looks whether all are there once, and moves the rest.</summary>
    private async Task MoveThroughKillsAsync(DragomanServer server, HttpClient client, string source, string? target, string[] targets, int kills)
    {
        // Slow enough for the kills to come while it runs.
        var rate = Messages / (kills + 4);
        var move = await StartAsync(client, source, target, rate);
        for (var kill = 1; kill <= kills; kill++)
        {
            var before = move;
            await Eventually.TrueAsync(async () => Moved(move = await FindAsync(client, move)) > Moved(before), "the move goes on after a start");
            await Task.Delay(_random.Next(400));
            move = await FindAsync(client, move);
            Assert.Equal("running", (string?)move["state"]);
            await server.KillAsync();
            output.WriteLine($"kill {kill}: {Moved(move)} of {Messages} were moved");
            // Recovery itself must be as sudden an end to survive as any other.
            if (_random.Next(3) == 0) await server.StartAndKillAsync(TimeSpan.FromMilliseconds(_random.Next(600)));
            await server.StartAgainAsync();
        }
        await OkAsync(client, HttpMethod.Delete, Path(move), null);
        move = await EndAsync(client, move);
        Assert.Equal("cancelled", (string?)move["state"]);
        var (left, arrived) = (await NumbersAsync(client, source), new List<int>());
        foreach (var queue in targets) arrived.AddRange(await NumbersAsync(client, queue));
        output.WriteLine($"cancelled: {arrived.Count} were moved, {left.Count} are left");
        Assert.Equal(Moved(move), arrived.Count);
        Assert.InRange(left.Count, 1, Messages - 1);
        Assert.Equal(Enumerable.Range(0, Messages), left.Concat(arrived).Order());
        // As fast as it goes, a kill finds messages on their way.
        move = await StartAsync(client, source, target, null);
        await Task.Delay(_random.Next(100));
        await server.KillAsync();
        await server.StartAgainAsync();
        var rest = await EndAsync(client, move);
        Assert.Equal(("completed", (long)left.Count), ((string?)rest["state"], Moved(rest)));
        Assert.Empty(await NumbersAsync(client, source));
    }

    // Journal files as small as they may be: kills also meet rolls, checkpoints and file switches.
    private static Task<DragomanServer> StartAsync(string mode) => DragomanServer.StartAsync("--journal-file-size", "1MiB", "--commit-mode", mode);

    private static HttpClient Open(DragomanServer server)
    {
        // A connection to a broker that was killed is not used again.
        var handler = new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.Zero };
        return new HttpClient(handler) { BaseAddress = new Uri($"http://{server.Address("admin")}/_dragoman/v1/") };
    }

    private static async Task<JsonNode> OkAsync(HttpClient client, HttpMethod method, string path, string? body)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        using var response = await client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{method} {path}: {text}");
        return JsonNode.Parse(text)!;
    }

    private static Task<JsonNode> CreateAsync(HttpClient client, string queue, string settings) =>
        OkAsync(client, HttpMethod.Post, "queues", $$"""{"name":"{{queue}}","settings":{{settings}}}""");

    private static async Task PublishAsync(HttpClient client, string queue, int first, int count)
    {
        for (var from = first; from < first + count; from += Portion)
            await OkAsync(client, HttpMethod.Post, $"queues/{queue}/messages", $$"""{"messages":[{{string.Join(',', Enumerable.Range(from, Portion).Select(n => $$"""{"value":"{{n}}"}"""))}}]}""");
    }

    /// <summary>Publishes a portion of messages to a queue, and rejects them.</summary>
    private static async Task DieAsync(HttpClient client, string queue, int first)
    {
        await PublishAsync(client, queue, first, Portion);
        var received = (await OkAsync(client, HttpMethod.Post, $"queues/{queue}/receive", $$"""{"max":{{Portion}}}"""))["messages"]!.AsArray();
        Assert.Equal(Portion, received.Count);
        await OkAsync(client, HttpMethod.Post, $"queues/{queue}/settle", $$"""{"action":"reject","leases":[{{string.Join(',', received.Select(m => m!["lease"]!.ToJsonString()))}}]}""");
    }

    private static Task<JsonNode> StartAsync(HttpClient client, string source, string? target, int? rate)
    {
        var wish = new JsonObject { ["source"] = source };
        if (target is not null) wish["target"] = target;
        if (rate is not null) wish["messagesPerSecond"] = rate;
        return OkAsync(client, HttpMethod.Post, "moves", wish.ToJsonString());
    }

    private static string Path(JsonNode move) => $"moves/{move["id"]}";

    private static Task<JsonNode> FindAsync(HttpClient client, JsonNode move) => OkAsync(client, HttpMethod.Get, Path(move), null);

    private static async Task<JsonNode> EndAsync(HttpClient client, JsonNode move)
    {
        await Eventually.TrueAsync(async () => (move = await FindAsync(client, move))["endedAt"] is not null, "the end of a move", TimeSpan.FromMinutes(2));
        return move;
    }

    private static long Moved(JsonNode move) => (long)move["moved"]!;

    /// <summary>The numbers of all messages of a queue, in its order.</summary>
    private static async Task<List<int>> NumbersAsync(HttpClient client, string queue)
    {
        var numbers = new List<int>();
        for (long? from = 0; from is not null;)
        {
            var page = await OkAsync(client, HttpMethod.Get, $"queues/{queue}/messages?limit={Portion}&from={from}", null);
            numbers.AddRange(page["messages"]!.AsArray().Select(m => int.Parse((string)m!["value"]!, CultureInfo.InvariantCulture)));
            from = (long?)page["next"];
        }
        return numbers;
    }
}

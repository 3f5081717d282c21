using System.Text;
using System.Text.Json.Nodes;
using Dragoman.TestKit;

namespace Dragoman.Cli.Tests;

public sealed class ClientTests : IAsyncLifetime
{
    private readonly Workspace _workspace = new();
    private ServeProcess _serve = null!;

    public async ValueTask InitializeAsync() =>
        _serve = await ServeProcess.StartAsync(_workspace.Path, "--data", _workspace.Data, "--kafka", "0", "--amqp", "off", "--aws", "off", "--redis", "off", "--admin", "0", "--journal-file-size", "2MiB");

    public async ValueTask DisposeAsync()
    {
        await _serve.DisposeAsync();
        _workspace.Dispose();
    }

    private async Task<string> OkAsync(params string[] arguments)
    {
        var result = await _serve.RunAsync(arguments);
        Assert.True(result.ExitCode == 0, result.Error);
        return result.Output;
    }

    private async Task<string> FailAsync(params string[] arguments)
    {
        var result = await _serve.RunAsync(arguments);
        Assert.Equal(1, result.ExitCode);
        Assert.Equal("", result.Output);
        return result.Error;
    }

    private static byte[] Lines(int count)
    {
        var text = new StringBuilder();
        for (var i = 0; i < count; i++) text.Append("line ").Append(i).Append(" of a text that repeats itself é\r\n");
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    [Fact]
    public async Task Topics_are_created_listed_described_altered_and_deleted()
    {
        Assert.Equal("Created topic orders with 3 partitions.\n", await OkAsync("topic", "create", "orders", "--partitions", "3", "--retention", "12h"));
        Assert.Equal("dragoman: Topic 'orders' is there already.\n", await FailAsync("topic", "create", "orders"));
        Assert.Equal("TOPIC   PARTITIONS  RECORDS  SIZE  COMMIT MODE\norders           3        0   0 B  fsync\n", await OkAsync("topic", "list"));
        var described = JsonNode.Parse(await OkAsync("topic", "describe", "orders", "--json"))!;
        Assert.Equal(43_200_000, (long)described["settings"]!["retentionMs"]!);
        Assert.Contains("Retention:      for ever, at least 1 KiB per partition\n", await OkAsync("topic", "alter", "orders", "--retention", "forever", "--retention-bytes", "1KiB", "--partitions", "4"));
        Assert.Equal("Deleted topic orders.\n", await OkAsync("topic", "delete", "orders"));
        Assert.Equal("dragoman: There is no topic 'orders'.\n", await FailAsync("topic", "describe", "orders"));
        Assert.Empty(JsonNode.Parse(await OkAsync("topic", "list", "--json"))!["topics"]!.AsArray());
    }

    [Theory]
    [InlineData("none")]
    [InlineData("gzip")]
    [InlineData("snappy")]
    [InlineData("lz4")]
    [InlineData("zstd")]
    public async Task A_text_goes_in_and_comes_out_byte_for_byte(string codec)
    {
        var text = Lines(100_000);
        var produced = await _serve.SendAsync(text, "produce", "text", "--compression", codec, "--json");
        Assert.Equal(0, produced.ExitCode);
        Assert.Equal(100_000, (long)JsonNode.Parse(produced.Output)!["records"]!);
        var consumed = await _serve.RunAsync("consume", "text");
        Assert.True(text.AsSpan().SequenceEqual(consumed.OutputBytes));
        Assert.Equal("", consumed.Error);
    }

    [Fact]
    public async Task Keys_partitions_positions_and_formats()
    {
        await OkAsync("topic", "create", "t", "--partitions", "2");
        Assert.Equal(0, (await _serve.SendAsync("a=1\nb\n"u8.ToArray(), "produce", "t", "--key-separator", "=", "--partition", "1")).ExitCode);
        Assert.Equal("1\nb\n", await OkAsync("consume", "t"));
        Assert.Equal("a\t1\nb\n", await OkAsync("consume", "t", "--format", "key-value"));
        Assert.Equal("a->1\n", await OkAsync("consume", "t", "--format", "key-value", "--key-separator", "->", "--limit", "1"));
        Assert.Equal("b\n", await OkAsync("consume", "t", "--partition", "1", "--from", "1"));
        Assert.Equal("", await OkAsync("consume", "t", "--from", "end"));
        Assert.Equal("", await OkAsync("consume", "t", "--partition", "0"));
        Assert.Contains("say which partition", await FailAsync("consume", "t", "--from", "1"));
        Assert.Contains("no partition '2'", await FailAsync("consume", "t", "--partition", "2"));
        var json = await OkAsync("consume", "t", "--json");
        Assert.Equal("a", (string?)JsonNode.Parse(json.Split('\n')[0])!["key"]);
        var copied = string.Concat(json.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonNode.Parse(l)!.AsObject()).Select(r =>
        {
            r.Remove("offset");
            return r.ToJsonString() + "\n";
        }));
        await OkAsync("topic", "create", "copy", "--partitions", "2");
        Assert.Equal(0, (await _serve.SendAsync(Encoding.UTF8.GetBytes(copied), "produce", "copy", "--format", "json")).ExitCode);
        Assert.Equal(json, await OkAsync("consume", "copy", "--json"));
    }

    [Fact]
    public async Task Groups_are_reset_shown_and_deleted()
    {
        Assert.Equal("GROUP  KIND  STATE  MEMBERS  LAG  TOPICS\n", await OkAsync("group", "list"));
        await OkAsync("topic", "create", "orders");
        await _serve.SendAsync("a\nb\nc\n"u8.ToArray(), "produce", "orders");
        Assert.Equal(
            "TOPIC   PARTITION  FROM  TO  LAG THEN\norders          0     -   0         3\n\nNothing was changed: leave --dry-run out to do it.\n",
            await OkAsync("group", "reset-offsets", "billing", "--to", "earliest", "--topic", "orders", "--dry-run"));
        Assert.Contains("no group 'billing'", await FailAsync("group", "describe", "billing"));
        Assert.Contains("Reset 1 partition of group billing.\n", await OkAsync("group", "reset-offsets", "billing", "--to", "1", "--topic", "orders", "--partition", "0"));
        Assert.Equal("GROUP    KIND     STATE  MEMBERS  LAG  TOPICS\nbilling  classic  empty        0    2  orders\n", await OkAsync("group", "list"));
        var described = await OkAsync("group", "describe", "billing");
        Assert.Contains("Total lag:  2\n", described);
        Assert.Matches("(?m)^orders +0 +1 +3 +2 +- ", described);
        Assert.Equal(2, (long)JsonNode.Parse(await OkAsync("group", "describe", "billing", "--json"))!["lag"]!);
        Assert.Equal("Deleted group billing.\n", await OkAsync("group", "delete", "billing"));
        Assert.Equal(2, (await _serve.RunAsync("group", "reset-offsets", "billing")).ExitCode);
    }

    [Fact]
    public async Task Queues_are_made_used_and_their_dead_letters_moved_back()
    {
        Assert.Equal("QUEUE  TYPE  READY  LEASED  DELAYED  CONSUMERS  COMMIT MODE\n", await OkAsync("queue", "list"));
        await OkAsync("queue", "create", "dead");
        Assert.Equal("Created queue work.\n", await OkAsync("queue", "create", "work", "--dead-letter-queue", "dead", "--replay-window", "1h", "--dispatch", "by-key"));
        Assert.Equal("dragoman: Queue 'work' is there already.\n", await FailAsync("queue", "create", "work"));
        Assert.Equal("1 message published.\n", (await _serve.RunAsync("queue", "publish", "work", "first", "--key", "k", "--header", "a=b")).Error);
        Assert.Equal("3 messages published.\n", (await _serve.SendAsync([.. "é\n"u8, 0xFF, (byte)'\n', .. "last"u8], "queue", "publish", "work")).Error);
        var peeked = await OkAsync("queue", "peek", "work");
        Assert.Matches("(?m)^ +0  .* UTC +0  k +first$", peeked);
        Assert.Matches(@"(?m)^ +2  .* UTC +0  - +\(1 byte\)$", peeked);
        Assert.Equal("first\né\n", await OkAsync("queue", "receive", "work", "--max", "2"));
        Assert.Contains("\"valueBase64\":\"/w==\"", await OkAsync("queue", "receive", "work", "--json", "--requeue"));
        var rejected = await _serve.RunAsync("queue", "receive", "work", "--reject", "--max", "9");
        Assert.Equal([0xFF, (byte)'\n', .. "last\n"u8], rejected.OutputBytes);
        Assert.Equal("No message is ready in queue work.\n", (await _serve.RunAsync("queue", "receive", "work")).Error);
        Assert.Contains("rejected in work", await OkAsync("queue", "peek", "dead"));
        Assert.Equal("Moved 2 messages from queue dead back to where they came from.\n", await OkAsync("queue", "move", "dead"));
        Assert.Matches(@"(?m)^[0-9a-f-]{36} +dead +\(where they came from\) +completed +2 +2 +0 ", await OkAsync("queue", "moves"));
        Assert.Matches("(?m)^work +queue +2 +0 +0 +0  fsync$", await OkAsync("queue", "list"));
        Assert.Contains("Since it was made 6 messages came, 2 were acknowledged, 2 were dead-lettered.\n", await OkAsync("queue", "describe", "work"));
        Assert.Equal("Brought 4 settled messages back to queue work: 6 can be delivered now.\n", await OkAsync("queue", "replay", "work", "--to", "earliest"));
        Assert.Contains("'0' lies outside of what queue 'dead' keeps", await FailAsync("queue", "replay", "dead", "--to", "0"));
        Assert.Equal("Purged 6 messages of queue work.\n", await OkAsync("queue", "purge", "work"));
        Assert.Contains("no queue 'nowhere'", await FailAsync("queue", "move", "dead", "nowhere"));
        Assert.Equal("Deleted queue work.\n", await OkAsync("queue", "delete", "work", "--if-empty"));
    }

    [Fact]
    public async Task A_slow_move_is_left_alone_seen_and_cancelled()
    {
        await OkAsync("queue", "create", "a");
        await OkAsync("queue", "create", "b");
        await _serve.SendAsync("1\n2\n3\n"u8.ToArray(), "queue", "publish", "a");
        var started = await OkAsync("queue", "move", "a", "b", "--rate", "0.01", "--detach");
        Assert.Matches("^Moving 3 messages from queue a to queue b: move [0-9a-f-]{36}.\n$", started);
        Assert.Contains("0.01 a second", await OkAsync("queue", "moves"));
        Assert.Contains("are being moved already", await FailAsync("queue", "move", "a", "b"));
        Assert.Matches("^The move was cancelled after [01] messages? of 3.\n$", await OkAsync("queue", "cancel-move", started[^38..^2]));
    }

    [Fact]
    public async Task Exchanges_bindings_and_namespaces()
    {
        Assert.Equal("Created topic exchange shop.\n", await OkAsync("exchange", "create", "shop", "--type", "topic"));
        await OkAsync("queue", "create", "q");
        Assert.Equal("Bound queue q to exchange shop.\n", await OkAsync("bind", "add", "shop", "q", "--key", "a.#", "--argument", "n=5", "--argument", "s=x \"y\""));
        Assert.Equal("Bound exchange amq.fanout to exchange shop.\n", await OkAsync("bind", "add", "shop", "amq.fanout", "--to-exchange"));
        Assert.Equal("EXCHANGE  TO        NAME        KEY  ARGUMENTS\nshop      queue     q           a.#  n=5, s=x \"y\"\nshop      exchange  amq.fanout  -    -\n", await OkAsync("bind", "list"));
        Assert.Equal("EXCHANGE  TYPE   BINDINGS  DURABLE  LOG  ALTERNATE\nshop      topic         2  yes      no   -\n", await OkAsync("exchange", "list"));
        Assert.Contains("a.#", await OkAsync("exchange", "describe", "shop"));
        Assert.Contains("a.#", await OkAsync("queue", "describe", "q"));
        Assert.Contains("no such binding", await FailAsync("bind", "remove", "shop", "q"));
        Assert.Equal("Unbound queue q from exchange shop.\n", await OkAsync("bind", "remove", "shop", "q", "--key", "a.#", "--argument", "n=5", "--argument", "s=x \"y\""));
        Assert.Contains("has bindings", await FailAsync("exchange", "delete", "shop", "--if-unused"));
        Assert.Equal("Deleted exchange shop.\n", await OkAsync("exchange", "delete", "shop"));
        Assert.Equal("Created namespace public/sales, which is virtual host 'sales' to AMQP clients.\n", await OkAsync("namespace", "create", "sales", "--description", "of sales"));
        Assert.Matches("(?m)^public/sales +sales +.* UTC  of sales$", await OkAsync("namespace", "list"));
        Assert.Equal("Deleted namespace public/sales.\n", await OkAsync("namespace", "delete", "public/sales"));
    }

    [Fact]
    public async Task A_refused_record_ends_produce_with_the_reason()
    {
        await OkAsync("topic", "create", "t", "--max-message-bytes", "1KiB");
        var result = await _serve.SendAsync(Encoding.UTF8.GetBytes($"a\n{new string('x', 5000)}\n"), "produce", "t");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("larger than the topic's maxMessageBytes", result.Error);
        Assert.Equal("a\n", await OkAsync("consume", "t"));
    }

    [Fact]
    public async Task A_broker_that_is_not_there_is_explained()
    {
        await _serve.StopAsync();
        Assert.Contains("Is 'dragoman serve' running there?", await FailAsync("topic", "list"));
    }

    [Fact]
    public async Task A_stopped_directory_is_inspected_and_a_running_one_is_left_alone()
    {
        await OkAsync("topic", "create", "orders", "--partitions", "2");
        await _serve.SendAsync(Lines(100_000), "produce", "big");
        await _serve.SendAsync("a\nb\n"u8.ToArray(), "produce", "orders", "--partition", "1");
        var busy = await FailAsync("storage", "inspect", _workspace.Data);
        Assert.Contains($"in use by process {_serve.Id}", busy);
        await _serve.StopAsync();
        var before = Fingerprint();
        var text = await OkAsync("storage", "inspect", _workspace.Data);
        Assert.Contains("whole; stopped in good order", text);
        Assert.Contains("No damage found.", text);
        Assert.Matches(@"(?m)^big +0 +\d+ +0  100000 ", text);
        var json = JsonNode.Parse(await OkAsync("storage", "inspect", _workspace.Data, "--json", "--rounds"))!;
        var orders = json["topics"]!.AsArray().Single(t => (string?)t!["name"] == "orders")!;
        Assert.Equal(2, (long)orders["partitions"]![1]!["endOffset"]!);
        Assert.Equal("clean-stop", (string?)json["rounds"]!.AsArray()[^1]!["commits"]!.AsArray()[^1]!["entries"]![0]!["kind"]);
        Assert.Equal(before, Fingerprint());
    }

    [Fact]
    public async Task A_directory_is_inspected_after_kill_9_and_damage_in_a_segment_is_found()
    {
        await _serve.SendAsync(Lines(3_000), "produce", "small1");
        await _serve.SendAsync(Lines(3_000), "produce", "small2");
        await _serve.SendAsync(Lines(200_000), "produce", "big");
        using (var http = new HttpClient())
            (await http.PostAsync(new Uri($"http://{_serve.Address("admin")}/_dragoman/v1/storage/checkpoint"), null)).EnsureSuccessStatusCode();
        await _serve.KillAsync();
        var text = await OkAsync("storage", "inspect", _workspace.Data);
        Assert.Contains("whole; not stopped in good order", text);
        Assert.Matches(@"(?m)^small1 +0 +\d+ +0 +3000 ", text);
        var segment = Directory.GetFiles(_workspace.Data, "*.seg").Order(StringComparer.Ordinal).First();
        await using (var file = File.Open(segment, FileMode.Open))
        {
            file.Position = 32 + 500;
            file.WriteByte(0xA5);
        }
        var damaged = await _serve.RunAsync("storage", "inspect", _workspace.Data);
        Assert.Equal(3, damaged.ExitCode);
        Assert.Contains($"DAMAGE: {segment} at 32: The batch of log", damaged.Output);
        Assert.Equal(0, (await _serve.RunAsync("storage", "inspect", _workspace.Data, "--quick")).ExitCode);
    }

    [Theory]
    [InlineData("--version")]
    [InlineData("--help")]
    [InlineData("topic", "--help")]
    [InlineData("storage", "inspect", "--help")]
    public async Task Help_and_version_are_there(params string[] arguments) => Assert.NotEqual("", await OkAsync(arguments));

    [Fact]
    public async Task What_is_not_a_command_is_refused_on_stderr()
    {
        var result = await _serve.RunAsync("frobnicate");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("frobnicate", result.Error);
        Assert.Equal("", result.Output);
    }

    private string Fingerprint() =>
        string.Join('\n', Directory.GetFiles(_workspace.Data).Where(f => !f.EndsWith("dragoman.lock", StringComparison.Ordinal)).Order(StringComparer.Ordinal)
            .Select(f => $"{f} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(f)))}"));
}

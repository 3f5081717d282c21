using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Dragoman.TestKit;

namespace Dragoman.Cli.Tests;

public sealed class ServeTests : IDisposable
{
    private readonly Workspace _workspace = new();

    private string Here => _workspace.Path;

    private string[] Free => ["--data", _workspace.Data, "--kafka", "0", "--amqp", "0", "--aws", "0", "--redis", "0", "--admin", "0"];

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task It_says_where_it_listens_and_when_it_is_ready()
    {
        await using var serve = await ServeProcess.StartAsync(Here, Free);
        Assert.Matches(@"^listening kafka 127\.0\.0\.1:\d+$", serve.Lines[0]);
        Assert.Matches(@"^listening amqp 127\.0\.0\.1:\d+$", serve.Lines[1]);
        Assert.Matches(@"^listening aws 127\.0\.0\.1:\d+$", serve.Lines[2]);
        Assert.Matches(@"^listening redis 127\.0\.0\.1:\d+$", serve.Lines[3]);
        Assert.Matches(@"^listening admin 127\.0\.0\.1:\d+$", serve.Lines[4]);
        Assert.Matches(@"^ready in \d+ ms$", serve.Lines[5]);
        Assert.Equal(6, serve.Lines.Count);
        foreach (var listener in new[] { "kafka", "amqp", "aws", "redis", "admin" })
        {
            using var socket = new TcpClient();
            await socket.ConnectAsync(IPEndPoint.Parse(serve.Address(listener)), TestContext.Current.CancellationToken);
        }
        using var http = new HttpClient();
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(new Uri($"http://{serve.Address("admin")}/health/ready"), TestContext.Current.CancellationToken)).StatusCode);
    }

    [Fact]
    public async Task A_listener_can_be_off()
    {
        await using var serve = await ServeProcess.StartAsync(Here, "--data", _workspace.Data, "--kafka", "off", "--amqp", "off", "--aws", "off", "--redis", "off", "--admin", "0");
        Assert.Equal(["listening", "ready"], serve.Lines.Select(l => l.Split(' ')[0]));
        var none = await Executable.RunAsync(Here, null, null, "serve", "--data", _workspace.Data + "2", "--kafka", "off", "--amqp", "off", "--aws", "off", "--redis", "off", "--admin", "off");
        Assert.Equal(2, none.ExitCode);
    }

    [Fact]
    public async Task After_sigterm_it_ends_with_zero_and_the_next_start_is_clean()
    {
        await using (var first = await ServeProcess.StartAsync(Here, Free))
        {
            Assert.Equal(0, (await first.SendAsync("a\nb\n"u8.ToArray(), "produce", "t")).ExitCode);
            Assert.Equal(0, await first.StopAsync());
        }
        await using var second = await ServeProcess.StartAsync(Here, Free);
        var overview = await OverviewAsync(second);
        Assert.True((bool)overview["recovery"]!["wasClean"]!);
        Assert.Equal(0, (int)overview["leaderEpoch"]!);
        Assert.Equal("a\nb\n", (await second.RunAsync("consume", "t")).Output);
    }

    [Fact]
    public async Task A_consumer_that_follows_does_not_hold_up_the_stop()
    {
        await using var serve = await ServeProcess.StartAsync(Here, Free);
        await serve.SendAsync("a\n"u8.ToArray(), "produce", "t");
        await using var follower = serve.Start("consume", "t", "--follow");
        follower.Input.Close();
        Assert.Equal("a", await follower.ReadLineAsync(TimeSpan.FromMinutes(1)));
        Assert.False(follower.HasExited);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        Assert.Equal(0, await serve.StopAsync());
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), $"it took {watch.Elapsed}");
        Assert.Equal("a\n", (await follower.WaitAsync(TimeSpan.FromMinutes(1))).Output);
    }

    [Fact]
    public async Task After_kill_9_everything_acknowledged_is_there()
    {
        await using (var first = await ServeProcess.StartAsync(Here, Free))
        {
            Assert.Equal(0, (await first.SendAsync("a\nb\n"u8.ToArray(), "produce", "t")).ExitCode);
            await first.KillAsync();
        }
        await using var second = await ServeProcess.StartAsync(Here, Free);
        var overview = await OverviewAsync(second);
        Assert.False((bool)overview["recovery"]!["wasClean"]!);
        Assert.Equal(1, (int)overview["leaderEpoch"]!);
        Assert.Equal("a\nb\n", (await second.RunAsync("consume", "t")).Output);
    }

    [Fact]
    public async Task The_command_line_beats_the_environment_which_beats_appsettings()
    {
        await File.WriteAllTextAsync(Path.Join(Here, "appsettings.json"), """
            {
              // Comments are allowed.
              "Logging": { "ignored": true },
              "data": "from-file",
              "kafka": "off",
              "amqp": "off",
              "aws": "off",
              "redis": "off",
              "admin": 0,
              "Dragoman": { "partitions": 3, "commitMode": "written" }
            }
            """, TestContext.Current.CancellationToken);
        await using (var file = await ServeProcess.StartAsync(Here))
        {
            var topic = await CreatedAsync(file);
            Assert.Equal(3, topic["partitions"]!.AsArray().Count);
            Assert.Equal("written", (string?)topic["settings"]!["commitMode"]);
            Assert.True(Directory.Exists(Path.Join(Here, "from-file")));
        }
        var environment = new Dictionary<string, string?> { ["DRAGOMAN_DATA"] = _workspace.Data, ["DRAGOMAN_PARTITIONS"] = "4", ["DRAGOMAN_COMMIT_MODE"] = "memory" };
        await using (var variables = await ServeProcess.StartAsync(Here, environment))
        {
            var topic = await CreatedAsync(variables);
            Assert.Equal(4, topic["partitions"]!.AsArray().Count);
            Assert.Equal("memory", (string?)topic["settings"]!["commitMode"]);
            Assert.True(Directory.Exists(_workspace.Data));
        }
        await using var line = await ServeProcess.StartAsync(Here, environment, "--partitions", "5", "--data", _workspace.Data + "2", "--commit-mode", "fsync");
        var last = await CreatedAsync(line);
        Assert.Equal(5, last["partitions"]!.AsArray().Count);
        Assert.Equal("fsync", (string?)last["settings"]!["commitMode"]);
    }

    [Fact]
    public async Task Settings_that_do_not_exist_are_pointed_out()
    {
        await using var serve = await ServeProcess.StartAsync(Here, new Dictionary<string, string?> { ["DRAGOMAN_KAFAK"] = "1" }, Free);
        await serve.StopAsync();
        Assert.Contains("DRAGOMAN_KAFAK is set, but there is no such setting", serve.Error);
    }

    [Fact]
    public async Task Beyond_loopback_it_listens_only_when_told_that_strangers_may()
    {
        string[] beyond = [.. Free, "--bind", "0.0.0.0"];
        var refused = await Executable.RunAsync(Here, null, null, ["serve", .. beyond]);
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("--allow-anonymous", refused.Error);
        Assert.Equal("", refused.Output);
        await using var allowed = await ServeProcess.StartAsync(Here, [.. beyond, "--allow-anonymous"]);
        Assert.StartsWith("listening kafka 0.0.0.0:", allowed.Lines[0]);
    }

    [Fact]
    public async Task A_port_in_use_is_named_with_the_way_out()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var result = await Executable.RunAsync(Here, null, null, "serve", "--data", _workspace.Data, "--kafka", "0", "--amqp", "off", "--aws", "off", "--redis", "off", "--admin", $"{port}");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"Port {port} on 127.0.0.1 is in use", result.Error);
        Assert.Contains("--admin PORT", result.Error);
        AssertPlain(result);
        // The directory was closed in good order.
        await using var serve = await ServeProcess.StartAsync(Here, Free);
        Assert.True((bool)(await OverviewAsync(serve))["recovery"]!["wasClean"]!);
    }

    [Fact]
    public async Task A_second_broker_on_a_directory_learns_who_has_it()
    {
        await using var first = await ServeProcess.StartAsync(Here, Free);
        var second = await Executable.RunAsync(Here, null, null, ["serve", .. Free]);
        Assert.Equal(1, second.ExitCode);
        Assert.Contains($"in use by process {first.Id}", second.Error);
        AssertPlain(second);
    }

    [Fact]
    public async Task A_damaged_store_is_refused_with_the_reason_and_inspect_says_where()
    {
        await using (var first = await ServeProcess.StartAsync(Here, Free))
        {
            for (var i = 0; i < 5; i++) await first.SendAsync("some value\n"u8.ToArray(), "produce", "t");
            await first.StopAsync();
        }
        var journal = Directory.GetFiles(_workspace.Data, "*.jnl").Order(StringComparer.Ordinal).First();
        await using (var file = File.Open(journal, FileMode.Open))
        {
            // Inside the first round: the rounds behind it know that it was on disk.
            file.Position = 64 + 60;
            var b = file.ReadByte();
            file.Position--;
            file.WriteByte((byte)~b);
        }
        var result = await Executable.RunAsync(Here, null, null, ["serve", .. Free]);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("is damaged", result.Error);
        Assert.Contains("Round 1 of the journal", result.Error);
        AssertPlain(result);
        var inspection = await Executable.RunAsync(Here, null, null, "storage", "inspect", _workspace.Data);
        Assert.Equal(3, inspection.ExitCode);
        Assert.Contains($"DAMAGE: {journal} at 64: Round 1 is missing or damaged here", inspection.Output);
    }

    [Theory]
    [InlineData("--kafka", "70000")]
    [InlineData("--bind", "here")]
    [InlineData("--commit-mode", "never")]
    [InlineData("--partitions", "0")]
    [InlineData("--journal-file-size", "12")]
    [InlineData("--keep-free", "much")]
    [InlineData("--nonsense", "1")]
    public async Task Nonsense_is_refused_before_anything_is_touched(string option, string value)
    {
        var result = await Executable.RunAsync(Here, null, null, "serve", "--data", _workspace.Data, option, value);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(option, result.Error);
        AssertPlain(result);
        Assert.False(Directory.Exists(_workspace.Data));
    }

    private static void AssertPlain(ProcessResult result)
    {
        Assert.DoesNotContain("   at ", result.Error);
        Assert.DoesNotContain("Exception", result.Error);
        Assert.StartsWith("dragoman: ", result.Error);
    }

    private static async Task<JsonNode> OverviewAsync(ServeProcess serve)
    {
        using var http = new HttpClient();
        return JsonNode.Parse(await http.GetStringAsync(new Uri($"http://{serve.Address("admin")}/_dragoman/v1/overview")))!;
    }

    private static async Task<JsonNode> CreatedAsync(ServeProcess serve)
    {
        var result = await serve.RunAsync("topic", "create", "t", "--json");
        Assert.Equal("", result.Error);
        return JsonNode.Parse(result.Output)!;
    }
}

using Dragoman.TestKit;

namespace Dragoman.Cli.Tests;

/// <summary>What <c>serve</c> makes for clients of AWS at its start.</summary>
public sealed class AwsInitTests : IDisposable
{
    private readonly Workspace _workspace = new();

    private string Init => Path.Join(_workspace.Path, "init.json");

    private string[] Arguments => ["--data", _workspace.Data, "--kafka", "off", "--amqp", "off", "--redis", "off", "--admin", "off", "--aws", "0", "--aws-init", Init];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task Queues_of_the_file_are_there_and_stay_over_a_start_and_go_with_a_reset()
    {
        await File.WriteAllTextAsync(Init, """
            { // Dead-letter queues may come after those that name them.
              "queues": [
                { "name": "jobs", "attributes": { "VisibilityTimeout": 45, "RedrivePolicy": { "deadLetterQueue": "dead", "maxReceiveCount": 3 } }, "tags": { "team": "a" } },
                { "name": "dead" },
                { "name": "orders.fifo" },
              ]
            }
            """, Cancellation);
        using var http = new HttpClient();
        for (var start = 0; start < 2; start++)
        {
            await using var serve = await ServeProcess.StartAsync(_workspace.Path, [.. Arguments, "--test-mode"]);
            var address = $"http://{serve.Address("aws")}";
            var list = await http.GetStringAsync(new Uri($"{address}/?Action=ListQueues"), Cancellation);
            foreach (var name in new[] { "jobs", "dead", "orders.fifo" }) Assert.Contains($"/000000000000/{name}</QueueUrl>", list, StringComparison.Ordinal);
            var jobs = await http.GetStringAsync(new Uri($"{address}/000000000000/jobs?Action=GetQueueAttributes&AttributeName.1=All"), Cancellation);
            Assert.Contains("<Value>45</Value>", jobs, StringComparison.Ordinal);
            Assert.Contains("sqs:us-east-1:000000000000:dead", jobs, StringComparison.Ordinal);
            if (start == 0) continue;
            using var reset = await http.PostAsync(new Uri($"{address}/_dragoman/reset"), null, Cancellation);
            Assert.True(reset.IsSuccessStatusCode);
            Assert.DoesNotContain("<QueueUrl>", await http.GetStringAsync(new Uri($"{address}/?Action=ListQueues"), Cancellation), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("{ \"queues\": [ { \"name\": \"no good\" } ] }", "no good")]
    [InlineData("{ \"queus\": [] }", "queus")]
    [InlineData("not json", "init.json")]
    public async Task A_file_that_makes_no_sense_keeps_the_broker_from_starting(string json, string said)
    {
        await File.WriteAllTextAsync(Init, json, Cancellation);
        var result = await Executable.RunAsync(_workspace.Path, null, null, ["serve", .. Arguments]);
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains(said, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task There_is_no_reset_but_in_test_mode()
    {
        await File.WriteAllTextAsync(Init, "{ \"queues\": [ { \"name\": \"kept\" } ] }", Cancellation);
        await using var serve = await ServeProcess.StartAsync(_workspace.Path, Arguments);
        using var http = new HttpClient();
        using var reset = await http.PostAsync(new Uri($"http://{serve.Address("aws")}/_dragoman/reset"), null, Cancellation);
        Assert.False(reset.IsSuccessStatusCode);
        Assert.Contains("kept", await http.GetStringAsync(new Uri($"http://{serve.Address("aws")}/?Action=ListQueues"), Cancellation), StringComparison.Ordinal);
    }
}

using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Dragoman.Faults.Load;
using Dragoman.TestKit;

namespace Dragoman.Faults.Hostile.Aws;

/// <summary>Whatever some clients of SQS do, others are served, and the broker's memory stays bounded.</summary>
public sealed class AwsHostileTests(ITestOutputHelper output)
{
    private const long MostMemory = 900L << 20;

    [Fact]
    public async Task Receivers_that_wait_by_the_thousand_and_leave_take_no_message_with_them()
    {
        const int Receivers = 4000;
        await using var server = await StartAsync();
        using var client = new SqsClient(server.EndPoint("aws"));
        var queue = await client.CreateQueueAsync("q");
        var receive = Request("ReceiveMessage", $$"""{"QueueUrl":"{{queue}}","WaitTimeSeconds":20}""");
        var waiting = new List<Socket>();
        try
        {
            for (var i = 0; i < Receivers; i++)
            {
                waiting.Add(await ConnectAsync(server));
                await waiting[i].SendAsync(receive);
            }
            // Each that waits gets a message: all are at it.
            const int Fed = 100;
            for (var i = 0; i < Fed; i++) await client.CallAsync("SendMessage", new JsonObject { ["QueueUrl"] = queue, ["MessageBody"] = $"{i}" });
            await Eventually.TrueAsync(async () => await client.CountAsync(queue) == (0, Fed), "the messages are received");
            await client.CallAsync("PurgeQueue", new JsonObject { ["QueueUrl"] = queue });
        }
        finally
        {
            foreach (var socket in waiting) socket.Dispose();
        }
        await Eventually.TrueAsync(
            async () =>
            {
                // A message that one of those takes who are gone would be held by nobody; each try brings another.
                await client.CallAsync("SendMessage", new JsonObject { ["QueueUrl"] = queue, ["MessageBody"] = "x" });
                var answer = await client.CallAsync("ReceiveMessage", new JsonObject { ["QueueUrl"] = queue });
                return answer["Messages"] is JsonArray { Count: 1 };
            },
            "those who are gone have left the queue");
        AssertBounded(server);
    }

    [Fact]
    public async Task Bodies_that_do_not_come_hold_nobody_up()
    {
        await using var server = await StartAsync();
        using var client = new SqsClient(server.EndPoint("aws"));
        var queue = await client.CreateQueueAsync("q");
        var slow = new List<Socket>();
        try
        {
            // Together they say that they send more than the broker would hold.
            for (var i = 0; i < 500; i++)
            {
                slow.Add(await ConnectAsync(server));
                await slow[i].SendAsync(Encoding.ASCII.GetBytes($"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AmazonSQS.SendMessage\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {1 << 20}\r\n\r\n{{\"Queue"));
            }
            for (var i = 0; i < 50; i++)
            {
                await client.CallAsync("SendMessage", new JsonObject { ["QueueUrl"] = queue, ["MessageBody"] = $"{i}" });
                var received = (await client.CallAsync("ReceiveMessage", new JsonObject { ["QueueUrl"] = queue }))["Messages"]!.AsArray();
                Assert.Equal($"{i}", (string)received[0]!["Body"]!);
            }
        }
        finally
        {
            foreach (var socket in slow) socket.Dispose();
        }
        AssertBounded(server);
    }

    [Fact]
    public async Task Bodies_without_an_end_are_refused()
    {
        await using var server = await StartAsync();
        using (var declared = await ConnectAsync(server))
        {
            await declared.SendAsync(Encoding.ASCII.GetBytes($"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AmazonSQS.SendMessage\r\nContent-Length: {1L << 40}\r\n\r\n{{"));
            Assert.Equal(413, await ReadStatusAsync(declared));
        }
        using (var endless = await ConnectAsync(server))
        {
            await endless.SendAsync("POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AmazonSQS.SendMessage\r\nTransfer-Encoding: chunked\r\n\r\n"u8.ToArray());
            var chunk = Encoding.ASCII.GetBytes($"10000\r\n{new string(' ', 0x10000)}\r\n");
            try
            {
                for (var i = 0; i < 1024; i++) await endless.SendAsync(chunk);
                Assert.Fail("64 MiB were read.");
            }
            catch (SocketException)
            {
                // It was closed on us, as it should be.
            }
        }
        AssertBounded(server);
    }

    [Fact]
    public async Task Requests_that_make_no_sense_are_answered_as_such()
    {
        await using var server = await StartAsync();
        string[] requests =
        [
            "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello",
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 14\r\n\r\nAction=Nothing%",
            "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AmazonSQS.Nothing\r\nContent-Length: 2\r\n\r\n{}",
            "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AmazonSQS.SendMessage\r\nContent-Length: 2\r\n\r\n[]",
            "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: .\r\nContent-Length: 0\r\n\r\n",
            $"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AmazonSQS.ListQueues\r\nContent-Length: 20000\r\n\r\n{new string('[', 20_000)}",
            "PUT /%00/%ff HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AmazonSQS.PurgeQueue\r\nContent-Length: 0\r\n\r\n",
        ];
        foreach (var request in requests)
        {
            using var socket = await ConnectAsync(server);
            await socket.SendAsync(Encoding.ASCII.GetBytes(request));
            Assert.InRange(await ReadStatusAsync(socket), 400, 499);
        }
        AssertBounded(server);
    }

    private static Task<DragomanServer> StartAsync() => DragomanServer.StartAsync(new ServerOptions { Listeners = ["aws"], Arguments = ["--log-level", "error"] });

    private static async Task<Socket> ConnectAsync(DragomanServer server)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server.EndPoint("aws"));
        return socket;
    }

    private static byte[] Request(string operation, string body) => Encoding.ASCII.GetBytes(
        $"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AmazonSQS.{operation}\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {body.Length}\r\n\r\n{body}");

    private static async Task<int> ReadStatusAsync(Socket socket)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var buffer = new byte[64];
        var length = 0;
        while (length < 12)
        {
            var count = await socket.ReceiveAsync(buffer.AsMemory(length), patience.Token);
            Assert.True(count > 0, "The connection was closed without an answer.");
            length += count;
        }
        return int.Parse(Encoding.ASCII.GetString(buffer, 9, 3), CultureInfo.InvariantCulture);
    }

    private void AssertBounded(DragomanServer server)
    {
        var peak = ProcessMemory.Peak(server.ProcessId);
        output.WriteLine($"{peak >> 20} MiB at most");
        Assert.True(peak < MostMemory, $"{peak >> 20} MiB were resident.");
        Assert.True(!server.Error.Contains("ERROR", StringComparison.Ordinal), server.Error);
        Assert.DoesNotContain("CRIT", server.Error, StringComparison.Ordinal);
    }
}

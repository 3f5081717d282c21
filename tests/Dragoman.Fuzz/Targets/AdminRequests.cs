using System.Net;
using System.Text;
using Dragoman.Admin;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Topics;
using Dragoman.Fuzz.Fuzzing;
using Dragoman.Protocols;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dragoman.Fuzz.Targets;

/// <summary>
/// Requests to the admin API as they are on the wire, through the whole HTTP server: whatever is in them, none ends in an
/// internal error.
/// </summary>
internal sealed class AdminRequests : FuzzTarget, IAsyncDisposable
{
    private static readonly string[] s_methods = ["GET", "GET", "GET", "HEAD", "POST", "POST", "PUT", "PATCH", "DELETE"];

    private static readonly string[] s_paths =
    [
        "overview", "topics", "topics/t0", "topics/t1", "topics/t0/records", "topics/t0/records?partition=0&from=beginning&limit=3", "topics/t0/records?from=end&format=base64", "topics/a%2Fb",
        "topics?limit=2&after=t0", "groups", "groups/g0", "groups/g0/reset-offsets", "users", "users/u0", "users/u0/tokens", "users/u0/tokens/t", "users/u0/access-keys", "permissions",
        "permissions?user=u0", "test/clock", "test/clock/advance", "storage/checkpoint", "no/such/thing",
    ];

    private static readonly string[] s_bodies =
    [
        """{"name":"t0","partitions":2}""", """{"name":"t1","partitions":1,"settings":{"retentionMs":1000,"compacted":true}}""", """{"settings":{"retentionMs":-1}}""", """{"partitions":3}""",
        """{"key":"k","value":"v","headers":[{"key":"a","value":"b"}]}""" + "\n" + """{"value":"w","partition":1}""", "plain line\nanother", """{"to":"earliest","topics":["t0"],"dryRun":true}""",
        """{"to":0,"topics":["t0"],"partitions":[0]}""", """{"name":"u0","password":"secret","tags":["administrator"]}""", """{"user":"u0","resource":"topic","pattern":"t","patternType":"prefix","operations":["read"]}""",
        """{"seconds":1}""", """[1,[2,[3,{"a":null}]]]""", "",
    ];

    private readonly FuzzBroker _broker;
    private readonly AdminNode _node;
    private readonly FrontEndServer _server;
    private readonly string _socket;
    private int _runs;

    private AdminRequests(FuzzBroker broker, AdminNode node, FrontEndServer server, string socket)
    {
        _broker = broker;
        _node = node;
        _server = server;
        _socket = socket;
    }

    public static async Task<AdminRequests> StartAsync()
    {
        var broker = await FuzzBroker.StartAsync();
        var node = new AdminNode(broker.Broker);
        // A file instead of a port: so many connections would use up the ports.
        var socket = Path.Join(broker.Directory, "admin.socket");
        var server = await FrontEndServer.StartAsync([new FrontEndBinding(new AdminFrontEnd(node, broker), IPAddress.Loopback, 0) { SocketPath = socket }], NullLoggerFactory.Instance);
        node.IsReady = true;
        return new AdminRequests(broker, node, server, socket);
    }

    public override byte[] Generate(Random random)
    {
        var requests = new StringBuilder();
        for (var n = random.Next(1, 4); n > 0; n--)
        {
            var body = random.Next(3) == 0 ? "" : s_bodies[random.Next(s_bodies.Length)];
            requests.Append($"{s_methods[random.Next(s_methods.Length)]} /_dragoman/v1/{s_paths[random.Next(s_paths.Length)]} HTTP/1.1\r\nHost: localhost\r\n");
            if (random.Next(8) == 0) requests.Append($"Authorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes("u0:secret"))}\r\n");
            if (random.Next(8) == 0) requests.Append("Origin: http://localhost\r\n");
            if (body.Length > 0) requests.Append($"Content-Type: {(random.Next(4) == 0 ? "text/plain" : "application/json")}\r\n");
            if (n == 1) requests.Append("Connection: close\r\n");
            if (random.Next(4) == 0) requests.Append($"Transfer-Encoding: chunked\r\n\r\n{(body.Length > 0 ? $"{Encoding.UTF8.GetByteCount(body):x}\r\n{body}\r\n" : "")}0\r\n\r\n");
            else requests.Append($"Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");
        }
        return Encoding.UTF8.GetBytes(requests.ToString());
    }

    public override bool Decode(byte[] input, Random random) => DecodeAsync(input).GetAwaiter().GetResult();

    private async Task<bool> DecodeAsync(byte[] input)
    {
        if (_runs++ % 200 == 0) await ResetAsync();
        var answer = await HttpSocket.SendAsync(_socket, input);
        if (_broker.Errors.TryDequeue(out var error)) throw new FuzzFailedException($"The broker logged: {error}");
        if (_broker.Broker.Failed.IsCompleted) throw new FuzzFailedException($"The store stopped: {await _broker.Broker.Failed}");
        if (answer.StartsWith("HTTP/1.1 500", StringComparison.Ordinal)) throw new FuzzFailedException($"The answer is {answer[..Math.Min(answer.Length, 400)]}");
        return answer.StartsWith("HTTP/1.1 2", StringComparison.Ordinal);
    }

    /// <summary>Begins anew with one topic and nobody who would have to log in.</summary>
    private async Task ResetAsync()
    {
        foreach (var user in _broker.Broker.Accounts.Users) await _broker.Broker.Accounts.DeleteUserAsync(user.Name);
        foreach (var topic in _broker.Broker.Topics.List()) await _broker.Broker.Topics.DeleteAsync(topic.Name);
        await _broker.Broker.Topics.CreateAsync(new TopicName(NamespaceName.Default, "t0"), 2, _broker.Broker.Options.DefaultTopicSettings);
    }

    public override bool IsRefusal(Exception error) => false;

    // The work is spread over threads.
    public override long MostAllocated(byte[] input) => long.MaxValue;

    public async ValueTask DisposeAsync()
    {
        _node.Stop();
        await _server.DisposeAsync();
        await _broker.DisposeAsync();
        _node.Dispose();
    }
}

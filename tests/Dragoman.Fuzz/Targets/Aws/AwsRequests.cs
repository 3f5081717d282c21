using System.Net;
using System.Text;
using Dragoman.Aws;
using Dragoman.Fuzz.Fuzzing;
using Dragoman.Protocols;
using Dragoman.Protocols.Authentication;
using Dragoman.Storage.Journal;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dragoman.Fuzz.Targets.Aws;

/// <summary>
/// Requests of AWS' clients as they are on the wire, in both protocols, through the whole HTTP server: whatever is in them, none
/// ends in an internal error.
/// </summary>
internal sealed class AwsRequests : FuzzTarget, IAsyncDisposable
{
    private readonly FuzzBroker _broker;
    private readonly FrontEndServer _server;
    private readonly string _socket;
    private int _runs;

    private AwsRequests(FuzzBroker broker, FrontEndServer server, string socket)
    {
        _broker = broker;
        _server = server;
        _socket = socket;
    }

    public static async Task<AwsRequests> StartAsync()
    {
        var broker = await FuzzBroker.StartAsync();
        // A file instead of a port: so many connections would use up the ports.
        var socket = Path.Join(broker.Directory, "aws.socket");
        var aws = new AwsFrontEnd(broker.Broker, new AwsOptions { CommitMode = CommitMode.Written, MaxRequestBytes = 1 << 20 }, broker, new Authenticator(broker.Broker.Accounts));
        var server = await FrontEndServer.StartAsync([new FrontEndBinding(aws, IPAddress.Loopback, 0) { SocketPath = socket }], NullLoggerFactory.Instance);
        return new AwsRequests(broker, server, socket);
    }

    public override byte[] Generate(Random random)
    {
        var requests = new StringBuilder();
        for (var n = random.Next(1, 5); n > 0; n--) AwsClient.Append(requests, random, isLast: n == 1);
        return Encoding.UTF8.GetBytes(requests.ToString());
    }

    public override bool Decode(byte[] input, Random random) => DecodeAsync(input).GetAwaiter().GetResult();

    private async Task<bool> DecodeAsync(byte[] input)
    {
        if (_runs++ % 200 == 0)
        {
            foreach (var queue in _broker.Broker.Queues.List()) await _broker.Broker.Queues.DeleteAsync(queue);
            await HttpSocket.SendAsync(_socket, AwsClient.Queues);
        }
        var answer = await HttpSocket.SendAsync(_socket, input);
        if (_broker.Errors.TryDequeue(out var error)) throw new FuzzFailedException($"The broker logged: {error}");
        if (_broker.Broker.Failed.IsCompleted) throw new FuzzFailedException($"The store stopped: {await _broker.Broker.Failed}");
        if (answer.Contains("HTTP/1.1 500", StringComparison.Ordinal)) throw new FuzzFailedException($"The answer is {answer[..Math.Min(answer.Length, 2000)]}");
        return answer.StartsWith("HTTP/1.1 2", StringComparison.Ordinal);
    }

    public override bool IsRefusal(Exception error) => false;

    // The work is spread over threads.
    public override long MostAllocated(byte[] input) => long.MaxValue;

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _broker.DisposeAsync();
    }
}

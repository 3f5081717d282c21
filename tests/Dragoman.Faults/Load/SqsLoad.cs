using System.Net;
using System.Text.Json.Nodes;
using Dragoman.Faults.Kills;

namespace Dragoman.Faults.Load;

/// <summary>
/// Senders to a FIFO queue, or to a FIFO topic, each in a group of its own. What was not answered is sent again with its
/// deduplication id, until it is: so each message is to be there once.
/// </summary>
internal sealed class SqsLoad : IRecordedLoad, IAsyncDisposable
{
    private const int MostFailures = 600;

    private readonly Func<SqsClient, int, long, string, Task> _send;
    private readonly SqsClient _client;
    private readonly CancellationTokenSource _stop = new();
    private readonly long[] _sent;
    private Task[] _running = [];
    private int _inFlight;
    private string? _failure;

    private SqsLoad(IPEndPoint server, int senders, Func<SqsClient, int, long, string, Task> send)
    {
        _client = new SqsClient(server);
        _send = send;
        _sent = new long[senders];
    }

    public long Acknowledged => Enumerable.Range(0, _sent.Length).Sum(i => Interlocked.Read(ref _sent[i]));

    public int InFlight => Volatile.Read(ref _inFlight);

    public string? Failure => Volatile.Read(ref _failure);

    /// <summary>Sends to a queue.</summary>
    public static SqsLoad Start(IPEndPoint server, string queue, int senders) => Start(
        server, senders,
        (client, sender, number, body) => client.CallAsync("SendMessage", new JsonObject { ["QueueUrl"] = queue, ["MessageBody"] = body, ["MessageGroupId"] = $"g{sender}", ["MessageDeduplicationId"] = $"{sender}-{number}" }));

    /// <summary>Publishes to a topic, with the sender's number as an attribute.</summary>
    public static SqsLoad Publish(IPEndPoint server, string topic, int senders) => Start(
        server, senders,
        (client, sender, number, body) => client.AskSnsAsync(
            "Publish", ("TopicArn", topic), ("Message", body), ("MessageGroupId", $"g{sender}"), ("MessageDeduplicationId", $"{sender}-{number}"),
            ("MessageAttributes.entry.1.Name", "sender"), ("MessageAttributes.entry.1.Value.DataType", "String"), ("MessageAttributes.entry.1.Value.StringValue", $"{sender}")));

    private static SqsLoad Start(IPEndPoint server, int senders, Func<SqsClient, int, long, string, Task> send)
    {
        var load = new SqsLoad(server, senders, send);
        load._running = [.. Enumerable.Range(0, senders).Select(n => Task.Run(() => load.SendAllAsync(n)))];
        return load;
    }

    /// <summary>Sends no more, and waits for what is under way.</summary>
    /// <returns>How many messages each sender has sent: those with lower numbers.</returns>
    public async Task<long[]> FinishAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running).WaitAsync(TimeSpan.FromMinutes(1));
        if (Failure is { } failure) throw new InvalidOperationException($"The load failed: {failure}");
        return [.. _sent];
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running).WaitAsync(TimeSpan.FromMinutes(1));
        _stop.Dispose();
        _client.Dispose();
    }

    private async Task SendAllAsync(int sender)
    {
        for (var failures = 0; !_stop.IsCancellationRequested || failures > 0;)
        {
            var body = Convert.ToBase64String(new LoadMessage(sender, 0, _sent[sender]).ToBytes());
            Interlocked.Increment(ref _inFlight);
            try
            {
                await _send(_client, sender, _sent[sender], body);
                Interlocked.Increment(ref _sent[sender]);
                failures = 0;
            }
            catch (Exception error) when (error is HttpRequestException { StatusCode: null or HttpStatusCode.ServiceUnavailable } or OperationCanceledException)
            {
                if (++failures == MostFailures)
                {
                    Interlocked.CompareExchange(ref _failure, $"Sender {sender} could not go on: {error.Message}", null);
                    return;
                }
                await Task.Delay(50);
            }
            catch (HttpRequestException error)
            {
                Interlocked.CompareExchange(ref _failure, $"Sender {sender} was refused: {error.Message}", null);
                return;
            }
            finally
            {
                Interlocked.Decrement(ref _inFlight);
            }
        }
    }
}

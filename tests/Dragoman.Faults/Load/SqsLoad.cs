using System.Net;
using System.Text.Json.Nodes;
using Dragoman.Faults.Kills;

namespace Dragoman.Faults.Load;

/// <summary>
/// Senders to a FIFO queue, each in a group of its own. What was not answered is sent again with its deduplication id, until it
/// is: so each message is to be in the queue once.
/// </summary>
internal sealed class SqsLoad : IRecordedLoad, IAsyncDisposable
{
    private const int MostFailures = 600;

    private readonly string _queue;
    private readonly SqsClient _client;
    private readonly CancellationTokenSource _stop = new();
    private readonly long[] _sent;
    private Task[] _running = [];
    private int _inFlight;
    private string? _failure;

    private SqsLoad(IPEndPoint server, string queue, int senders)
    {
        _client = new SqsClient(server);
        _queue = queue;
        _sent = new long[senders];
    }

    public long Acknowledged => Enumerable.Range(0, _sent.Length).Sum(i => Interlocked.Read(ref _sent[i]));

    public int InFlight => Volatile.Read(ref _inFlight);

    public string? Failure => Volatile.Read(ref _failure);

    public static SqsLoad Start(IPEndPoint server, string queue, int senders)
    {
        var load = new SqsLoad(server, queue, senders);
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
                await _client.CallAsync("SendMessage", new JsonObject { ["QueueUrl"] = _queue, ["MessageBody"] = body, ["MessageGroupId"] = $"g{sender}", ["MessageDeduplicationId"] = $"{sender}-{_sent[sender]}" });
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

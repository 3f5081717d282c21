using System.Net;
using System.Text.Json.Nodes;

namespace Dragoman.Faults.Load;

/// <summary>
/// Receives from a FIFO queue and deletes, over all ends of the broker; and looks whether each group comes in order, nothing
/// that is deleted for certain comes again, and no message is there twice.
/// </summary>
internal sealed class SqsWorker : IAsyncDisposable
{
    private readonly string _queue;
    private readonly SqsClient _client;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<LoadMessage, string> _ids = [];
    private readonly HashSet<LoadMessage> _asked = [];
    private readonly Dictionary<LoadMessage, long> _deleted = [];
    private readonly Dictionary<int, long> _undeleted = [];
    private readonly List<Task> _running = [];
    private readonly List<string> _faults = [];
    private long _time;

    public SqsWorker(IPEndPoint server, string queue, int receivers)
    {
        _client = new SqsClient(server);
        _queue = queue;
        for (var i = 0; i < receivers; i++) _running.Add(Task.Run(ReceiveAllAsync));
    }

    /// <summary>What must not be.</summary>
    public IReadOnlyList<string> Faults
    {
        get
        {
            lock (_lock) return [.. _faults];
        }
    }

    /// <summary>Every message that was received.</summary>
    public IReadOnlyCollection<LoadMessage> Seen
    {
        get
        {
            lock (_lock) return [.. _ids.Keys];
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running).WaitAsync(TimeSpan.FromMinutes(1));
        _stop.Dispose();
        _client.Dispose();
    }

    private async Task ReceiveAllAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                long askedAt;
                lock (_lock) askedAt = _time;
                var answer = await _client.CallAsync("ReceiveMessage", new JsonObject { ["QueueUrl"] = _queue, ["MaxNumberOfMessages"] = 10, ["WaitTimeSeconds"] = 1 });
                if (answer["Messages"] is not JsonArray messages) continue;
                Note(messages, askedAt);
                foreach (var message in messages) await DeleteAsync(message!);
            }
            catch (Exception error) when (error is HttpRequestException or OperationCanceledException)
            {
                await Task.Delay(50);
            }
        }
    }

    private void Note(JsonArray received, long askedAt)
    {
        lock (_lock)
        {
            var together = new HashSet<LoadMessage>();
            foreach (var one in received)
            {
                var message = MessageOf(one!);
                var id = (string)one!["MessageId"]!;
                if (_ids.TryGetValue(message, out var other) && other != id) _faults.Add($"{message} is there twice, as {other} and {id}.");
                _ids[message] = id;
                // An answer may be late, and what is in it be deleted by another meanwhile; but not before it was asked for.
                if (_deleted.TryGetValue(message, out var deletedAt) && deletedAt <= askedAt) _faults.Add($"{message} came again after it was deleted.");
                var next = _undeleted.GetValueOrDefault(message.Producer);
                while (_asked.Contains(message with { Sequence = next })) next++;
                _undeleted[message.Producer] = next;
                // All before it of its group are on their way out, or came before it in the same answer.
                for (var before = next; before < message.Sequence; before++)
                {
                    var earlier = message with { Sequence = before };
                    if (_asked.Contains(earlier) || together.Contains(earlier)) continue;
                    _faults.Add($"{message} came while {earlier} was there.");
                    break;
                }
                together.Add(message);
            }
        }
    }

    private async Task DeleteAsync(JsonNode received)
    {
        var message = MessageOf(received);
        lock (_lock) _asked.Add(message);
        await _client.CallAsync("DeleteMessage", new JsonObject { ["QueueUrl"] = _queue, ["ReceiptHandle"] = (string)received["ReceiptHandle"]! });
        lock (_lock) _deleted.TryAdd(message, ++_time);
    }

    private static LoadMessage MessageOf(JsonNode received) => LoadMessage.Parse(Convert.FromBase64String((string)received["Body"]!));
}

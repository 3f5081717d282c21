using System.Runtime.CompilerServices;
using Dragoman.Storage.Platform;

namespace Dragoman.Protocols.Framing;

/// <summary>An answer that is on its way. It may be ready out of turn, and is written in turn.</summary>
public abstract class PendingResponse
{
    internal ResponseQueue? Queue { get; set; }

    internal bool IsReady { get; set; }

    /// <summary>Says that the answer is ready. Called once for each time the object is queued, from any thread.</summary>
    public void SetReady() => Queue!.OnReady(this);
}

/// <summary>
/// The requests of one connection in the order in which they came: handled concurrently, answered in order. One loop
/// reads requests and adds here, one writes answers and removes.
/// </summary>
public sealed class ResponseQueue
{
    private readonly Lock _lock = new();
    private readonly Queue<PendingResponse> _queue = new();
    private readonly WakeSignal _reader = new();
    private readonly WakeSignal _writer = new();
    private int _roomFor = -1;
    private bool _ended;
    private bool _failed;

    /// <summary>Requests that are unanswered.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _queue.Count;
        }
    }

    /// <summary>Waits until at most so many requests are unanswered.</summary>
    /// <returns>False if answers can no longer be written.</returns>
    public ValueTask<bool> WaitUntilAtMostAsync(int unanswered)
    {
        lock (_lock)
        {
            if (_failed) return ValueTask.FromResult(false);
            if (_queue.Count <= unanswered) return ValueTask.FromResult(true);
        }
        return WaitAsync(unanswered);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> WaitAsync(int unanswered)
    {
        while (true)
        {
            lock (_lock)
            {
                if (_failed) return false;
                if (_queue.Count <= unanswered) return true;
                _roomFor = unanswered;
            }
            await _reader.WaitAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Adds a request whose answer is to be awaited.</summary>
    public void Add(PendingResponse response)
    {
        ArgumentNullException.ThrowIfNull(response);
        lock (_lock)
        {
            response.Queue = this;
            response.IsReady = false;
            _queue.Enqueue(response);
        }
    }

    /// <summary>Says that no more requests come: <see cref="NextAsync"/> ends after those that are here.</summary>
    public void EndRequests()
    {
        lock (_lock) _ended = true;
        _writer.Set();
    }

    /// <summary>Says that answers cannot be written any more.</summary>
    public void EndAnswers()
    {
        lock (_lock) _failed = true;
        _reader.Set();
    }

    /// <summary>The oldest request, if its answer is ready. It stays in the queue until <see cref="Remove"/>.</summary>
    public PendingResponse? TryNext()
    {
        lock (_lock) return _queue.TryPeek(out var head) && head.IsReady ? head : null;
    }

    /// <summary>The oldest request, once its answer is ready; null after the last.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<PendingResponse?> NextAsync()
    {
        while (true)
        {
            lock (_lock)
            {
                if (_queue.TryPeek(out var head))
                {
                    if (head.IsReady) return head;
                }
                else if (_ended)
                {
                    return null;
                }
            }
            await _writer.WaitAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Takes the oldest request out: it is answered.</summary>
    public void Remove()
    {
        lock (_lock)
        {
            _queue.Dequeue();
            if (_roomFor < 0 || _queue.Count > _roomFor) return;
            _roomFor = -1;
        }
        _reader.Set();
    }

    internal void OnReady(PendingResponse response)
    {
        lock (_lock)
        {
            response.IsReady = true;
            if (!ReferenceEquals(_queue.Peek(), response)) return;
        }
        _writer.Set();
    }
}

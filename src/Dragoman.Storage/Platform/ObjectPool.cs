using System.Diagnostics.CodeAnalysis;

namespace Dragoman.Storage.Platform;

/// <summary>
/// Objects kept for use again, the last one returned first. It goes with its owner, whereas a <c>ConcurrentBag</c> hangs
/// on every thread that has used it: objects that refer to their owner would keep it in memory for good.
/// </summary>
/// <param name="capacity">How many are kept at most.</param>
public sealed class ObjectPool<T>(int capacity)
    where T : class
{
    private readonly Lock _lock = new();
    private readonly Stack<T> _kept = new();

    /// <summary>Takes an object out, if there is one.</summary>
    public bool TryTake([MaybeNullWhen(false)] out T item)
    {
        lock (_lock) return _kept.TryPop(out item);
    }

    /// <summary>Puts an object back. Nobody refers to it any more.</summary>
    public void Return(T item)
    {
        lock (_lock)
        {
            if (_kept.Count < capacity) _kept.Push(item);
        }
    }
}

using System.Collections.Concurrent;

namespace Dragoman.Aws.Sqs;

/// <summary>
/// When messages that are not settled were received for the first time: an attribute that is approximate by its name. Kept in
/// memory only, for a bounded number of messages; of others the time of sending stands for it.
/// </summary>
internal sealed class FirstReceipts
{
    private const int MaxKept = 100_000;

    private readonly ConcurrentDictionary<(Guid Queue, long Offset), long> _times = new();
    private int _count;

    /// <summary>Notes a first receipt.</summary>
    public void Note(Guid queue, long offset, long now)
    {
        if (Volatile.Read(ref _count) >= MaxKept)
        {
            _times.Clear();
            Volatile.Write(ref _count, 0);
        }
        if (_times.TryAdd((queue, offset), now)) Interlocked.Increment(ref _count);
    }

    /// <summary>When a message was received first; null if that is not known any more.</summary>
    public long? Find(Guid queue, long offset) => _times.TryGetValue((queue, offset), out var time) ? time : null;

    /// <summary>A message is settled.</summary>
    public void Forget(Guid queue, long offset)
    {
        if (_times.TryRemove((queue, offset), out _)) Interlocked.Decrement(ref _count);
    }
}

using System.Buffers;
using System.Collections.Concurrent;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Subscriptions;

/// <summary>Bytes read from a log, shared by all deliveries that lie in them, and given back with the last.</summary>
internal sealed class DeliveryBuffer
{
    private const int Pooled = 256;

    // The pool of arrays keeps what it is given; a rare large array is better given back to the collector.
    private const int MostPooled = 16 << 20;

    private static readonly ConcurrentQueue<DeliveryBuffer> Pool = new();
    private static int _pooled;

    private byte[] _bytes = [];
    private int _users;

    private DeliveryBuffer()
    {
    }

    public Span<byte> Span => _bytes.AsSpan(0, Length);

    public ReadOnlyMemory<byte> Memory => _bytes.AsMemory(0, Length);

    public int Length { get; private set; }

    /// <summary>A buffer of that many bytes, used once.</summary>
    public static DeliveryBuffer Rent(int length)
    {
        if (Pool.TryDequeue(out var buffer)) Interlocked.Decrement(ref _pooled);
        else buffer = new DeliveryBuffer();
        buffer._bytes = length > MostPooled ? GC.AllocateUninitializedArray<byte>(length) : ArrayPool<byte>.Shared.Rent(length);
        buffer.Length = length;
        buffer._users = 1;
        return buffer;
    }

    public void Acquire() => Interlocked.Increment(ref _users);

    public void Release()
    {
        var left = Interlocked.Decrement(ref _users);
        Invariant.Check(left >= 0, "a buffer is released as often as it is acquired");
        if (left > 0) return;
        if (_bytes.Length <= MostPooled) ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
        Length = 0;
        if (Volatile.Read(ref _pooled) >= Pooled) return;
        Interlocked.Increment(ref _pooled);
        Pool.Enqueue(this);
    }
}

using System.Collections.Concurrent;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Subscriptions;

/// <summary>
/// Messages on their way to one consumer, in order. Pooled: whoever gets it disposes of it, once, when the messages
/// are copied out. Not safe for concurrent use.
/// </summary>
public sealed class DeliveryBatch : IDisposable
{
    private const int Pooled = 256;
    private const int PooledDeliveries = 4096;

    private static readonly ConcurrentQueue<DeliveryBatch> Pool = new();
    private static int _pooled;

    private readonly List<DeliveryBuffer> _buffers = [];
    private Entry[] _items = new Entry[16];
    private int _count;
    private bool _rented;

    private struct Entry
    {
        public Delivery Delivery;
        public DeliveryBuffer Buffer;
        public int Position;
    }

    private DeliveryBatch()
    {
    }

    internal static DeliveryBatch Rent()
    {
        if (Pool.TryDequeue(out var batch)) Interlocked.Decrement(ref _pooled);
        else batch = new DeliveryBatch();
        batch._rented = true;
        return batch;
    }

    /// <summary>How many messages there are.</summary>
    public int Count => _count;

    /// <summary>Bytes of all records.</summary>
    public long Bytes { get; private set; }

    /// <summary>A message's delivery.</summary>
    public ref readonly Delivery this[int index] => ref _items[Checked(index)].Delivery;

    /// <summary>A message's content.</summary>
    public MessageView Message(int index)
    {
        ref readonly var item = ref _items[Checked(index)];
        var reader = new RecordReader(item.Buffer.Span.Slice(item.Position, item.Delivery.Size), 1);
        Invariant.Check(reader.MoveNext(), "a log holds whole records");
        var record = reader.Current;
        return new MessageView(item.Delivery.Offset, item.Delivery.Timestamp, record.Key, record.Value, record.Headers);
    }

    internal void Add(in Delivery delivery, DeliveryBuffer buffer, int position)
    {
        if (_count == _items.Length) Array.Resize(ref _items, _count * 2);
        if (_buffers.Count == 0 || !ReferenceEquals(_buffers[^1], buffer))
        {
            buffer.Acquire();
            _buffers.Add(buffer);
        }
        ref var item = ref _items[_count++];
        item.Delivery = delivery;
        item.Buffer = buffer;
        item.Position = position;
        Bytes += delivery.Size;
    }

    private int Checked(int index)
    {
        Invariant.Check((uint)index < (uint)_count && _rented, "a delivery is read before its batch is given back");
        return index;
    }

    /// <summary>Gives the batch back. It settles nothing.</summary>
    public void Dispose()
    {
        if (!_rented) return;
        _rented = false;
        foreach (var buffer in _buffers) buffer.Release();
        _buffers.Clear();
        Array.Clear(_items, 0, _count);
        _count = 0;
        Bytes = 0;
        if (_items.Length > PooledDeliveries || Volatile.Read(ref _pooled) >= Pooled) return;
        Interlocked.Increment(ref _pooled);
        Pool.Enqueue(this);
    }
}

using System.IO.Hashing;
using System.Numerics;
using Dragoman.Storage.Platform;

namespace Dragoman.Storage.Log.Compaction;

/// <summary>
/// The newest offset of each key of a stretch of a log, in bounded memory: keys are known by a 128-bit hash, and when
/// there is no more room the stretch ends there.
/// </summary>
/// <param name="maxBytes">Memory that it may take, growth included.</param>
/// <param name="seed">Makes the hash this store's own.</param>
internal sealed class KeyOffsets(long maxBytes, long seed)
{
    private const int SlotBytes = 24;
    private const int SmallestCapacity = 16;

    // Growing takes the old and the new table at once: half as much again as the new one.
    private readonly int _maxCapacity = (int)BitOperations.RoundUpToPowerOf2(
        (uint)Math.Clamp(maxBytes * 2 / (3 * SlotBytes), SmallestCapacity, 1 << 30) + 1) / 2;

    private Slot[] _slots = new Slot[SmallestCapacity];

    /// <summary>An offset of 0 is stored as 1: an empty slot has 0.</summary>
    private record struct Slot(ulong Low, ulong High, long OffsetAndOne);

    /// <summary>Keys known.</summary>
    public int Count { get; private set; }

    /// <summary>Notes that a key is at an offset, which is above those noted before. False if there is no room for it.</summary>
    public bool TryPut(ReadOnlySpan<byte> key, long offset)
    {
        var hash = XxHash128.HashToUInt128(key, seed);
        ref var slot = ref Find(hash);
        if (slot.OffsetAndOne == 0)
        {
            if ((long)Count * 4 >= (long)_slots.Length * 3)
            {
                if (_slots.Length >= _maxCapacity) return false;
                Grow();
                slot = ref Find(hash);
            }
            Count++;
        }
        Invariant.Check(offset >= slot.OffsetAndOne, "offsets are noted in their order");
        slot = new Slot((ulong)hash, (ulong)(hash >> 64), offset + 1);
        return true;
    }

    /// <summary>The newest offset of a key, or -1.</summary>
    public long Get(ReadOnlySpan<byte> key) => Find(XxHash128.HashToUInt128(key, seed)).OffsetAndOne - 1;

    private ref Slot Find(UInt128 hash)
    {
        var (low, high) = ((ulong)hash, (ulong)(hash >> 64));
        for (var i = (int)low & (_slots.Length - 1); ; i = (i + 1) & (_slots.Length - 1))
        {
            ref var slot = ref _slots[i];
            if (slot.OffsetAndOne == 0 || (slot.Low == low && slot.High == high)) return ref slot;
        }
    }

    private void Grow()
    {
        var old = _slots;
        _slots = new Slot[old.Length * 2];
        foreach (var slot in old)
            if (slot.OffsetAndOne != 0) Find(new UInt128(slot.High, slot.Low)) = slot;
    }
}

using Dragoman.Storage.Platform;

namespace Dragoman.Storage.Journal;

/// <summary>
/// The memory in which rounds are put together, kept as it is until the space is needed again: so the newest part of
/// the journal is read from memory, without a system call, an allocation or a lock held while bytes are copied.
/// </summary>
/// <remarks>
/// One writer, the commit loop; any number of readers. A reader copies first and then checks that the writer has not
/// reclaimed the space meanwhile, so readers never hold the writer up.
/// </remarks>
internal sealed class TailRing
{
    private readonly byte[] _memory;
    private readonly Round[] _rounds = new Round[1024];
    private readonly Lock _lock = new();
    private long _oldest;
    private long _next;
    private int _writeAt;
    private int _reservedFrom;
    private int _reservedLength;

    private record struct Round(long FileNumber, int Position, int Length, int Start);

    public TailRing(int bytes)
    {
        _memory = GC.AllocateUninitializedArray<byte>(bytes, pinned: true);
    }

    /// <summary>The largest round that can be put together.</summary>
    public int MaxRound => _memory.Length / 2;

    /// <summary>Space for a round of up to that many bytes. What was kept there is no longer readable.</summary>
    public Memory<byte> Reserve(int maxLength)
    {
        Invariant.Check(maxLength <= MaxRound, "a round fits half of the ring");
        lock (_lock)
        {
            if (_writeAt + maxLength > _memory.Length)
            {
                Evict(_writeAt, _memory.Length);
                _writeAt = 0;
            }
            Evict(_writeAt, _writeAt + maxLength);
            _reservedFrom = _writeAt;
            _reservedLength = maxLength;
        }
        return _memory.AsMemory(_reservedFrom, maxLength);
    }

    /// <summary>Makes the reserved round readable, as bytes of a file.</summary>
    public void Publish(long fileNumber, int position, int length)
    {
        Invariant.Check(length <= _reservedLength, "a round stays within its reservation");
        lock (_lock)
        {
            if (_next - _oldest == _rounds.Length) _oldest++;
            _rounds[_next % _rounds.Length] = new Round(fileNumber, position, length, _reservedFrom);
            _next++;
            _writeAt = _reservedFrom + length;
        }
    }

    /// <summary>Copies bytes of a file if they are still here.</summary>
    public bool TryRead(long fileNumber, int position, Span<byte> target)
    {
        long index;
        Round round;
        lock (_lock)
        {
            index = Find(fileNumber, position);
            if (index < 0) return false;
            round = _rounds[index % _rounds.Length];
        }
        if (position + target.Length > round.Position + round.Length) return false;
        _memory.AsSpan(round.Start + position - round.Position, target.Length).CopyTo(target);
        lock (_lock) return index >= _oldest;
    }

    private long Find(long fileNumber, int position)
    {
        long low = _oldest, high = _next - 1;
        while (low <= high)
        {
            var middle = low + ((high - low) >> 1);
            ref readonly var round = ref _rounds[middle % _rounds.Length];
            if (round.FileNumber < fileNumber || (round.FileNumber == fileNumber && round.Position + round.Length <= position)) low = middle + 1;
            else if (round.FileNumber > fileNumber || round.Position > position) high = middle - 1;
            else return middle;
        }
        return -1;
    }

    /// <summary>Gives up the oldest rounds until none lies in a range of the memory.</summary>
    private void Evict(int from, int to)
    {
        while (_oldest < _next)
        {
            ref readonly var round = ref _rounds[_oldest % _rounds.Length];
            if (round.Start >= to || round.Start + round.Length <= from) return;
            _oldest++;
        }
    }
}

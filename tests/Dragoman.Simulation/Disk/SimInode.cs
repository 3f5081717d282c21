namespace Dragoman.Simulation;

/// <summary>
/// A file's two images: what the operating system shows, and what the medium holds; and, in order, the changes that the
/// first has and the second lacks.
/// </summary>
internal sealed class SimInode
{
    /// <summary>The unit that a disk writes at once.</summary>
    public const int SectorSize = 512;

    private readonly List<Change> _pending = [];
    private readonly SparseBytes _durable = new();

    private SparseBytes _cache = new();
    private long _durableLength;
    private long _sequence;

    // Bytes within one sector, or, where they are null, a new length.
    private readonly record struct Change(long Sequence, long Position, ReadOnlyMemory<byte>? Bytes)
    {
        public long Sector => Position / SectorSize;
    }

    public long Length { get; private set; }

    public int OpenHandles { get; set; }

    /// <summary>Changes that are not durable, sector by sector.</summary>
    public int PendingChanges => _pending.Count;

    /// <summary>Names the moment: everything pending now is at or below it.</summary>
    public long Sequence => _sequence;

    public int Read(long position, Span<byte> buffer)
    {
        int count = (int)Math.Clamp(Length - position, 0, buffer.Length);
        _cache.Read(position, buffer[..count]);
        return count;
    }

    /// <summary>Writes into the cache. The memory must stay as it is from now on.</summary>
    public void Write(long position, ReadOnlyMemory<byte> bytes)
    {
        _cache.Write(position, bytes.Span);
        long end = position + bytes.Length;
        while (!bytes.IsEmpty)
        {
            int count = Math.Min(SectorSize - (int)(position % SectorSize), bytes.Length);
            _pending.Add(new Change(++_sequence, position, bytes[..count]));
            position += count;
            bytes = bytes[count..];
        }

        if (end > Length)
        {
            SetLength(end);
        }
    }

    public void SetLength(long length)
    {
        _cache.ClearFrom(length);
        Length = length;
        _pending.Add(new Change(++_sequence, length, null));
    }

    /// <summary>Makes everything up to a moment durable.</summary>
    public void Sync(long upTo)
    {
        int count = CountPending(upTo);
        for (int i = 0; i < count; i++)
        {
            MakeDurable(_pending[i]);
        }

        _pending.RemoveRange(0, count);
    }

    /// <summary>
    /// What a failed sync leaves: some of it is durable, and the operating system takes all of it for clean, so that no
    /// later sync writes it again, while reads still show it.
    /// </summary>
    public void FailSync(long upTo, SimRandom random) => Settle(CountPending(upTo), random, mayTear: false);

    /// <summary>Power is lost: some of what was pending has reached the medium, and that is all there is now.</summary>
    public void LosePower(SimRandom random)
    {
        Settle(_pending.Count, random, mayTear: true);
        _durable.ClearFrom(_durableLength);
        _cache = _durable.Clone();
        Length = _durableLength;
    }

    /// <summary>Flips bits on the medium, and in the cache as if it had been read from there.</summary>
    public void Corrupt(long position, byte mask)
    {
        Span<byte> one = stackalloc byte[1];
        foreach (var image in new[] { _cache, _durable })
        {
            image.Read(position, one);
            one[0] ^= mask;
            image.Write(position, one);
        }
    }

    // Each sector on its own has seen a prefix of its changes, as the cache writes a whole sector as it is at some moment;
    // across sectors there is no order. The length is one more such place.
    private void Settle(int count, SimRandom random, bool mayTear)
    {
        double survival = random.Pick([0, 0.1, 0.5, 0.9, 1]);
        const long lengthPlace = -1;
        var lost = new Dictionary<long, int>();
        for (int i = 0; i < count; i++)
        {
            long place = _pending[i].Bytes is null ? lengthPlace : _pending[i].Sector;
            if (!lost.ContainsKey(place) && !random.Chance(survival))
            {
                lost.Add(place, i);
            }
        }

        // The sector that was being written when it happened: the first change that it lost is there in part.
        int torn = -1;
        var tearable = mayTear ? lost.Where(entry => entry.Key != lengthPlace).Select(entry => entry.Value).ToList() : [];
        if (tearable.Count > 0 && random.Chance(0.5))
        {
            torn = random.Pick(tearable);
        }

        for (int i = 0; i < count; i++)
        {
            long place = _pending[i].Bytes is null ? lengthPlace : _pending[i].Sector;
            if (i == torn)
            {
                Tear(_pending[i], random);
            }
            else if (!lost.TryGetValue(place, out int first) || i < first)
            {
                MakeDurable(_pending[i]);
            }
        }

        _pending.RemoveRange(0, count);
    }

    private void Tear(Change change, SimRandom random)
    {
        var bytes = change.Bytes!.Value.Span;
        int cut = random.Next(bytes.Length + 1);
        switch (random.Next(3))
        {
            case 0:
                _durable.Write(change.Position, bytes[..cut]);
                break;
            case 1:
                _durable.Write(change.Position + cut, bytes[cut..]);
                break;
            default:
                for (int i = 0; i < bytes.Length; i++)
                {
                    if (random.OneIn(2))
                    {
                        _durable.Write(change.Position + i, bytes.Slice(i, 1));
                    }
                }

                break;
        }
    }

    private void MakeDurable(Change change)
    {
        if (change.Bytes is { } bytes)
        {
            _durable.Write(change.Position, bytes.Span);
        }
        else
        {
            _durableLength = change.Position;
            _durable.ClearFrom(_durableLength);
        }
    }

    private int CountPending(long upTo)
    {
        int count = 0;
        while (count < _pending.Count && _pending[count].Sequence <= upTo)
        {
            count++;
        }

        return count;
    }
}

using Dragoman.Storage.Log;
using Dragoman.Storage.Platform;

namespace Dragoman.Storage.Memory;

/// <summary>A stretch of memory that holds batches of logs that live in memory, until it is spilled to a scratch file.</summary>
internal sealed class MemoryBlock(long number, int capacity) : BatchFile
{
    private volatile byte[]? _bytes = GC.AllocateUninitializedArray<byte>(capacity);
    private StoreFile? _spilled;
    private readonly Lock _usersLock = new();
    private int _users;
    private Action? _whenUnused;

    public override long Number { get; } = number;

    public int Capacity { get; } = capacity;

    /// <summary>Bytes in use.</summary>
    public int Length { get; private set; }

    /// <summary>Chunks of logs that lie here. The block is freed when the last is gone.</summary>
    public int LiveChunks { get; set; }

    /// <summary>Whether it was given up: its memory and its file go when the last reader is done.</summary>
    public bool IsFreed { get; set; }

    public bool IsResident => _bytes is not null;

    public StoreFile? Spilled => _spilled;

    public ReadOnlyMemory<byte> Content => _bytes.AsMemory(0, Length);

    /// <summary>Space for a batch at the end.</summary>
    public Span<byte> Extend(int size, out int position)
    {
        position = Length;
        Length += size;
        return _bytes.AsSpan(position, size);
    }

    /// <summary>Reads come from a file from now on; readers of the memory keep it alive as long as they need it.</summary>
    public void MoveTo(StoreFile file)
    {
        _spilled = file;
        _bytes = null;
    }

    /// <summary>Marks the block as dead; <paramref name="whenUnused"/> runs once when its last reader is done.</summary>
    public void Drop(Action whenUnused)
    {
        lock (_usersLock)
        {
            _whenUnused = whenUnused;
            if (_users > 0) return;
        }
        whenUnused();
    }

    /// <summary>Lets the memory go.</summary>
    public void Free() => _bytes = null;

    public override bool TryAcquire()
    {
        lock (_usersLock)
        {
            if (_whenUnused is not null) return false;
            _users++;
            return true;
        }
    }

    public override void Release()
    {
        Action? run = null;
        lock (_usersLock)
        {
            if (--_users == 0) run = _whenUnused;
        }
        run?.Invoke();
    }

    protected override void ReadPlain(int position, Span<byte> buffer)
    {
        if (_bytes is { } bytes) bytes.AsSpan(position, buffer.Length).CopyTo(buffer);
        else if (_spilled is { } file) file.Read(position, buffer);
        else throw new CorruptDataException("A message that lived in memory was dropped while it was being read.");
    }
}

using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;

namespace Dragoman.Protocols.Transport;

/// <summary>
/// The memory that connections read into and write from: pinned blocks, larger than Kestrel's own of 4 KiB, so that a
/// batch of 64 KiB takes a few system calls and not seventeen. A connection holds blocks only for bytes that are on
/// their way; one that is idle holds none.
/// </summary>
internal sealed class BlockPool : MemoryPool<byte>
{
    /// <summary>Bytes of a block.</summary>
    public const int BlockBytes = 32 * 1024;

    // What is kept for use again at most: 16 MiB. Beyond that the garbage collector has it.
    private const int MaxKept = 512;

    private readonly Lock _lock = new();
    private readonly Stack<Block> _free = new();
    private bool _disposed;

    /// <inheritdoc/>
    public override int MaxBufferSize => BlockBytes;

    /// <inheritdoc/>
    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockBytes);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_free.TryPop(out var block)) return block.Rented();
        }
        return new Block(this).Rented();
    }

    private void Return(Block block)
    {
        lock (_lock)
        {
            if (!_disposed && _free.Count < MaxKept) _free.Push(block);
        }
    }

    /// <inheritdoc/>
    [SuppressMessage("Usage", "CA2215", Justification = "The base class's has nothing to do.")]
    protected override void Dispose(bool disposing)
    {
        lock (_lock)
        {
            _disposed = true;
            _free.Clear();
        }
    }

    private sealed class Block(BlockPool pool) : IMemoryOwner<byte>
    {
        private readonly Memory<byte> _memory = MemoryMarshal.CreateFromPinnedArray(GC.AllocateUninitializedArray<byte>(BlockBytes, pinned: true), 0, BlockBytes);
        private int _rented;

        public Memory<byte> Memory => _memory;

        public Block Rented()
        {
            Volatile.Write(ref _rented, 1);
            return this;
        }

        // A block that is returned twice would be given to two connections.
        public void Dispose()
        {
            if (Interlocked.Exchange(ref _rented, 0) != 0) pool.Return(this);
        }
    }

    /// <summary>Gives Kestrel one pool for all connections.</summary>
    [SuppressMessage("Performance", "CA1812", Justification = "Made by dependency injection.")]
    public sealed class Factory : IMemoryPoolFactory<byte>
    {
        /// <inheritdoc/>
        public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => new BlockPool();
    }
}

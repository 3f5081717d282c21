using System.Buffers;

namespace Dragoman.Protocols.Transport.Loops;

/// <summary>A block of what was read.</summary>
internal sealed class LoopSegment : ReadOnlySequenceSegment<byte>
{
    private IMemoryOwner<byte>? _owner;

    /// <summary>Bytes in it.</summary>
    public int End { get; private set; }

    /// <summary>Room behind them.</summary>
    public int Room => _owner!.Memory.Length - End;

    /// <summary>The next block, if there is one.</summary>
    public LoopSegment? Following => (LoopSegment?)Next;

    /// <summary>Where more can be put.</summary>
    public Span<byte> Free => _owner!.Memory.Span[End..];

    public void Begin(IMemoryOwner<byte> owner, LoopSegment? previous)
    {
        _owner = owner;
        End = 0;
        Memory = default;
        Next = null;
        RunningIndex = 0;
        if (previous is null) return;
        RunningIndex = previous.RunningIndex + previous.End;
        previous.Next = this;
    }

    public void Add(int bytes)
    {
        End += bytes;
        Memory = _owner!.Memory[..End];
    }

    public IMemoryOwner<byte> Take()
    {
        var owner = _owner!;
        _owner = null;
        Memory = default;
        Next = null;
        return owner;
    }
}

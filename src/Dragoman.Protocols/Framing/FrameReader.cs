using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Dragoman.Protocols.Framing;

/// <summary>What a protocol says about the size of its frames.</summary>
public interface IFrameRules
{
    /// <summary>Bytes behind the length that <see cref="Check"/> wants to see; frames that are shorter are refused.</summary>
    int PrefixLength { get; }

    /// <summary>Judges a frame by its length and its first bytes, before the rest of it is accepted.</summary>
    /// <param name="length">The length that was announced.</param>
    /// <param name="head">The length itself and the first bytes behind it, as they came.</param>
    /// <exception cref="ConnectionFailedException">The frame is not acceptable.</exception>
    void Check(int length, ReadOnlySpan<byte> head);

    /// <summary>Whether a frame, by its first bytes, publishes messages. Others find room when publishers have to wait.</summary>
    /// <param name="head">The length and the first bytes behind it.</param>
    bool IsPublish(ReadOnlySpan<byte> head);
}

/// <summary>
/// Reads messages that carry their length in front, as four bytes, the most significant first. Memory follows what has
/// arrived: a length alone, however large, costs nothing, and neither does a client that sends one byte a second.
/// </summary>
/// <param name="input">Where the bytes come from.</param>
/// <param name="rules">How large frames may be.</param>
/// <param name="budget">What frames are charged to while they exist.</param>
/// <param name="time">The clock.</param>
public sealed class FrameReader(PipeReader input, IFrameRules rules, ByteBudget budget, TimeProvider time)
{
    // A frame moves to a buffer of its own when it is complete, or when this much of it waits in the pipe.
    private const int KeepInPipe = 16 * 1024;
    private const int FirstBuffer = 128 * 1024;
    private const int Growth = 4;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Arrival _arrival = new(input, time);

    /// <summary>Reads the next frame.</summary>
    /// <returns>Null if the peer has closed, or <see cref="PipeReader.CancelPendingRead"/> was called, between two frames.</returns>
    /// <exception cref="ConnectionFailedException">The frame is not acceptable, or ends half-way.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Frame?> ReadAsync(CancellationToken cancellation)
    {
        var wanted = sizeof(int) + rules.PrefixLength;
        int length;
        BudgetShare share;
        while (true)
        {
            var result = await input.ReadAsync(cancellation).ConfigureAwait(false);
            var bytes = result.Buffer;
            if (result.IsCanceled)
            {
                // A message that was given up for being slow may have been complete just before.
                if (!_arrival.TakeEnd()) return null;
                input.AdvanceTo(bytes.Start);
                continue;
            }
            if (TryReadHead(bytes, wanted, out length, out share)) break;
            input.AdvanceTo(bytes.Start, bytes.End);
            if (!result.IsCompleted) continue;
            if (bytes.IsEmpty) return null;
            throw new ConnectionFailedException($"The peer closed after {bytes.Length} bytes of a message.");
        }
        return await ReadBodyAsync(length, share, cancellation).ConfigureAwait(false);
    }

    /// <summary>Judges a frame as soon as its first bytes are there; an unacceptable length is refused even without them.</summary>
    private bool TryReadHead(in ReadOnlySequence<byte> bytes, int wanted, out int length, out BudgetShare share)
    {
        length = 0;
        share = default;
        if (bytes.Length < sizeof(int)) return false;
        Span<byte> head = stackalloc byte[wanted];
        head = head[..(int)Math.Min(wanted, bytes.Length)];
        bytes.Slice(0, head.Length).CopyTo(head);
        length = BinaryPrimitives.ReadInt32BigEndian(head);
        rules.Check(length, head);
        if (head.Length < wanted) return false;
        share = length > ByteBudget.LargeMessage ? BudgetShare.LargePublish : rules.IsPublish(head) ? BudgetShare.Publish : BudgetShare.Control;
        input.AdvanceTo(bytes.GetPosition(sizeof(int)));
        return true;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Frame?> ReadBodyAsync(int length, BudgetShare share, CancellationToken cancellation)
    {
        var frame = new Frame(budget);
        var isArriving = false;
        try
        {
            while (true)
            {
                var result = await input.ReadAsync(cancellation).ConfigureAwait(false);
                var bytes = result.Buffer;
                if (result.IsCanceled && _arrival.TakeEnd())
                    throw new ConnectionFailedException($"The client had sent {frame.Length} of a message's {length} bytes, and was slow to send the rest while others waited for memory.");
                var left = length - frame.Length;
                if (bytes.Length < Math.Min(left, KeepInPipe))
                {
                    input.AdvanceTo(bytes.Start, bytes.End);
                    if (result.IsCompleted) throw new ConnectionFailedException($"The peer closed after {frame.Length + bytes.Length} of a message's {length} bytes.");
                    continue;
                }
                if (bytes.Length > left) bytes = bytes.Slice(0, left);
                var needed = frame.Length + (int)bytes.Length;
                if (needed > frame.Capacity)
                {
                    var capacity = needed == length ? length : (int)Math.Min(length, Math.Max(FirstBuffer, (long)Growth * frame.Capacity));
                    capacity = Math.Max(capacity, needed);
                    var more = capacity - frame.Charged;
                    // While it waits for memory it is not its sender that is slow.
                    if (isArriving) budget.Remove(_arrival);
                    isArriving = false;
                    if (!await budget.TakeAsync(more, share, Patience, time, cancellation).ConfigureAwait(false))
                        throw new ConnectionFailedException($"There was no memory for a message of {length} bytes for {Patience.TotalSeconds:0} s: other requests hold {budget.Used} bytes.");
                    frame.Charged += more;
                    frame.Grow(capacity);
                }
                frame.Append(bytes);
                input.AdvanceTo(bytes.End);
                if (frame.Length == length)
                {
                    if (isArriving) budget.Remove(_arrival);
                    return frame;
                }
                if (isArriving) continue;
                isArriving = true;
                _arrival.Begin(frame);
                budget.Add(_arrival);
            }
        }
        catch
        {
            if (isArriving) budget.Remove(_arrival);
            frame.Dispose();
            throw;
        }
    }
}

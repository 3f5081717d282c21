using System.Buffers.Binary;

namespace Dragoman.Storage.Records;

/// <summary>
/// Walks over the batches of a sequence of them: the records field of a produce request or fetch response, or a stretch of
/// a log. Finds where each batch ends, and judges nothing else about it.
/// </summary>
/// <remarks>
/// When <see cref="MoveNext"/> answers false, <see cref="Error"/> tells why: <see cref="BatchError.None"/> at the end of
/// the bytes; <see cref="BatchError.Truncated"/> if the last batch is cut short, which fetch responses and torn logs have;
/// <see cref="BatchError.UnsupportedMagic"/> for the message sets of old clients; <see cref="BatchError.UnknownMagic"/> and
/// <see cref="BatchError.InvalidLength"/> for bytes that are no batch.
/// </remarks>
public ref struct RecordBatches
{
    private readonly ReadOnlySpan<byte> _bytes;

    /// <summary>Starts before the first batch.</summary>
    public RecordBatches(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>The batch that the last successful <see cref="MoveNext"/> found, whole.</summary>
    public ReadOnlySpan<byte> Current { readonly get; private set; }

    /// <summary>The header of <see cref="Current"/>.</summary>
    public readonly RecordBatchHeader CurrentHeader
    {
        get
        {
            RecordBatchHeader.TryRead(Current, out RecordBatchHeader header);
            return header;
        }
    }

    /// <summary>Why the walk ended.</summary>
    public BatchError Error { readonly get; private set; }

    /// <summary>Bytes of the batches found so far; where an error stands.</summary>
    public int Position { readonly get; private set; }

    /// <summary>The walk itself, for <c>foreach</c>; which walks a copy and so cannot show an <see cref="Error"/>.</summary>
    public readonly RecordBatches GetEnumerator() => this;

    /// <summary>Finds the next batch.</summary>
    public bool MoveNext()
    {
        if (Error != BatchError.None || Position == _bytes.Length)
        {
            Current = default;
            return false;
        }

        ReadOnlySpan<byte> rest = _bytes[Position..];
        Error = Measure(rest, out int size);
        if (Error != BatchError.None)
        {
            Current = default;
            return false;
        }

        Current = rest[..size];
        Position += size;
        return true;
    }

    /// <summary>
    /// Measures the batch at the start of the bytes: <see cref="BatchError.None"/> and its size if all of it is there.
    /// </summary>
    internal static BatchError Measure(ReadOnlySpan<byte> bytes, out int size)
    {
        size = 0;

        // Message sets of magic 0 and 1 have their magic at the same place, and may be shorter than a v2 header.
        if (bytes.Length <= RecordBatchHeader.MagicOffset)
        {
            return BatchError.Truncated;
        }

        byte magic = bytes[RecordBatchHeader.MagicOffset];
        if (magic != RecordBatchHeader.CurrentMagic)
        {
            return magic < RecordBatchHeader.CurrentMagic ? BatchError.UnsupportedMagic : BatchError.UnknownMagic;
        }

        int length = BinaryPrimitives.ReadInt32BigEndian(bytes[RecordBatchHeader.BatchLengthOffset..]);
        if (length < RecordBatchHeader.MinBatchLength)
        {
            return BatchError.InvalidLength;
        }

        if (length > bytes.Length - RecordBatchHeader.LogOverhead)
        {
            return BatchError.Truncated;
        }

        size = length + RecordBatchHeader.LogOverhead;
        return BatchError.None;
    }
}

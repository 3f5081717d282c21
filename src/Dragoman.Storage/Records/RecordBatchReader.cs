namespace Dragoman.Storage.Records;

/// <summary>
/// Reads the records of a batch of any codec. Decompressed records lie in pooled memory that the reader owns; one reader
/// may open any number of batches, one after the other.
/// </summary>
/// <remarks>
/// The memory given to <see cref="Open"/> must stay as it is until the next <see cref="Open"/>, <see cref="Close"/> or
/// <see cref="Dispose"/>; views of records live as long. Not safe for concurrent use.
/// </remarks>
public sealed class RecordBatchReader : IDisposable
{
    private readonly PooledBuffer _decompressed = new();
    private ReadOnlyMemory<byte> _batch;
    private ReadOnlyMemory<byte> _body;

    /// <summary>Whether a batch is open.</summary>
    public bool IsOpen => !_batch.IsEmpty;

    /// <summary>The header of the open batch.</summary>
    /// <exception cref="InvalidOperationException">No batch is open.</exception>
    public RecordBatchHeader Header =>
        RecordBatchHeader.TryRead(_batch.Span, out RecordBatchHeader header)
            ? header
            : throw new InvalidOperationException("No record batch is open.");

    /// <summary>The records, one after the other and not compressed.</summary>
    public ReadOnlyMemory<byte> Body => _body;

    /// <summary>Iterates over the records of the open batch, with their offsets and timestamps.</summary>
    /// <exception cref="InvalidOperationException">No batch is open.</exception>
    public RecordReader Records => new(Header, _body.Span);

    /// <summary>
    /// Opens the batch at the start of the memory, which may hold more, and decompresses its records. Checks sizes, magic and
    /// codec; the CRC and the records themselves are <see cref="RecordBatchValidator"/>'s to check. After an error no
    /// batch is open.
    /// </summary>
    /// <param name="batch">The batch.</param>
    /// <param name="maxDecompressedBytes">
    /// The most that compressed records may become: a limit at least as large as the one they were accepted under.
    /// </param>
    public BatchError Open(ReadOnlyMemory<byte> batch, int maxDecompressedBytes = BatchLimits.DefaultMaxDecompressedBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxDecompressedBytes);
        Close();
        BatchError error = RecordBatches.Measure(batch.Span, out int size);
        if (error != BatchError.None)
        {
            return error;
        }

        batch = batch[..size];
        RecordBatchHeader.TryRead(batch.Span, out RecordBatchHeader header);
        if (header.Codec == CompressionCodec.None)
        {
            _body = batch[RecordBatchHeader.Size..];
        }
        else
        {
            error = RecordBatchValidator.DecompressBody(header, batch.Span, maxDecompressedBytes, _decompressed);
            if (error != BatchError.None)
            {
                return error;
            }

            _body = _decompressed.WrittenMemory;
        }

        _batch = batch;
        return BatchError.None;
    }

    /// <summary>
    /// Finds the first record whose timestamp is at least <paramref name="timestamp"/> (milliseconds since 1970), as
    /// ListOffsets asks for; given the header's <see cref="RecordBatchHeader.MaxTimestamp"/>, the first that bears it.
    /// </summary>
    /// <returns>False if there is none.</returns>
    /// <exception cref="InvalidOperationException">No batch is open.</exception>
    public bool TryFindTimestamp(long timestamp, out long offset, out long foundTimestamp)
    {
        RecordReader records = Records;
        while (records.MoveNext())
        {
            if (records.Current.Timestamp >= timestamp)
            {
                offset = records.Current.Offset;
                foundTimestamp = records.Current.Timestamp;
                return true;
            }
        }

        offset = -1;
        foundTimestamp = RecordBatchHeader.NoTimestamp;
        return false;
    }

    /// <summary>Lets go of the batch and keeps the memory for the next.</summary>
    public void Close()
    {
        _batch = default;
        _body = default;
        _decompressed.Clear();
    }

    /// <summary>Lets go of the batch and gives the memory back. The reader may be used again.</summary>
    public void Dispose()
    {
        Close();
        _decompressed.Dispose();
    }
}

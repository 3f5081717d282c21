using System.Diagnostics.CodeAnalysis;

namespace Dragoman.Storage.Records;

/// <summary>One record of a batch: views over the batch's bytes, valid as long as those are.</summary>
public readonly ref struct RecordView
{
    internal RecordView(
        ReadOnlySpan<byte> encoded,
        long offset,
        int offsetDelta,
        long timestamp,
        long timestampDelta,
        NullableBytes key,
        NullableBytes value,
        RecordHeaders headers)
    {
        Encoded = encoded;
        Offset = offset;
        OffsetDelta = offsetDelta;
        Timestamp = timestamp;
        TimestampDelta = timestampDelta;
        Key = key;
        Value = value;
        Headers = headers;
    }

    /// <summary>The whole record as it stands on the wire, length prefix included.</summary>
    public ReadOnlySpan<byte> Encoded { get; }

    /// <summary>The record's offset in its log; the delta alone if the reader was not told the base.</summary>
    public long Offset { get; }

    /// <summary>The offset less the batch's base offset.</summary>
    public int OffsetDelta { get; }

    /// <summary>
    /// Milliseconds since 1970, or -1: the producer's for this record, or the broker's for the batch under
    /// <see cref="TimestampType.LogAppendTime"/>; the delta alone if the reader was not told the base.
    /// </summary>
    public long Timestamp { get; }

    /// <summary>The producer's timestamp less the batch's base timestamp, in milliseconds.</summary>
    public long TimestampDelta { get; }

    /// <summary>The key; null and empty differ.</summary>
    public NullableBytes Key { get; }

    /// <summary>The value; null, a tombstone to a compacted topic, and empty differ.</summary>
    public NullableBytes Value { get; }

    /// <summary>The headers.</summary>
    public RecordHeaders Headers { get; }
}

/// <summary>
/// Iterates over the records of an uncompressed batch body without allocating. Bad bytes end the iteration with an
/// <see cref="Error"/>; nothing throws.
/// </summary>
/// <remarks>
/// A record is a varint length, attributes int8 (unused), varlong timestamp delta, varint offset delta, varint key length
/// (-1: null) and key, varint value length (-1: null) and value, varint header count and the headers (Kafka's message
/// format documentation, "Record"). The order of offset deltas is <see cref="RecordBatchValidator"/>'s to check.
/// </remarks>
public ref struct RecordReader
{
    private readonly ReadOnlySpan<byte> _body;
    private readonly int _count;
    private readonly long _baseOffset;
    private readonly long _baseTimestamp;
    private readonly long _appendTimestamp;
    private readonly bool _appendTime;
    private RecordView _current;
    private int _position;
    private int _read;

    /// <summary>Reads records whose base offset and timestamp do not matter: views show deltas.</summary>
    public RecordReader(ReadOnlySpan<byte> body, int recordCount)
    {
        _body = body;
        _count = recordCount;
    }

    /// <summary>Reads the records of a batch whose body is given, decompressed if it was compressed.</summary>
    public RecordReader(RecordBatchHeader header, ReadOnlySpan<byte> body)
        : this(body, header.RecordCount)
    {
        _baseOffset = header.BaseOffset;
        _baseTimestamp = header.BaseTimestamp;
        _appendTime = header.TimestampType == TimestampType.LogAppendTime;
        _appendTimestamp = header.MaxTimestamp;
    }

    /// <summary>The record that the last successful <see cref="MoveNext"/> read.</summary>
    [UnscopedRef]
    public readonly ref readonly RecordView Current => ref _current;

    /// <summary>What ended the iteration, or <see cref="BatchError.None"/> if nothing is wrong so far.</summary>
    public BatchError Error { readonly get; private set; }

    /// <summary>Records read so far; after an error, the index of the record that is bad.</summary>
    public readonly int RecordsRead => _read;

    /// <summary>
    /// The reader itself, for <c>foreach</c>; which iterates over a copy and so cannot show an <see cref="Error"/>. Use it for
    /// batches that were validated.
    /// </summary>
    public readonly RecordReader GetEnumerator() => this;

    /// <summary>
    /// Reads the next record. False after the last one, and false with an <see cref="Error"/> where the bytes are no
    /// record or do not end with the last one.
    /// </summary>
    public bool MoveNext()
    {
        if (Error != BatchError.None)
        {
            return false;
        }

        if (_read >= _count)
        {
            Error = _position == _body.Length ? BatchError.None : BatchError.BytesAfterRecords;
            return false;
        }

        Error = ReadRecord();
        if (Error != BatchError.None)
        {
            return false;
        }

        _read++;
        return true;
    }

    private BatchError ReadRecord()
    {
        int start = _position;
        if (start == _body.Length)
        {
            return BatchError.RecordTruncated;
        }

        int position = start;
        if (!Varint.TryRead(_body, ref position, out int length))
        {
            return BatchError.InvalidVarint;
        }

        if (length < 0)
        {
            return BatchError.InvalidRecordLength;
        }

        if (length > _body.Length - position)
        {
            return BatchError.RecordTruncated;
        }

        int end = position + length;
        ReadOnlySpan<byte> content = _body[position..end];
        int at = 1;
        if (!Varint.TryRead(content, ref at, out long timestampDelta) || !Varint.TryRead(content, ref at, out int offsetDelta))
        {
            return BatchError.InvalidVarint;
        }

        BatchError error = ReadBytes(content, ref at, out NullableBytes key);
        if (error != BatchError.None)
        {
            return error;
        }

        error = ReadBytes(content, ref at, out NullableBytes value);
        if (error != BatchError.None)
        {
            return error;
        }

        error = ReadHeaders(content, ref at, out RecordHeaders headers);
        if (error != BatchError.None)
        {
            return error;
        }

        if (at != content.Length)
        {
            return BatchError.InvalidRecordLength;
        }

        long timestamp = _appendTime ? _appendTimestamp : unchecked(_baseTimestamp + timestampDelta);
        _current = new RecordView(
            _body[start..end], unchecked(_baseOffset + offsetDelta), offsetDelta, timestamp, timestampDelta, key, value, headers);
        _position = end;
        return BatchError.None;
    }

    private static BatchError ReadBytes(ReadOnlySpan<byte> content, scoped ref int at, out NullableBytes bytes)
    {
        bytes = default;
        if (!Varint.TryRead(content, ref at, out int length))
        {
            return BatchError.InvalidVarint;
        }

        if (length == -1)
        {
            return BatchError.None;
        }

        if (length < 0 || length > content.Length - at)
        {
            return BatchError.InvalidFieldLength;
        }

        bytes = content.Slice(at, length);
        at += length;
        return BatchError.None;
    }

    private static BatchError ReadHeaders(ReadOnlySpan<byte> content, scoped ref int at, out RecordHeaders headers)
    {
        headers = default;
        if (!Varint.TryRead(content, ref at, out int count))
        {
            return BatchError.InvalidVarint;
        }

        // The shortest header is two bytes, so a count beyond that is known to be wrong before any is read.
        if (count < 0 || count > (content.Length - at) / 2)
        {
            return BatchError.InvalidHeaderCount;
        }

        int start = at;
        for (int i = 0; i < count; i++)
        {
            BatchError error = ReadBytes(content, ref at, out NullableBytes key);
            if (error == BatchError.None)
            {
                error = key.IsNull ? BatchError.InvalidFieldLength : ReadBytes(content, ref at, out _);
            }

            if (error != BatchError.None)
            {
                return error;
            }
        }

        headers = new RecordHeaders(count, content[start..at]);
        return BatchError.None;
    }
}

namespace Dragoman.Storage.Records;

/// <summary>
/// Steps over the records of an uncompressed batch body and tells where each lies, without looking at keys, values and
/// headers: for those who hand records on and leave it to others to read them.
/// </summary>
public ref struct RecordWalker
{
    private readonly ReadOnlySpan<byte> _body;
    private int _left;
    private int _next;

    /// <summary>Walks over so many records.</summary>
    /// <param name="body">The records, not compressed.</param>
    /// <param name="recordCount">How many the batch's header counts.</param>
    /// <param name="position">Where in the body to begin: at a record.</param>
    public RecordWalker(ReadOnlySpan<byte> body, int recordCount, int position = 0)
    {
        _body = body;
        _left = recordCount;
        _next = position;
    }

    /// <summary>Where the record begins in the body, its length prefix included.</summary>
    public int Position { get; private set; }

    /// <summary>Bytes of the record, its length prefix included.</summary>
    public int Length { get; private set; }

    /// <summary>The record's offset less the batch's base offset.</summary>
    public int OffsetDelta { get; private set; }

    /// <summary>The record's timestamp less the batch's base timestamp.</summary>
    public long TimestampDelta { get; private set; }

    /// <summary>Steps to the next record; false after the last one, and where the bytes are no record.</summary>
    public bool MoveNext()
    {
        if (_left <= 0) return false;
        _left--;
        var at = _next;
        if (!Varint.TryRead(_body, ref at, out int length) || length < 1 || length > _body.Length - at) return false;
        var end = at + length;
        at++;
        if (!Varint.TryRead(_body, ref at, out long timestampDelta) || !Varint.TryRead(_body, ref at, out int offsetDelta) || at > end) return false;
        Position = _next;
        Length = end - _next;
        OffsetDelta = offsetDelta;
        TimestampDelta = timestampDelta;
        _next = end;
        return true;
    }
}

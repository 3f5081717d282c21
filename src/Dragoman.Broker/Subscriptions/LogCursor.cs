using Dragoman.Storage.Log;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Subscriptions;

/// <summary>A record that a cursor stands on.</summary>
internal readonly record struct CursorRecord(long Offset, long Timestamp, int Position, int Size);

/// <summary>
/// Walks over the records of a log in order. What it has read stays in a shared buffer, out of which deliveries are cut;
/// it goes to the log only when <see cref="Fill"/> is called, so that the rest can run under a lock. One user at a time.
/// </summary>
internal sealed class LogCursor(PartitionLog log)
{
    [ThreadStatic]
    private static LogRead? _scratch;

    private DeliveryBuffer? _buffer;
    private DeliveryBuffer? _body;
    private List<AbortedTransaction>? _aborted;
    private int _nextBatch;
    private int _bodyStart;
    private int _nextRecord;
    private int _recordsLeft;
    private long _baseOffset;
    private long _baseTimestamp;
    private bool _isAppendTime;
    private bool _hasCurrent;

    // The last record before the current one, or where reading began: what lies before is not to be found any more.
    private long _passed = -1;

    /// <summary>The record it stands on, if <see cref="TryMoveTo"/> found one.</summary>
    public CursorRecord Current { get; private set; }

    /// <summary>Where the record's bytes are; acquired by whoever keeps them.</summary>
    public DeliveryBuffer Buffer => _body!;

    /// <summary>The offset at which the next <see cref="Fill"/> should begin, if everything read is used up.</summary>
    public long NextOffset { get; private set; } = -1;

    /// <summary>Bytes that it keeps.</summary>
    public int BufferedBytes => _buffer?.Length ?? 0;

    /// <summary>The content of the record it stands on; valid until it moves.</summary>
    public MessageView Read()
    {
        var reader = new RecordReader(_body!.Span.Slice(Current.Position, Current.Size), 1);
        Invariant.Check(reader.MoveNext(), "a log holds whole records");
        var record = reader.Current;
        return new MessageView(Current.Offset, Current.Timestamp, record.Key, record.Value, record.Headers);
    }

    /// <summary>Stands on the first record at or after an offset, if that is in what was read and was not passed yet.</summary>
    public bool TryMoveTo(long offset)
    {
        if (_buffer is null || offset <= _passed) return false;
        if (_hasCurrent && Current.Offset >= offset) return true;
        while (MoveNext())
            if (Current.Offset >= offset) return true;
        return false;
    }

    private bool MoveNext()
    {
        if (_hasCurrent) _passed = Current.Offset;
        while (true)
        {
            if (_recordsLeft > 0)
            {
                var walker = new RecordWalker(_body!.Span[_bodyStart..], _recordsLeft, _nextRecord);
                if (!walker.MoveNext()) throw new CorruptDataException($"Log {log.Id} holds a batch at {_baseOffset} whose records cannot be read.");
                _recordsLeft--;
                _nextRecord = walker.Position + walker.Length;
                var timestamp = _isAppendTime ? _baseTimestamp : _baseTimestamp + walker.TimestampDelta;
                Current = new CursorRecord(_baseOffset + walker.OffsetDelta, timestamp, _bodyStart + walker.Position, walker.Length);
                _hasCurrent = true;
                return true;
            }
            _hasCurrent = false;
            if (!OpenBatch()) return false;
        }
    }

    private bool OpenBatch()
    {
        ReleaseBody();
        if (_nextBatch >= _buffer!.Length) return false;
        var rest = _buffer.Memory[_nextBatch..];
        if (!RecordBatchHeader.TryRead(rest.Span, out var header) || header.TotalSize > rest.Length)
            throw new CorruptDataException($"Log {log.Id} holds what is no batch.");
        var size = (int)header.TotalSize;
        _baseOffset = header.BaseOffset;
        _isAppendTime = header.TimestampType == TimestampType.LogAppendTime;
        _baseTimestamp = _isAppendTime ? header.MaxTimestamp : header.BaseTimestamp;
        if (header.IsControl || IsAborted(header))
        {
            _recordsLeft = 0;
        }
        else if (header.Codec == CompressionCodec.None)
        {
            _body = _buffer;
            _body.Acquire();
            _bodyStart = _nextBatch + RecordBatchHeader.Size;
            _recordsLeft = header.RecordCount;
        }
        else
        {
            Decompress(rest[..size], header.RecordCount);
        }
        _nextRecord = 0;
        _nextBatch += size;
        return true;
    }

    private bool IsAborted(in RecordBatchHeader header)
    {
        if (!header.IsTransactional || _aborted is null) return false;
        foreach (var transaction in _aborted)
            if (transaction.ProducerId == header.ProducerId && header.BaseOffset >= transaction.FirstOffset && header.BaseOffset <= transaction.LastOffset) return true;
        return false;
    }

    private void Decompress(ReadOnlyMemory<byte> batch, int records)
    {
        using var reader = new RecordBatchReader();
        var error = reader.Open(batch);
        if (error != BatchError.None) throw new CorruptDataException($"Log {log.Id} holds a batch at {_baseOffset} that cannot be decompressed: {error}.");
        _body = DeliveryBuffer.Rent(reader.Body.Length);
        reader.Body.Span.CopyTo(_body.Span);
        _bodyStart = 0;
        _recordsLeft = records;
    }

    /// <summary>Reads whole batches from the one on that contains an offset; false if there is none.</summary>
    /// <param name="offset">Where to begin.</param>
    /// <param name="endOffset">Where to end.</param>
    /// <param name="maxBytes">How much to read, the first batch aside.</param>
    /// <exception cref="IOException">The disk failed, or does not hold what it should.</exception>
    public bool Fill(long offset, long endOffset, int maxBytes)
    {
        Drop();
        return ReadFrom(offset, endOffset, maxBytes, isStable: false);
    }

    /// <summary>
    /// As <see cref="Fill"/>, up to the last stable offset; records of transactions that were aborted are not
    /// found.
    /// </summary>
    /// <param name="offset">Where to begin.</param>
    /// <param name="maxBytes">How much to read, the first batch aside.</param>
    /// <exception cref="IOException">The disk failed, or does not hold what it should.</exception>
    public bool FillStable(long offset, int maxBytes)
    {
        Drop();
        return ReadFrom(offset, long.MaxValue, maxBytes, isStable: true);
    }

    private bool ReadFrom(long offset, long endOffset, int maxBytes, bool isStable)
    {
        var read = _scratch ??= new LogRead();
        try
        {
            if (isStable) log.ReadStable(offset, maxBytes, read, _aborted ??= []);
            else log.Read(offset, endOffset, maxBytes, read);
            NextOffset = read.NextOffset;
            if (read.TotalBytes == 0) return false;
            _buffer = DeliveryBuffer.Rent(read.TotalBytes);
            read.CopyTo(_buffer.Span);
            _passed = offset - 1;
            return true;
        }
        finally
        {
            read.Dispose();
        }
    }

    /// <summary>Lets go of what was read.</summary>
    public void Drop()
    {
        ReleaseBody();
        _buffer?.Release();
        _buffer = null;
        _aborted?.Clear();
        _nextBatch = 0;
        _hasCurrent = false;
        _passed = -1;
    }

    private void ReleaseBody()
    {
        _body?.Release();
        _body = null;
        _recordsLeft = 0;
    }
}

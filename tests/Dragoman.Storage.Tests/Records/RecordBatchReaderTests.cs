using Dragoman.Storage.Records;

namespace Dragoman.Storage.Tests.Records;

public class RecordBatchReaderTests
{
    public static TheoryData<CompressionCodec> AllCodecs => TestRecords.AllCodecs;

    [Theory]
    [MemberData(nameof(AllCodecs))]
    public void Offsets_and_timestamps_are_absolute(CompressionCodec codec)
    {
        byte[] batch = TestRecords.Batch(codec, 5);
        RecordBatch.SetBaseOffset(batch, 1_000_000_000_000);
        using var reader = new RecordBatchReader();
        Assert.Equal(BatchError.None, reader.Open((byte[])[.. batch, 1, 2, 3]));
        int index = 0;
        foreach (RecordView record in reader.Records)
        {
            Assert.Equal(1_000_000_000_000 + index, record.Offset);
            Assert.Equal(index, record.OffsetDelta);
            Assert.Equal(1_700_000_000_000 + index, record.Timestamp);
            Assert.Equal(index, record.TimestampDelta);
            index++;
        }

        Assert.Equal(5, index);
    }

    [Theory]
    [MemberData(nameof(AllCodecs))]
    public void Finds_the_first_record_at_or_after_a_time(CompressionCodec codec)
    {
        byte[] batch = TestRecords.Build(
            [new(100, null, null, []), new(300, null, null, []), new(200, null, null, []), new(300, null, null, [])],
            new BatchOptions { Codec = codec, BaseOffset = 40 });
        using var reader = new RecordBatchReader();
        Assert.Equal(BatchError.None, reader.Open(batch));
        foreach ((long target, long offset, long timestamp) in new[]
                 {
                     (long.MinValue, 40L, 100L), (100, 40, 100), (101, 41, 300), (200, 41, 300), (300, 41, 300),
                 })
        {
            Assert.True(reader.TryFindTimestamp(target, out long foundOffset, out long foundTimestamp));
            Assert.Equal((offset, timestamp), (foundOffset, foundTimestamp));
        }

        Assert.True(reader.TryFindTimestamp(reader.Header.MaxTimestamp, out long max, out _));
        Assert.Equal(41, max);
        Assert.False(reader.TryFindTimestamp(301, out long none, out long noTimestamp));
        Assert.Equal((-1, -1), (none, noTimestamp));
    }

    [Fact]
    public void Append_time_is_the_time_of_every_record()
    {
        byte[] batch = TestRecords.Build(
            [new(100, null, null, []), new(300, null, null, [])], new BatchOptions { LogAppendTimestamp = 5000, BaseOffset = 7 });
        using var reader = new RecordBatchReader();
        Assert.Equal(BatchError.None, reader.Open(batch));
        Assert.Equal(TimestampType.LogAppendTime, reader.Header.TimestampType);
        Assert.True(reader.TryFindTimestamp(4000, out long offset, out long timestamp));
        Assert.Equal((7, 5000), (offset, timestamp));
    }

    [Fact]
    public void After_an_error_nothing_is_open()
    {
        using var reader = new RecordBatchReader();
        Assert.Throws<InvalidOperationException>(() => reader.Header.BaseOffset);
        byte[] batch = TestRecords.Batch(CompressionCodec.Zstd);
        Assert.Equal(BatchError.None, reader.Open(batch));
        Assert.True(reader.IsOpen);
        Assert.Equal(BatchError.Truncated, reader.Open(batch.AsMemory(0, batch.Length - 1)));
        Assert.False(reader.IsOpen);
        Assert.Equal(BatchError.DecompressedTooLarge, reader.Open(batch, 10));
        batch[22] = 7;
        Assert.Equal(BatchError.UnknownCodec, reader.Open(batch));
        batch[22] = (byte)CompressionCodec.Lz4;
        Assert.Equal(BatchError.CorruptCompression, reader.Open(batch));
        Assert.False(reader.IsOpen);
        Assert.Throws<InvalidOperationException>(() => reader.TryFindTimestamp(0, out _, out _));
    }

    [Fact]
    public void Headers_are_found_by_key_the_last_one_first()
    {
        byte[] batch = TestRecords.Build([new(1, null, null, [("a", [1]), ("b", null), ("a", [2])])], new BatchOptions());
        using var reader = new RecordBatchReader();
        Assert.Equal(BatchError.None, reader.Open(batch));
        RecordReader records = reader.Records;
        Assert.True(records.MoveNext());
        RecordHeaders headers = records.Current.Headers;
        Assert.Equal(3, headers.Count);
        Assert.True(headers.TryGetLast("a"u8, out NullableBytes a));
        Assert.Equal([2], a.ToArray());
        Assert.True(headers.TryGetLast("b"u8, out NullableBytes b));
        Assert.True(b.IsNull);
        Assert.False(headers.TryGetLast("c"u8, out _));

        // Another record takes them over as they are.
        using var builder = new RecordBatchBuilder();
        builder.Add(1, records.Current.Key, records.Current.Value, headers);
        Assert.Equal(batch, builder.Build(new BatchOptions()).ToArray());
    }
}

using System.Buffers;
using CsCheck;
using Dragoman.Storage.Records;

namespace Dragoman.Storage.Tests.Records;

public class RecordBatchBuilderTests
{
    public static TheoryData<CompressionCodec> AllCodecs => TestRecords.AllCodecs;

    [Theory]
    [MemberData(nameof(AllCodecs))]
    public void Any_records_come_back_as_they_went_in(CompressionCodec codec) =>
        TestRecords.Records.Sample(records =>
        {
            byte[] batch = TestRecords.Build(records, new BatchOptions { Codec = codec });
            Assert.Equal(BatchError.None, RecordBatchValidator.Validate(batch, BatchLimits.Producer, out BatchSummary summary));
            Assert.Equal(records.Length, summary.RecordCount);
            Assert.True(RecordBatchHeader.TryRead(batch, out RecordBatchHeader header));
            Assert.Equal(codec, header.Codec);
            Assert.Equal(header.MaxTimestamp, summary.MaxTimestamp);
            Assert.Equal(records, TestRecords.Read(batch));
        }, iter: 100);

    [Theory]
    [MemberData(nameof(AllCodecs))]
    public void Null_and_empty_stay_apart(CompressionCodec codec)
    {
        TestRecord[] records =
        [
            new(1, null, [], [("a", null), ("a", []), ("", [1])]),
            new(2, [], null, []),
            new(3, null, null, []),
            new(4, [], [], []),
        ];
        Assert.Equal(records, TestRecords.Read(TestRecords.Build(records, new BatchOptions { Codec = codec })));
    }

    [Fact]
    public void Extreme_timestamps_survive()
    {
        TestRecord[] records =
        [
            new(long.MinValue, null, null, []), new(long.MaxValue, null, null, []), new(-1, null, null, []), new(0, null, null, []),
        ];
        Assert.Equal(records, TestRecords.Read(TestRecords.Build(records, new BatchOptions())));
    }

    [Fact]
    public void A_value_in_pieces_is_the_value()
    {
        using var builder = new RecordBatchBuilder();
        builder.Add(5, "k"u8, Pieces([1, 2, 3], [], [4, 5]));
        Assert.Equal([new TestRecord(5, "k"u8.ToArray(), [1, 2, 3, 4, 5], [])], TestRecords.Read(builder.Build(new BatchOptions())));
    }

    [Fact]
    public void A_builder_is_reused()
    {
        using var builder = new RecordBatchBuilder();
        foreach (CompressionCodec codec in TestRecords.Codecs)
        {
            builder.Reset();
            builder.Add(7, "k"u8, "v"u8);
            Assert.Equal(
                TestRecords.Build([new(7, "k"u8.ToArray(), "v"u8.ToArray(), [])], new BatchOptions { Codec = codec }),
                builder.Build(new BatchOptions { Codec = codec }).ToArray());
        }

        builder.Dispose();
        builder.Add(8, default, default);
        Assert.Equal([new TestRecord(8, null, null, [])], TestRecords.Read(builder.Build(new BatchOptions())));
    }

    [Fact]
    public void A_batch_without_records_needs_a_last_offset()
    {
        using var builder = new RecordBatchBuilder();
        Assert.Throws<InvalidOperationException>(() => builder.Build(new BatchOptions()));
        byte[] batch = builder.Build(new BatchOptions
        {
            LastOffsetDelta = 4,
            Codec = CompressionCodec.Lz4,
            Producer = new BatchProducer(1, 0, 3),
        }).ToArray();
        Assert.Equal(RecordBatchHeader.Size, batch.Length);
        Assert.Equal(BatchError.None, RecordBatchValidator.Validate(batch, new BatchLimits(), out _));
        Assert.Equal(BatchError.InvalidRecordCount, RecordBatchValidator.Validate(batch, BatchLimits.Producer, out _));
        RecordBatchHeader.TryRead(batch, out RecordBatchHeader header);
        Assert.Equal(7, header.LastSequence);
        Assert.Empty(TestRecords.Read(batch));
    }

    [Theory]
    [MemberData(nameof(AllCodecs))]
    public void A_compacted_batch_keeps_gaps_and_its_last_offset(CompressionCodec codec)
    {
        using var builder = new RecordBatchBuilder();
        builder.Reset(123_456);
        builder.AddAt(3, 123_500, "a"u8, "1"u8);
        builder.AddAt(7, 123_400, "b"u8, default);
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.AddAt(7, 0, default, default));
        byte[] batch = builder.Build(new BatchOptions
        {
            Codec = codec,
            BaseOffset = 1000,
            LastOffsetDelta = 9,
            HasDeleteHorizon = true,
        }).ToArray();
        Assert.Equal(BatchError.None, RecordBatchValidator.Validate(batch, new BatchLimits(), out _));
        Assert.Equal(BatchError.InvalidLastOffsetDelta, RecordBatchValidator.Validate(batch, BatchLimits.Producer, out _));
        RecordBatchHeader.TryRead(batch, out RecordBatchHeader header);
        Assert.True(header.HasDeleteHorizon);
        Assert.Equal(123_456, header.BaseTimestamp);
        Assert.Equal(1009, header.LastOffset);
        using var reader = new RecordBatchReader();
        Assert.Equal(BatchError.None, reader.Open(batch));
        var offsets = new List<(long, long)>();
        foreach (RecordView record in reader.Records)
        {
            offsets.Add((record.Offset, record.Timestamp));
        }

        Assert.Equal([(1003, 123_500), (1007, 123_400)], offsets);
    }

    [Fact]
    public void Options_left_out_mean_no_producer()
    {
        foreach (BatchOptions options in new[] { default, new BatchOptions() })
        {
            RecordBatchHeader.TryRead(TestRecords.Build([new(1, null, null, [])], options), out RecordBatchHeader header);
            Assert.Equal((-1L, (short)-1, -1), (header.ProducerId, header.ProducerEpoch, header.BaseSequence));
            Assert.Equal(0, header.Attributes);
        }
    }

    [Fact]
    public void The_size_told_is_the_size_built()
    {
        using var builder = new RecordBatchBuilder();
        Assert.Equal(RecordBatchHeader.Size, builder.UncompressedSize);
        builder.Add(1, "key"u8, new byte[1000]);
        builder.Add(2, "key"u8, new byte[70_000]);
        Assert.Equal(builder.UncompressedSize, builder.Build(new BatchOptions()).Length);
    }

    private static ReadOnlySequence<byte> Pieces(params byte[][] pieces)
    {
        Piece first = new(pieces[0], 0);
        Piece last = first;
        foreach (byte[] piece in pieces.Skip(1))
        {
            last = last.Append(piece);
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(byte[] bytes, long start)
        {
            Memory = bytes;
            RunningIndex = start;
        }

        public Piece Append(byte[] bytes)
        {
            var next = new Piece(bytes, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}

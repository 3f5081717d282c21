using System.Buffers.Binary;
using CsCheck;
using Dragoman.Storage.Records;

namespace Dragoman.Storage.Tests.Records;

public class RecordBatchValidatorTests
{
    // Two records: key 'k', value null; key null, value 'v'.
    private static readonly byte[] TwoRecords = [14, 0, 0, 0, 2, (byte)'k', 1, 0, 14, 0, 0, 2, 1, 2, (byte)'v', 0];

    public static TheoryData<CompressionCodec> AllCodecs => TestRecords.AllCodecs;

    [Fact]
    public void Two_records_written_by_hand_are_valid() =>
        Expect(BatchError.None, TestRecords.Craft(TwoRecords, 2), firstBad: -1, good: 2);

    [Theory]
    [MemberData(nameof(AllCodecs))]
    public void A_change_of_any_bit_is_found_or_lies_where_the_broker_writes(CompressionCodec codec)
    {
        byte[] batch = TestRecords.Batch(codec);
        Assert.Equal(BatchError.None, RecordBatchValidator.Validate(batch, BatchLimits.Producer, out _));
        for (int i = 0; i < batch.Length; i++)
        {
            bool outsideCrc = i is < 8 or (>= 12 and < 16);
            for (int bit = 0; bit < 8; bit++)
            {
                batch[i] ^= (byte)(1 << bit);
                BatchError error = RecordBatchValidator.Validate(batch, BatchLimits.Producer, out _);
                Assert.Equal(outsideCrc, error == BatchError.None);
                batch[i] ^= (byte)(1 << bit);
            }
        }
    }

    [Theory]
    [MemberData(nameof(AllCodecs))]
    public void Every_truncation_is_told_from_corruption(CompressionCodec codec)
    {
        byte[] batch = TestRecords.Batch(codec);
        for (int length = 0; length < batch.Length; length++)
        {
            Assert.Equal(BatchError.Truncated, RecordBatchValidator.Validate(batch.AsSpan(0, length), BatchLimits.Producer, out _));
        }

        byte[] longer = [.. batch, 0];
        Assert.Equal(BatchError.TrailingBytes, RecordBatchValidator.Validate(longer, BatchLimits.Producer, out _));
    }

    [Theory]
    [MemberData(nameof(AllCodecs))]
    public void Changed_bodies_with_a_right_crc_never_throw(CompressionCodec codec)
    {
        byte[] batch = TestRecords.Batch(codec);
        using var reader = new RecordBatchReader();
        Gen.Select(Gen.Int[RecordBatchHeader.Size, batch.Length - 1], Gen.Byte).Array[1, 6].Sample(changes =>
        {
            byte[] changed = [.. batch];
            foreach ((int at, byte value) in changes)
            {
                changed[at] = value;
            }

            RecordBatch.UpdateCrc(changed);
            BatchError error = RecordBatchValidator.Validate(changed, BatchLimits.Producer, out BatchSummary summary);
            BatchError opened = reader.Open(changed);
            int read = 0;
            BatchError readError = opened;
            if (opened == BatchError.None)
            {
                RecordReader records = reader.Records;
                while (records.MoveNext())
                {
                    read++;
                    TestRecords.Copy(records.Current);
                }

                readError = records.Error;
            }

            // The reader checks all that the validator does but the order of offsets.
            if (error != BatchError.InvalidOffsetDelta)
            {
                Assert.Equal(error, readError);
                Assert.Equal(summary.RecordCount, read);
            }
        }, iter: 3000, threads: 1);
    }

    [Fact]
    public void Random_bytes_never_throw() =>
        Gen.Select(Gen.Byte.Array[0, 200], Gen.Int[0, 200], Gen.Short[0, 0x7f]).Sample((body, count, attributes) =>
        {
            RecordBatchValidator.Validate(body, new BatchLimits(), out _);
            byte[] batch = TestRecords.Craft(body, count, attributes);
            RecordBatchValidator.Validate(batch, new BatchLimits(), out _);
        }, iter: 20_000);

    [Fact]
    public void Sizes_and_magic()
    {
        byte[] batch = TestRecords.Craft(TwoRecords, 2);
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(8), RecordBatchHeader.MinBatchLength - 1);
        Expect(BatchError.InvalidLength, batch);
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(8), -1);
        Expect(BatchError.InvalidLength, batch);
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(8), int.MaxValue);
        Expect(BatchError.Truncated, batch);

        batch = TestRecords.Craft(TwoRecords, 2);
        foreach ((byte magic, BatchError error) in new[]
                 {
                     ((byte)0, BatchError.UnsupportedMagic), ((byte)1, BatchError.UnsupportedMagic),
                     ((byte)3, BatchError.UnknownMagic), ((byte)255, BatchError.UnknownMagic),
                 })
        {
            batch[16] = magic;
            Expect(error, batch);
        }

        batch = TestRecords.Craft(TwoRecords, 2);
        Expect(BatchError.None, batch, limits: BatchLimits.Producer with { MaxBatchBytes = batch.Length }, good: 2);
        Expect(BatchError.BatchTooLarge, batch, limits: BatchLimits.Producer with { MaxBatchBytes = batch.Length - 1 });
    }

    [Fact]
    public void Header_fields_of_a_producer()
    {
        Expect(BatchError.UnknownCodec, TestRecords.Craft(TwoRecords, 2, attributes: 5));
        Expect(BatchError.UnknownCodec, TestRecords.Craft(TwoRecords, 2, attributes: 7));
        Expect(BatchError.InvalidRecordCount, TestRecords.Craft(TwoRecords, -1, lastOffsetDelta: 1));
        Expect(BatchError.InvalidRecordCount, TestRecords.Craft([], 0, lastOffsetDelta: 0));
        Expect(BatchError.InvalidLastOffsetDelta, TestRecords.Craft(TwoRecords, 2, lastOffsetDelta: 2));
        Expect(BatchError.InvalidLastOffsetDelta, TestRecords.Craft(TwoRecords, 2, lastOffsetDelta: 0));
        Expect(BatchError.InvalidLastOffsetDelta, TestRecords.Craft(TwoRecords, 2, lastOffsetDelta: -1));
        Expect(BatchError.InvalidLastOffsetDelta, TestRecords.Craft(TwoRecords, int.MaxValue, lastOffsetDelta: int.MinValue));
        Expect(BatchError.ControlBatchNotAllowed, TestRecords.Craft(TwoRecords, 2, attributes: 0x20));
        Expect(BatchError.InvalidTimestampType, TestRecords.Craft(TwoRecords, 2, attributes: 0x08));
        Expect(BatchError.InvalidTimestampType, TestRecords.Craft(TwoRecords, 2, attributes: 0x40));
    }

    [Fact]
    public void Fields_of_idempotent_producers()
    {
        Expect(BatchError.None, TestRecords.Craft(TwoRecords, 2, producerId: 0, producerEpoch: 0, baseSequence: 0), good: 2);
        Expect(BatchError.None, TestRecords.Craft(TwoRecords, 2, attributes: 0x10, producerId: 5, producerEpoch: 1, baseSequence: 9), good: 2);
        Expect(BatchError.InvalidProducerFields, TestRecords.Craft(TwoRecords, 2, producerId: 5, producerEpoch: 1, baseSequence: -1));
        Expect(BatchError.InvalidProducerFields, TestRecords.Craft(TwoRecords, 2, producerId: 5, producerEpoch: -1, baseSequence: 0));
        Expect(BatchError.InvalidProducerFields, TestRecords.Craft(TwoRecords, 2, attributes: 0x10));

        // A client without idempotence may leave zeros.
        Expect(BatchError.None, TestRecords.Craft(TwoRecords, 2, producerEpoch: 0, baseSequence: 0), good: 2);
    }

    [Fact]
    public void Records_that_are_none_are_named_by_index()
    {
        byte[] good = [14, 0, 0, 0, 2, (byte)'k', 1, 0];
        Bad(BatchError.RecordTruncated, []);
        Bad(BatchError.RecordTruncated, [14, 0, 0, 2, 1, 2, (byte)'v']);
        Bad(BatchError.InvalidVarint, [0x80]);
        Bad(BatchError.InvalidVarint, [0x80, 0x80, 0x80, 0x80, 0x80, 0]);
        Bad(BatchError.InvalidVarint, [0xff, 0xff, 0xff, 0xff, 0x1f]);
        Bad(BatchError.InvalidRecordLength, [1]);
        Bad(BatchError.InvalidVarint, [0]);
        Bad(BatchError.InvalidVarint, [2, 0]);
        Bad(BatchError.InvalidVarint, [8, 0, 0, 2, 0x80]);
        Bad(BatchError.InvalidVarint, [24, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2, 2]);
        Bad(BatchError.InvalidFieldLength, [14, 0, 0, 2, 3, 1, 0, 0]); // key length -2
        Bad(BatchError.InvalidFieldLength, [14, 0, 0, 2, 10, 1, 0, 0]); // key beyond the record
        Bad(BatchError.InvalidFieldLength, [12, 0, 0, 2, 1, 4, 0]); // value beyond the record
        Bad(BatchError.InvalidHeaderCount, [12, 0, 0, 2, 1, 1, 1]); // -1 headers
        Bad(BatchError.InvalidHeaderCount, [12, 0, 0, 2, 1, 1, 2]); // a header and no bytes for it
        Bad(BatchError.InvalidFieldLength, [16, 0, 0, 2, 1, 1, 2, 1, 0]); // header key null
        Bad(BatchError.InvalidFieldLength, [16, 0, 0, 2, 1, 1, 2, 0, 2]); // header value beyond the record
        Bad(BatchError.InvalidVarint, [18, 0, 0, 2, 1, 1, 2, 0, 0x80, 0x80]);
        Bad(BatchError.InvalidRecordLength, [14, 0, 0, 2, 1, 1, 0, 0]); // a byte too many
        Bad(BatchError.InvalidOffsetDelta, [12, 0, 0, 0, 1, 1, 0]); // delta 0 again
        Bad(BatchError.InvalidOffsetDelta, [12, 0, 0, 4, 1, 1, 0]); // delta 2

        Expect(BatchError.BytesAfterRecords, TestRecords.Craft([.. TwoRecords, 0], 2), good: 2);
        Expect(BatchError.BytesAfterRecords, TestRecords.Craft(TwoRecords, 1), good: 1);
        Expect(BatchError.RecordTruncated, TestRecords.Craft(TwoRecords, 3), firstBad: 2, good: 2);

        void Bad(BatchError error, byte[] second) =>
            Expect(error, TestRecords.Craft([.. good, .. second], 2), firstBad: 1, good: 1);
    }

    [Fact]
    public void Keys_where_they_are_required()
    {
        BatchLimits limits = BatchLimits.Producer with { RequireKeys = true };
        Expect(BatchError.MissingKey, TestRecords.Craft(TwoRecords, 2), limits: limits, firstBad: 1, good: 1);
        byte[] empty = TestRecords.Build([new(1, [], null, [])], new BatchOptions { Codec = CompressionCodec.Gzip });
        Expect(BatchError.None, empty, limits: limits, good: 1);
        byte[] missing = TestRecords.Build([new(1, [], null, []), new(1, null, [], [])], new BatchOptions { Codec = CompressionCodec.Zstd });
        Expect(BatchError.MissingKey, missing, limits: limits, firstBad: 1, good: 1);
    }

    [Fact]
    public void Timestamps_in_range()
    {
        BatchLimits limits = BatchLimits.Producer with { MinTimestamp = 100, MaxTimestamp = 200 };
        Expect(BatchError.None, Stamped(100, 200, -1), limits: limits, good: 3);
        Expect(BatchError.TimestampOutOfRange, Stamped(100, 99), limits: limits, firstBad: 1, good: 1);
        Expect(BatchError.TimestampOutOfRange, Stamped(201), limits: limits, firstBad: 0);

        static byte[] Stamped(params long[] timestamps) =>
            TestRecords.Build(timestamps.Select(t => new TestRecord(t, null, null, [])), new BatchOptions());
    }

    [Fact]
    public void A_wrong_max_timestamp_shows_in_the_summary_and_can_be_mended()
    {
        byte[] batch = TestRecords.Craft(TwoRecords, 2, baseTimestamp: 1000, maxTimestamp: 5);
        Assert.Equal(BatchError.None, RecordBatchValidator.Validate(batch, BatchLimits.Producer, out BatchSummary summary));
        Assert.Equal(1000, summary.MaxTimestamp);
        RecordBatch.SetMaxTimestampAndType(batch, TimestampType.CreateTime, summary.MaxTimestamp);
        RecordBatchHeader.TryRead(batch, out RecordBatchHeader header);
        Assert.Equal(1000, header.MaxTimestamp);
        Assert.Equal(BatchError.None, RecordBatchValidator.Validate(batch, BatchLimits.Producer, out _));
    }

    [Fact]
    public void Default_limits_refuse_everything() =>
        Expect(BatchError.BatchTooLarge, TestRecords.Craft(TwoRecords, 2), limits: default(BatchLimits));

    [Theory]
    [InlineData(CompressionCodec.Gzip)]
    [InlineData(CompressionCodec.Snappy)]
    [InlineData(CompressionCodec.Lz4)]
    [InlineData(CompressionCodec.Zstd)]
    public void Compressed_batches_that_are_garbage_empty_or_too_large(CompressionCodec codec)
    {
        Expect(BatchError.CorruptCompression, TestRecords.Craft([1, 2, 3, 4, 5, 6, 7, 8, 9], 1, attributes: (short)codec));
        Expect(BatchError.CorruptCompression, TestRecords.Craft([], 1, attributes: (short)codec));
        byte[] batch = TestRecords.Batch(codec, 1000);
        Assert.Equal(BatchError.None, RecordBatchValidator.Validate(batch, BatchLimits.Producer, out BatchSummary summary));
        Expect(BatchError.None, batch, limits: BatchLimits.Producer with { MaxDecompressedBytes = summary.RecordsBytes }, good: 1000);
        Expect(
            BatchError.DecompressedTooLarge,
            batch,
            limits: BatchLimits.Producer with { MaxDecompressedBytes = summary.RecordsBytes - 1 });
    }

    [Fact]
    public void The_callers_buffer_keeps_the_decompressed_records()
    {
        using var buffer = new PooledBuffer();
        byte[] batch = TestRecords.Batch(CompressionCodec.Zstd);
        Assert.Equal(BatchError.None, RecordBatchValidator.Validate(batch, BatchLimits.Producer, buffer, out BatchSummary summary));
        Assert.Equal(summary.RecordsBytes, buffer.Length);
        Assert.Equal(TestRecords.Batch(CompressionCodec.None)[RecordBatchHeader.Size..], buffer.WrittenSpan.ToArray());
        byte[] plain = TestRecords.Batch(CompressionCodec.None);
        Assert.Equal(BatchError.None, RecordBatchValidator.Validate(plain, BatchLimits.Producer, buffer, out _));
        Assert.Equal(0, buffer.Length);
    }

    private static void Expect(
        BatchError error, byte[] batch, BatchLimits? limits = null, int firstBad = -1, int good = 0)
    {
        Assert.Equal(error, RecordBatchValidator.Validate(batch, limits ?? BatchLimits.Producer, out BatchSummary summary));
        Assert.Equal(firstBad, summary.FirstBadRecord);
        Assert.Equal(good, summary.RecordCount);
    }
}

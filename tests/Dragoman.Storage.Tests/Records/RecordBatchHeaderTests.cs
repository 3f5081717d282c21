using System.Buffers.Binary;
using Dragoman.Storage.Records;

namespace Dragoman.Storage.Tests.Records;

public class RecordBatchHeaderTests
{
    // Written out from the format's documentation, not by the builder.
    private static readonly byte[] Golden =
    [
        0, 0, 0, 0, 0, 0, 0x12, 0x34, // base offset 0x1234
        0, 0, 0, 71, // batch length
        0, 0, 0, 7, // partition leader epoch
        2, // magic
        0xE7, 0x3D, 0x82, 0xF7, // CRC-32C of what follows
        0, 0x10, // attributes: transactional
        0, 0, 0, 1, // last offset delta
        0, 0, 1, 0x8B, 0xCF, 0xE5, 0x68, 0, // base timestamp 1700000000000
        0, 0, 1, 0x8B, 0xCF, 0xE5, 0x68, 5, // max timestamp 1700000000005
        0, 0, 0, 0, 0, 0, 0x03, 0xE9, // producer id 1001
        0, 2, // producer epoch
        0, 0, 0, 9, // base sequence
        0, 0, 0, 2, // record count
        22, // record 0: 11 bytes
        0, 0, 0, // attributes, timestamp delta 0, offset delta 0
        2, (byte)'k', // key
        1, // value null
        2, // one header
        2, (byte)'h', 2, (byte)'v',
        18, // record 1: 9 bytes
        0, 10, 2, // attributes, timestamp delta 5, offset delta 1
        1, // key null
        6, (byte)'a', (byte)'b', (byte)'c', // value
        0, // no headers
    ];

    private static byte[] GoldenBatch() => [.. Golden];

    [Fact]
    public void Reads_every_field_of_a_batch_written_by_hand()
    {
        byte[] batch = GoldenBatch();
        Assert.True(RecordBatchHeader.TryRead(batch, out RecordBatchHeader header));
        Assert.Equal(0x1234, header.BaseOffset);
        Assert.Equal(batch.Length - 12, header.BatchLength);
        Assert.Equal(batch.Length, header.TotalSize);
        Assert.Equal(7, header.PartitionLeaderEpoch);
        Assert.Equal(2, header.Magic);
        Assert.Equal(RecordBatch.ComputeCrc(batch), header.Crc);
        Assert.Equal(0x10, header.Attributes);
        Assert.Equal(CompressionCodec.None, header.Codec);
        Assert.Equal(TimestampType.CreateTime, header.TimestampType);
        Assert.True(header.IsTransactional);
        Assert.False(header.IsControl);
        Assert.False(header.HasDeleteHorizon);
        Assert.Equal(1, header.LastOffsetDelta);
        Assert.Equal(0x1235, header.LastOffset);
        Assert.Equal(1_700_000_000_000, header.BaseTimestamp);
        Assert.Equal(1_700_000_000_005, header.MaxTimestamp);
        Assert.Equal(1001, header.ProducerId);
        Assert.True(header.HasProducerId);
        Assert.Equal(2, header.ProducerEpoch);
        Assert.Equal(9, header.BaseSequence);
        Assert.Equal(10, header.LastSequence);
        Assert.Equal(2, header.RecordCount);
    }

    [Fact]
    public void A_batch_written_by_hand_is_valid_and_reads_as_written()
    {
        byte[] batch = GoldenBatch();
        Assert.Equal(BatchError.None, RecordBatchValidator.Validate(batch, BatchLimits.Producer, out BatchSummary summary));
        Assert.Equal(2, summary.RecordCount);
        Assert.Equal(1_700_000_000_005, summary.MaxTimestamp);
        Assert.Equal(1, summary.MaxTimestampOffsetDelta);
        Assert.Equal(
            [
                new TestRecord(1_700_000_000_000, "k"u8.ToArray(), null, [("h", "v"u8.ToArray())]),
                new TestRecord(1_700_000_000_005, null, "abc"u8.ToArray(), []),
            ],
            TestRecords.Read(batch));
    }

    [Fact]
    public void The_builder_writes_the_batch_that_was_written_by_hand()
    {
        using var builder = new RecordBatchBuilder();
        using var headers = new RecordHeadersWriter();
        headers.Add("h"u8, "v"u8);
        builder.Add(1_700_000_000_000, "k"u8, NullableBytes.Null, headers.Headers);
        builder.Add(1_700_000_000_005, NullableBytes.Null, "abc"u8);
        Memory<byte> batch = builder.Build(new BatchOptions
        {
            BaseOffset = 0x1234,
            PartitionLeaderEpoch = 7,
            IsTransactional = true,
            Producer = new BatchProducer(1001, 2, 9),
        });
        Assert.Equal(GoldenBatch(), batch.ToArray());
    }

    [Fact]
    public void Attributes_are_told_apart()
    {
        byte[] batch = new byte[RecordBatchHeader.Size];
        batch[22] = 0x04 | 0x08 | 0x20 | 0x40;
        RecordBatchHeader.TryRead(batch, out RecordBatchHeader header);
        Assert.Equal(CompressionCodec.Zstd, header.Codec);
        Assert.Equal(TimestampType.LogAppendTime, header.TimestampType);
        Assert.False(header.IsTransactional);
        Assert.True(header.IsControl);
        Assert.True(header.HasDeleteHorizon);
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(5, 3, 8)]
    [InlineData(int.MaxValue, 0, int.MaxValue)]
    [InlineData(int.MaxValue, 1, 0)]
    [InlineData(int.MaxValue - 2, 5, 2)]
    [InlineData(-1, 5, -1)]
    public void Sequences_go_on_with_zero_after_the_largest(int baseSequence, int lastOffsetDelta, int lastSequence)
    {
        byte[] batch = TestRecords.Craft([], 0, lastOffsetDelta: lastOffsetDelta, baseSequence: baseSequence);
        RecordBatchHeader.TryRead(batch, out RecordBatchHeader header);
        Assert.Equal(lastSequence, header.LastSequence);
    }

    [Fact]
    public void A_header_cut_short_is_not_read()
    {
        Assert.False(RecordBatchHeader.TryRead(new byte[60], out _));
        Assert.False(RecordBatchHeader.TryRead([], out _));
    }

    [Fact]
    public void Base_offset_and_leader_epoch_leave_the_rest_alone()
    {
        byte[] batch = GoldenBatch();
        RecordBatch.SetBaseOffset(batch, long.MaxValue - 5);
        RecordBatch.SetPartitionLeaderEpoch(batch, 99);
        Assert.Equal(BatchError.None, RecordBatchValidator.Validate(batch, BatchLimits.Producer, out _));
        RecordBatchHeader.TryRead(batch, out RecordBatchHeader header);
        Assert.Equal(long.MaxValue - 5, header.BaseOffset);
        Assert.Equal(99, header.PartitionLeaderEpoch);
        Assert.Equal(GoldenBatch()[16..], batch[16..]);
    }

    [Fact]
    public void Append_time_stamps_every_record_and_renews_the_crc()
    {
        byte[] batch = GoldenBatch();
        RecordBatch.SetMaxTimestampAndType(batch, TimestampType.LogAppendTime, 1_800_000_000_000);
        Assert.Equal(BatchError.None, RecordBatchValidator.Validate(batch, new BatchLimits(), out BatchSummary summary));
        Assert.Equal(1_800_000_000_000, summary.MaxTimestamp);
        Assert.Equal(0, summary.MaxTimestampOffsetDelta);
        Assert.All(TestRecords.Read(batch), r => Assert.Equal(1_800_000_000_000, r.Timestamp));

        RecordBatch.SetMaxTimestampAndType(batch, TimestampType.CreateTime, 1_700_000_000_005);
        Assert.Equal(GoldenBatch(), batch);
    }

    [Fact]
    public void Setters_refuse_what_is_no_batch()
    {
        Assert.Throws<ArgumentException>(() => RecordBatch.SetBaseOffset(new byte[60], 1));
        Assert.Throws<ArgumentException>(() => RecordBatch.SetPartitionLeaderEpoch(new byte[60], 1));
        byte[] cut = GoldenBatch()[..^1];
        Assert.Throws<ArgumentException>(() => RecordBatch.SetMaxTimestampAndType(cut, TimestampType.LogAppendTime, 1));
        byte[] huge = GoldenBatch();
        BinaryPrimitives.WriteInt32BigEndian(huge.AsSpan(8), int.MaxValue);
        Assert.Throws<ArgumentException>(() => RecordBatch.UpdateCrc(huge));
    }
}

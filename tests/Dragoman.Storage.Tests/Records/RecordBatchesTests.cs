using System.Buffers.Binary;
using Dragoman.Storage.Records;

namespace Dragoman.Storage.Tests.Records;

public class RecordBatchesTests
{
    [Fact]
    public void Batches_follow_one_another()
    {
        byte[][] batches = [.. TestRecords.Codecs.Select(c => TestRecords.Batch(c))];
        Assert.Equal((batches.Length, BatchError.None, batches.Sum(b => b.Length)), Walk([.. batches.SelectMany(b => b)], batches));
        Assert.Equal((0, BatchError.None, 0), Walk([], batches));
    }

    [Fact]
    public void A_last_batch_cut_anywhere_is_truncated_and_nothing_else()
    {
        byte[][] batches = [TestRecords.Batch(CompressionCodec.None), TestRecords.Batch(CompressionCodec.Lz4)];
        byte[] all = [.. batches.SelectMany(b => b)];
        for (int length = batches[0].Length + 1; length < all.Length; length++)
        {
            Assert.Equal((1, BatchError.Truncated, batches[0].Length), Walk(all[..length], batches));
        }
    }

    [Fact]
    public void Corruption_is_no_truncation()
    {
        byte[] first = TestRecords.Batch(CompressionCodec.None);
        byte[] second = TestRecords.Batch(CompressionCodec.None);
        second[16] = 9;
        Assert.Equal((1, BatchError.UnknownMagic, first.Length), Walk([.. first, .. second], [first]));
        second[16] = 2;
        BinaryPrimitives.WriteInt32BigEndian(second.AsSpan(8), 3);
        Assert.Equal((1, BatchError.InvalidLength, first.Length), Walk([.. first, .. second], [first]));
    }

    [Fact]
    public void Old_message_sets_are_named()
    {
        // The smallest messages: offset, size, crc, magic, attributes, [timestamp,] key null, value null.
        byte[] magic0 = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 14, 1, 2, 3, 4, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255];
        byte[] magic1 = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 22, 1, 2, 3, 4, 1, 0, .. new byte[8], 255, 255, 255, 255, 255, 255, 255, 255];
        Assert.Equal((0, BatchError.UnsupportedMagic, 0), Walk(magic0, []));
        Assert.Equal((0, BatchError.UnsupportedMagic, 0), Walk(magic1, []));
        Assert.Equal(BatchError.UnsupportedMagic, RecordBatchValidator.Validate(magic0, BatchLimits.Producer, out _));
        Assert.Equal(BatchError.UnsupportedMagic, RecordBatchValidator.Validate(magic1, BatchLimits.Producer, out _));
    }

    [Fact]
    public void Foreach_shows_each_batch_and_its_header()
    {
        byte[] first = TestRecords.Batch(CompressionCodec.None, 3);
        byte[] second = TestRecords.Batch(CompressionCodec.None, 4);
        RecordBatch.SetBaseOffset(second, 3);
        var seen = new List<long>();
        foreach (ReadOnlySpan<byte> batch in new RecordBatches((byte[])[.. first, .. second]))
        {
            RecordBatchHeader.TryRead(batch, out RecordBatchHeader header);
            seen.Add(header.LastOffset);
        }

        Assert.Equal([2, 6], seen);
    }

    private static (int Count, BatchError Error, int Position) Walk(byte[] bytes, byte[][] expected)
    {
        int count = 0;
        var walk = new RecordBatches(bytes);
        while (walk.MoveNext())
        {
            Assert.Equal(expected[count], walk.Current.ToArray());
            Assert.Equal(expected[count].Length, walk.CurrentHeader.TotalSize);
            count++;
        }

        Assert.False(walk.MoveNext());
        return (count, walk.Error, walk.Position);
    }
}

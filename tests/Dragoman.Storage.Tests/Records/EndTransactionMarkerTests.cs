using Dragoman.Storage.Records;

namespace Dragoman.Storage.Tests.Records;

public class EndTransactionMarkerTests
{
    [Theory]
    [InlineData(ControlRecordType.Commit)]
    [InlineData(ControlRecordType.Abort)]
    public void A_marker_is_a_control_batch_of_its_producer(ControlRecordType type)
    {
        using var builder = new RecordBatchBuilder();
        builder.Add(1, "left over"u8, "from before"u8);
        byte[] batch = new EndTransactionMarker(type, 0x01020304).Build(builder, 4711, 3, 1_700_000_000_000).ToArray();
        Assert.Equal(BatchError.None, RecordBatchValidator.Validate(batch, new BatchLimits(), out _));
        Assert.Equal(BatchError.ControlBatchNotAllowed, RecordBatchValidator.Validate(batch, BatchLimits.Producer, out _));
        RecordBatchHeader.TryRead(batch, out RecordBatchHeader header);
        Assert.Equal(0x30, header.Attributes);
        Assert.Equal((4711L, (short)3, -1), (header.ProducerId, header.ProducerEpoch, header.BaseSequence));
        Assert.Equal((-1, 0, 1), (header.LastSequence, header.LastOffsetDelta, header.RecordCount));
        Assert.Equal(78, batch.Length);

        // Length, attributes, deltas, key of four bytes, value of six, no headers: as Kafka's broker writes it.
        Assert.Equal([32, 0, 0, 0, 8, 0, 0, 0, (byte)type, 12, 0, 0, 1, 2, 3, 4, 0], batch[61..]);

        var records = new RecordReader(header, batch.AsSpan(61));
        Assert.True(records.MoveNext());
        Assert.True(EndTransactionMarker.TryRead(records.Current, out EndTransactionMarker marker));
        Assert.Equal(new EndTransactionMarker(type, 0x01020304, 0), marker);
    }

    [Fact]
    public void Other_control_records_are_no_markers()
    {
        Assert.Throws<InvalidOperationException>(
            () => new EndTransactionMarker(ControlRecordType.LeaderChange, 1).Build(new RecordBatchBuilder(), 1, 1, 1));
        Assert.Equal((true, ControlRecordType.LeaderChange, false), Read([0, 0, 0, 2], [0, 0, 0, 0, 0, 1]));
        Assert.Equal((true, (ControlRecordType)9, false), Read([0, 0, 0, 9], [0, 0, 0, 0, 0, 1]));
        Assert.Equal((true, ControlRecordType.Commit, false), Read([0, 0, 0, 1], [0, 0, 0, 0, 0]));
        Assert.Equal((true, ControlRecordType.Commit, false), Read([0, 0, 0, 1], null));
        Assert.Equal((false, ControlRecordType.Abort, false), Read([0, 0, 0], [0, 0, 0, 0, 0, 1]));
        Assert.Equal((false, ControlRecordType.Abort, false), Read(null, [0, 0, 0, 0, 0, 1]));

        // A later version appends fields.
        Assert.Equal((true, ControlRecordType.Commit, true), Read([0, 1, 0, 1, 5], [0, 1, 0, 0, 0, 1, 7, 7]));
    }

    private static (bool HasType, ControlRecordType Type, bool IsMarker) Read(byte[]? key, byte[]? value)
    {
        byte[] batch = TestRecords.Build([new(1, key, value, [])], new BatchOptions { IsControl = true });
        RecordBatchHeader.TryRead(batch, out RecordBatchHeader header);
        var records = new RecordReader(header, batch.AsSpan(61));
        Assert.True(records.MoveNext());
        bool hasType = EndTransactionMarker.TryReadType(records.Current, out ControlRecordType type);
        return (hasType, type, EndTransactionMarker.TryRead(records.Current, out _));
    }
}

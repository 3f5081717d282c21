using System.Buffers.Binary;
using System.Text;
using CsCheck;
using Dragoman.Storage.Records;

namespace Dragoman.Storage.Tests.Records;

/// <summary>A record as plain data, so that what went in can be compared with what came out.</summary>
public sealed record TestRecord(long Timestamp, byte[]? Key, byte[]? Value, (string Key, byte[]? Value)[] Headers)
{
    public bool Equals(TestRecord? other) => other is not null && Text == other.Text;

    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => Text;

    private string Text =>
        $"{Timestamp} {Show(Key)}={Show(Value)} [{string.Join(",", Headers.Select(h => $"{h.Key}={Show(h.Value)}"))}]";

    private static string Show(byte[]? bytes) => bytes is null ? "null" : $"'{Convert.ToHexString(bytes)}'";
}

internal static class TestRecords
{
    public static readonly CompressionCodec[] Codecs = Enum.GetValues<CompressionCodec>();

    public static TheoryData<CompressionCodec> AllCodecs => new(Codecs);

    private static readonly Gen<byte[]?> Bytes = Gen.OneOf(
        Gen.Const((byte[]?)null), Gen.Const((byte[]?)[]), Gen.Byte.Array[1, 300].Select(b => (byte[]?)b));

    public static readonly Gen<TestRecord> Record = Gen.Select(
        Gen.OneOf(Gen.Long[1_600_000_000_000, 1_900_000_000_000], Gen.Long[-1, 10]),
        Bytes,
        Bytes,
        Gen.Select(Gen.String[0, 20], Bytes).Array[0, 4],
        (timestamp, key, value, headers) => new TestRecord(timestamp, key, value, headers));

    public static readonly Gen<TestRecord[]> Records = Record.Array[1, 60];

    /// <summary>A batch of ordinary records, enough for each codec to find something to compress.</summary>
    public static byte[] Batch(CompressionCodec codec, int count = 20)
    {
        using var builder = new RecordBatchBuilder();
        for (int i = 0; i < count; i++)
        {
            builder.Add(1_700_000_000_000 + i, Encoding.UTF8.GetBytes($"key-{i % 3}"), "a value that repeats itself"u8);
        }

        return builder.Build(new BatchOptions { Codec = codec }).ToArray();
    }

    public static byte[] Build(IEnumerable<TestRecord> records, BatchOptions options)
    {
        using var builder = new RecordBatchBuilder();
        Add(builder, records);
        return builder.Build(options).ToArray();
    }

    public static void Add(RecordBatchBuilder builder, IEnumerable<TestRecord> records)
    {
        using var headers = new RecordHeadersWriter();
        foreach (TestRecord record in records)
        {
            headers.Clear();
            foreach ((string key, byte[]? value) in record.Headers)
            {
                headers.Add(key, value);
            }

            builder.Add(record.Timestamp, record.Key, record.Value, headers.Headers);
        }
    }

    public static List<TestRecord> Read(ReadOnlyMemory<byte> batch)
    {
        using var reader = new RecordBatchReader();
        Assert.Equal(BatchError.None, reader.Open(batch));
        var records = new List<TestRecord>();
        RecordReader walk = reader.Records;
        while (walk.MoveNext())
        {
            records.Add(Copy(walk.Current));
        }

        Assert.Equal(BatchError.None, walk.Error);
        return records;
    }

    public static TestRecord Copy(in RecordView record)
    {
        var headers = new List<(string, byte[]?)>();
        foreach (RecordHeader header in record.Headers)
        {
            headers.Add((header.KeyText, header.Value.ToArray()));
        }

        return new TestRecord(record.Timestamp, record.Key.ToArray(), record.Value.ToArray(), [.. headers]);
    }

    /// <summary>A batch with a body written by hand, its header fields right unless a test changes them.</summary>
    public static byte[] Craft(
        byte[] body,
        int count,
        short attributes = 0,
        int? lastOffsetDelta = null,
        long producerId = -1,
        short producerEpoch = -1,
        int baseSequence = -1,
        long baseTimestamp = 0,
        long maxTimestamp = 0)
    {
        byte[] batch = new byte[RecordBatchHeader.Size + body.Length];
        body.CopyTo(batch, RecordBatchHeader.Size);
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(8), batch.Length - 12);
        batch[16] = 2;
        BinaryPrimitives.WriteInt16BigEndian(batch.AsSpan(21), attributes);
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(23), lastOffsetDelta ?? (count - 1));
        BinaryPrimitives.WriteInt64BigEndian(batch.AsSpan(27), baseTimestamp);
        BinaryPrimitives.WriteInt64BigEndian(batch.AsSpan(35), maxTimestamp);
        BinaryPrimitives.WriteInt64BigEndian(batch.AsSpan(43), producerId);
        BinaryPrimitives.WriteInt16BigEndian(batch.AsSpan(51), producerEpoch);
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(53), baseSequence);
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(57), count);
        RecordBatch.UpdateCrc(batch);
        return batch;
    }
}

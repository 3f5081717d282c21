using System.Buffers;
using Dragoman.Fuzz.Fuzzing;
using Dragoman.Storage.Log;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;

namespace Dragoman.Fuzz.Targets;

/// <summary>Snapshots of what logs know of their producers.</summary>
internal sealed class ProducerTables : FuzzTarget
{
    public override byte[] Generate(Random random)
    {
        var table = new ProducerTable();
        using var builder = new RecordBatchBuilder();
        for (var (n, offset) = (random.Next(20), 0L); n > 0; n--, offset += 2)
        {
            var producer = random.Next(4);
            if (table.HasOpenTransaction(producer) && random.Next(2) == 0)
            {
                var end = new EndTransactionMarker(random.Next(2) == 0 ? ControlRecordType.Abort : ControlRecordType.Commit, n);
                RecordBatchHeader.TryRead(end.Build(builder, producer, 0, n).Span, out var control);
                table.Apply(control, offset, end);
                continue;
            }
            builder.Add(n, default, "value"u8);
            var batch = builder.Build(new BatchOptions { Producer = new BatchProducer(producer, 0, n), IsTransactional = random.Next(2) == 0 });
            RecordBatchHeader.TryRead(batch.Span, out var header);
            table.Apply(header, offset, null);
        }
        return Snapshot(table);
    }

    public override bool Decode(byte[] input, Random random)
    {
        var table = new ProducerTable();
        table.ReadSnapshot(input);
        var written = Snapshot(table);
        var again = new ProducerTable();
        again.ReadSnapshot(written);
        if (!Snapshot(again).AsSpan().SequenceEqual(written)) throw new FuzzFailedException("A snapshot is read as another state.");
        return true;
    }

    public override bool IsRefusal(Exception error) => error is CorruptDataException;

    public override long MostAllocated(byte[] input) => (64 << 10) + input.Length * 200L;

    private static byte[] Snapshot(ProducerTable table)
    {
        var buffer = new ArrayBufferWriter<byte>();
        table.WriteSnapshot(buffer);
        return buffer.WrittenSpan.ToArray();
    }
}

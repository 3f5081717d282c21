using System.Buffers;
using CsCheck;
using Dragoman.Storage.Log;
using Dragoman.Storage.Records;

namespace Dragoman.Storage.Tests.Log;

public sealed class ProducerTableTests
{
    private enum Kind
    {
        Send,
        Commit,
        Abort,
        CommitLater,
        Forget,
        Snapshot,
    }

    private sealed record Step(Kind Kind, int Producer, int Records);

    /// <summary>A transaction as a plain list keeps it.</summary>
    private sealed record Known(long Producer, long First, long Last, bool IsAborted);

    private static readonly Gen<Step> s_step = Gen.Select(
        Gen.Frequency((10, Gen.Const(Kind.Send)), (3, Gen.Const(Kind.Commit)), (3, Gen.Const(Kind.Abort)), (3, Gen.Const(Kind.CommitLater)), (1, Gen.Const(Kind.Forget)), (1, Gen.Const(Kind.Snapshot))),
        Gen.Int[0, 4],
        Gen.Int[1, 3],
        static (kind, producer, records) => new Step(kind, producer, records));

    /// <summary>
    /// Transactions of several producers, interleaved: the last stable offset is where the first one begins that is not
    /// over, and every stretch knows exactly the aborted ones that have records in it.
    /// </summary>
    [Fact]
    public void Open_and_aborted_transactions_are_those_of_a_plain_list()
    {
        s_step.Array[0, 120].Sample(steps =>
        {
            var table = new ProducerTable();
            var (end, watermark, start) = (0L, 0L, 0L);
            var sequences = new int[5];
            var transactions = new int[5];
            var open = new SortedDictionary<int, long>();
            var known = new List<Known>();
            foreach (var step in steps)
            {
                switch (step.Kind)
                {
                    case Kind.Send:
                        var batch = BatchOf(step.Producer, sequences[step.Producer], step.Records);
                        Assert.Equal(ProducerCheck.Accept, table.Check(batch, out _, out _));
                        table.Apply(batch, end, null);
                        sequences[step.Producer] += step.Records;
                        open.TryAdd(step.Producer, end);
                        end += step.Records;
                        break;
                    case Kind.Commit or Kind.Abort:
                        var type = step.Kind == Kind.Abort ? ControlRecordType.Abort : ControlRecordType.Commit;
                        var number = ++transactions[step.Producer];
                        Assert.False(table.HasEnded(step.Producer, number));
                        table.Apply(MarkerOf(step.Producer, type, number, out var marker), end, marker);
                        Assert.True(table.HasEnded(step.Producer, number));
                        if (open.Remove(step.Producer, out var first)) known.Add(new Known(step.Producer, first, end, step.Kind == Kind.Abort));
                        end++;
                        break;
                    case Kind.CommitLater:
                        watermark = Math.Min(end, watermark + step.Records);
                        break;
                    case Kind.Forget:
                        start = Math.Min(watermark, start + step.Records);
                        table.ForgetBefore(start);
                        break;
                    default:
                        table = Reread(table);
                        break;
                }
                Assert.Equal(open.Keys.Select(p => (long)p), Enumerable.Range(0, 5).Where(p => table.HasOpenTransaction(p)).Select(p => (long)p));
                var unstable = open.Values.Concat(known.Where(t => t.Last >= watermark).Select(t => t.First));
                Assert.Equal(unstable.Append(watermark).Min(), table.LastStableOffset(watermark));
            }
            for (var from = start; from < end; from += 2)
            {
                foreach (var to in (long[])[from + 1, from + 5, end])
                {
                    var found = new List<AbortedTransaction>();
                    table.CollectAborted(from, to, found);
                    var expected = known.Where(t => t.IsAborted && t.Last >= from && t.First < to).Select(t => (t.Producer, t.First, t.Last));
                    Assert.Equal(expected, found.Select(t => (t.ProducerId, t.FirstOffset, t.LastOffset)));
                }
            }
        });
    }

    [Fact]
    public void Aborted_transactions_outlive_their_producers()
    {
        var table = new ProducerTable();
        table.Apply(BatchOf(1, 0, 2), 0, null);
        table.Apply(MarkerOf(1, ControlRecordType.Abort, 1, out var marker), 2, marker);
        table.ForgetIdle(1_000, 500);
        Assert.Equal(1, table.Count);
        table.ForgetIdle(2_000, 500);
        Assert.Equal(0, table.Count);
        Assert.False(table.IsEmpty);
        var again = Reread(table);
        Assert.Equal((1L, 0L, 2L), Assert.Single(again.Aborted.Select(t => (t.ProducerId, t.FirstOffset, t.LastOffset))));
    }

    [Fact]
    public void Producers_are_forgotten_by_when_they_were_heard_and_not_by_what_their_records_say()
    {
        var table = new ProducerTable();
        table.ForgetIdle(1_000_000, 500);
        table.Apply(BatchOf(1, 0, 1), 0, null);
        table.ForgetIdle(1_000_400, 500);
        Assert.Equal(ProducerCheck.Duplicate, table.Check(BatchOf(1, 0, 1), out _, out _));
        table.ForgetIdle(1_000_900, 500);
        Assert.Equal(1, table.Count);
        table.Apply(MarkerOf(1, ControlRecordType.Commit, 1, out var marker), 1, marker);
        table.ForgetIdle(1_002_000, 500);
        Assert.Equal(0, table.Count);
    }

    [Fact]
    public void A_marker_with_a_new_epoch_fences_and_lets_sequences_begin_anew()
    {
        var table = new ProducerTable();
        table.Apply(BatchOf(1, 0, 2), 0, null);
        var fencing = MarkerOf(1, ControlRecordType.Abort, 1, out var marker, epoch: 3);
        table.Apply(fencing, 2, marker);
        Assert.Equal(ProducerCheck.StaleEpoch, table.Check(BatchOf(1, 2, 1), out _, out _));
        Assert.Equal(ProducerCheck.OutOfOrderSequence, table.Check(BatchOf(1, 2, 1, epoch: 3), out _, out _));
        Assert.Equal(ProducerCheck.Accept, table.Check(BatchOf(1, 0, 1, epoch: 3), out _, out _));
        // With the epoch as it was, they go on.
        table = new ProducerTable();
        table.Apply(BatchOf(1, 0, 2), 0, null);
        table.Apply(MarkerOf(1, ControlRecordType.Commit, 1, out marker), 2, marker);
        Assert.Equal(ProducerCheck.Accept, table.Check(BatchOf(1, 2, 1), out _, out _));
        Assert.Equal(ProducerCheck.OutOfOrderSequence, table.Check(BatchOf(1, 5, 1), out _, out _));
        Assert.Equal(ProducerCheck.Duplicate, table.Check(BatchOf(1, 0, 2), out _, out _));
    }

    [Fact]
    public void Numbers_of_transactions_go_round()
    {
        Assert.True(ProducerTable.IsAfter(1, 0));
        Assert.False(ProducerTable.IsAfter(0, 1));
        Assert.False(ProducerTable.IsAfter(7, 7));
        Assert.True(ProducerTable.IsAfter(0, int.MaxValue));
        Assert.False(ProducerTable.IsAfter(int.MaxValue, 0));
    }

    private static RecordBatchHeader BatchOf(long producer, int sequence, int records, short epoch = 0)
    {
        using var builder = new RecordBatchBuilder();
        for (var i = 0; i < records; i++) builder.Add(0, NullableBytes.Null, "x"u8);
        return HeaderOf(builder.Build(new BatchOptions { IsTransactional = true, Producer = new BatchProducer(producer, epoch, sequence) }).Span);
    }

    private static RecordBatchHeader MarkerOf(long producer, ControlRecordType type, int number, out EndTransactionMarker? marker, short epoch = 0)
    {
        using var builder = new RecordBatchBuilder();
        var batch = new EndTransactionMarker(type, number).Build(builder, producer, epoch, 0).ToArray();
        var header = HeaderOf(batch);
        marker = ControlMarker.Read(header, batch);
        return header;
    }

    private static RecordBatchHeader HeaderOf(ReadOnlySpan<byte> batch)
    {
        Assert.True(RecordBatchHeader.TryRead(batch, out var header));
        return header;
    }

    private static ProducerTable Reread(ProducerTable table)
    {
        var buffer = new ArrayBufferWriter<byte>();
        table.WriteSnapshot(buffer);
        var again = new ProducerTable();
        again.ReadSnapshot(buffer.WrittenSpan);
        return again;
    }
}

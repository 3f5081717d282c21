using System.Buffers.Binary;
using Dragoman.Fuzz.Fuzzing;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;
using Dragoman.Storage.Platform;

namespace Dragoman.Fuzz.Targets;

/// <summary>The payload of journal rounds: commits, whole and in fragments, and the entries in them.</summary>
internal sealed class CommitRecords : FuzzTarget
{
    public override byte[] Generate(Random random)
    {
        var payload = new List<byte>();
        for (var n = random.Next(1, 5); n > 0; n--)
        {
            var body = Body(random);
            var cut = random.Next(3) == 0 ? random.Next(body.Length + 1) : body.Length;
            if (cut < body.Length)
            {
                Commit(payload, body.AsSpan(0, cut), EntryFormat.First, n);
                Commit(payload, body.AsSpan(cut), EntryFormat.Last, n);
            }
            else
            {
                Commit(payload, body, EntryFormat.First | EntryFormat.Last, n);
            }
        }
        return [.. payload];
    }

    private static void Commit(List<byte> target, ReadOnlySpan<byte> body, byte flags, long sequence)
    {
        var header = new byte[EntryFormat.CommitHeaderSize];
        EntryFormat.WriteCommitHeader(header, body.Length, flags, CommitMode.Fsync, sequence);
        target.AddRange(header);
        target.AddRange(body);
    }

    private static byte[] Body(Random random)
    {
        var body = new List<byte>();
        for (var n = random.Next(1, 6); n > 0; n--)
        {
            var kind = (EntryKind)random.Next(1, Enum.GetValues<EntryKind>().Length + 1);
            var payload = new byte[kind switch { EntryKind.CreateLog => 1, EntryKind.AppendReference => 4, EntryKind.Append or EntryKind.Event => random.Next(300), _ => 0 }];
            if (kind != EntryKind.AppendReference) random.NextBytes(payload);
            else BinaryPrimitives.WriteInt32LittleEndian(payload, random.Next(2));
            var header = new byte[EntryFormat.EntryHeaderSize];
            EntryFormat.WriteEntryHeader(header, kind, payload.Length, random.Next(5), random.Next(1000));
            body.AddRange(header);
            body.AddRange(payload);
        }
        return [.. body];
    }

    public override bool Decode(byte[] input, Random random)
    {
        var decoder = new CommitDecoder(new Visitor());
        decoder.Decode(input, random.Next(100_000));
        decoder.EndFile();
        return true;
    }

    public override bool IsRefusal(Exception error) => error is CorruptStoreException or CorruptDataException;

    public override long MostAllocated(byte[] input) => 32 * 1024 + input.Length * 64L;

    private sealed class Visitor : ICommitVisitor
    {
        public void BeginCommit(long sequence, CommitMode mode)
        {
        }

        public void Append(long logId, long baseOffset, int position, BatchFile.Piece[]? pieces, ReadOnlySpan<byte> batch, bool isReference)
        {
            // Whoever keeps where a batch lies relies on the pieces being the batch.
            var length = pieces?.Sum(piece => (long)piece.Length) ?? batch.Length;
            if (length != batch.Length || position < 0) throw new FuzzFailedException($"A batch of {batch.Length} bytes is said to lie in {length}.");
        }

        public void Event(long stateId, ReadOnlySpan<byte> evt)
        {
        }

        public void CreateLog(long logId, LogKind kind)
        {
        }

        public void DeleteLog(long logId)
        {
        }

        public void AdvanceStart(long logId, long offset)
        {
        }

        public void ReserveOffsets(long logId, long offset)
        {
        }

        public void CreateState(long stateId)
        {
        }

        public void DeleteState(long stateId)
        {
        }

        public void CleanStop()
        {
        }
    }
}

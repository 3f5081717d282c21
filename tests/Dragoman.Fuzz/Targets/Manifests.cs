using System.Buffers.Binary;
using System.IO.Hashing;
using Dragoman.Fuzz.Fuzzing;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;
using Dragoman.Storage.Platform;

namespace Dragoman.Fuzz.Targets;

/// <summary>Manifests: what says which files hold what.</summary>
internal sealed class Manifests : FuzzTarget
{
    public override byte[] Generate(Random random) => new Manifest
    {
        Number = random.Next(1, 100),
        StoreId = Guid.NewGuid(),
        JournalFile = random.Next(1, 100),
        FirstRound = random.Next(1, 1000),
        PreviousHash = (ulong)random.NextInt64(),
        Epoch = random.Next(9),
        LastSequence = random.Next(100_000),
        LastLogId = 10,
        Logs = [.. Enumerable.Range(1, random.Next(5)).Select(id => Log(id, random))],
        States = [.. Enumerable.Range(1, random.Next(4)).Select(id => new StateSnapshot(id, random.Next(1000), new byte[random.Next(40)]))],
    }.Encode();

    private static ManifestLog Log(long id, Random random)
    {
        var chunks = new List<ManifestChunk>();
        var offset = (long)random.Next(100);
        var start = offset;
        for (var n = random.Next(4); n > 0; n--)
        {
            var end = offset + random.Next(1, 1000);
            chunks.Add(random.Next(2) == 0
                ? new ManifestChunk.InSegment(random.Next(1, 50), new SegmentRegion(id, random.Next(1000), random.Next(1, 1000), offset, end, random.Next(), random.Next(1000), random.Next(5)))
                : new ManifestChunk.InAdopted(random.Next(1, 50), random.Next(3), random.Next(1, 5000), new AdoptedRegion(id, offset, end, random.Next(1, 1000), random.Next(), random.Next(), random.Next(1, 5))));
            offset = end;
        }
        var epochs = Enumerable.Range(0, random.Next(3)).Select(n => (n, start + n)).ToList();
        return new ManifestLog(id, LogKind.Durable, random.Next(5) == 0, start, offset, 0, epochs, chunks, start, new byte[random.Next(20)], start);
    }

    public override byte[] Seal(byte[] input)
    {
        if (input.Length < 24) return input;
        BinaryPrimitives.WriteInt32LittleEndian(input.AsSpan(12), input.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(input.AsSpan(16), XxHash3.HashToUInt64(input.AsSpan(24)));
        return input;
    }

    public override bool Decode(byte[] input, Random random)
    {
        var manifest = Manifest.Decode(input, "manifest");
        if (!Manifest.Decode(manifest.Encode(), "manifest").Encode().AsSpan().SequenceEqual(manifest.Encode())) throw new FuzzFailedException("A manifest is read as another one.");
        return true;
    }

    public override bool IsRefusal(Exception error) => error is CorruptDataException or CorruptStoreException;

    public override long MostAllocated(byte[] input) => (64 << 10) + input.Length * 200L;
}

using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using Dragoman.Storage.Log;
using Dragoman.Storage.Platform;

namespace Dragoman.Storage.Journal;

/// <summary>A state as of a commit sequence: replay goes on behind it.</summary>
internal sealed record StateSnapshot(long Id, long Sequence, ReadOnlyMemory<byte> Bytes);

/// <summary>Where a log's batches lie outside the journal.</summary>
internal abstract record ManifestChunk(long FileNumber)
{
    public sealed record InSegment(long FileNumber, SegmentRegion Region) : ManifestChunk(FileNumber);

    public sealed record InAdopted(long FileNumber, int Epoch, int FileLength, AdoptedRegion Region) : ManifestChunk(FileNumber);
}

/// <summary>A log as of the journal position from which replay starts.</summary>
internal sealed record ManifestLog(
    long Id,
    LogKind Kind,
    bool IsDeleted,
    long Start,
    long End,
    long ReservedOffsets,
    IReadOnlyList<(int Epoch, long StartOffset)> Epochs,
    IReadOnlyList<ManifestChunk> Chunks,
    long ProducersIncludeUpTo,
    ReadOnlyMemory<byte> Producers,
    long CleanUpTo);

/// <summary>
/// What a checkpoint leaves: which files hold what, the snapshots, and where in the journal replay starts. Written
/// as a whole to a new file and put in place by a rename, so there is always exactly one that counts: the highest.
/// </summary>
internal sealed record Manifest
{
    private const ulong Magic = 0x46494E_4D4E4752_44; // "DRGNMNIF"
    /// <summary>2 adds how far logs are compacted.</summary>
    private const int FormatVersion = 2;
    private const string Prefix = "manifest-";

    public long Number { get; init; }

    public Guid StoreId { get; init; }

    /// <summary>The journal file from which on to replay.</summary>
    public long JournalFile { get; init; }

    /// <summary>Number of the first round in it.</summary>
    public long FirstRound { get; init; }

    /// <summary>Hash of the round before that.</summary>
    public ulong PreviousHash { get; init; }

    /// <summary>Leader epoch of the node that wrote it.</summary>
    public int Epoch { get; init; }

    /// <summary>Sequence of the newest commit when it was written.</summary>
    public long LastSequence { get; init; }

    public long LastLogId { get; init; }

    public IReadOnlyList<ManifestLog> Logs { get; init; } = [];

    public IReadOnlyList<StateSnapshot> States { get; init; } = [];

    public static string PathOf(string directory, long number) => $"{directory}/{Prefix}{number:D20}";

    /// <summary>The numbers of the manifests in a directory, in order.</summary>
    public static List<long> List(IFileSystem files, string directory)
    {
        var numbers = new List<long>();
        foreach (var name in files.ListFiles(directory))
            if (name.StartsWith(Prefix, StringComparison.Ordinal) && long.TryParse(name.AsSpan(Prefix.Length), out var number)) numbers.Add(number);
        numbers.Sort();
        return numbers;
    }

    /// <summary>Writes it and puts it in place.</summary>
    public async Task WriteAsync(IFileSystem files, string directory)
    {
        var path = PathOf(directory, Number);
        var temporary = path + ".tmp";
        if (files.FileExists(temporary)) files.Delete(temporary);
        var bytes = Encode();
        using (var file = files.Open(temporary, FileOpenMode.CreateNew))
        {
            file.Preallocate(bytes.Length);
            await file.WriteAsync(0, bytes);
            await file.SyncAsync();
        }
        files.Rename(temporary, path);
        files.SyncDirectory(directory);
    }

    /// <summary>Reads the manifest that counts; null in a directory that has none.</summary>
    /// <exception cref="CorruptStoreException">It is damaged, or from a newer release.</exception>
    public static Manifest? Read(IFileSystem files, string directory)
    {
        var numbers = List(files, directory);
        if (numbers.Count == 0) return null;
        var path = PathOf(directory, numbers[^1]);
        using var file = files.Open(path, FileOpenMode.Read);
        var bytes = new byte[file.Length];
        for (var read = 0; read < bytes.Length;)
        {
            var n = file.Read(read, bytes.AsSpan(read));
            if (n == 0) throw new CorruptStoreException($"{path} ends early.");
            read += n;
        }
        try
        {
            return Decode(bytes, path);
        }
        catch (CorruptDataException error)
        {
            throw new CorruptStoreException($"{path} is damaged: {error.Message}", error);
        }
    }

    internal byte[] Encode()
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        buffer.GetSpan(24)[..24].Clear();
        buffer.Advance(24);
        var writer = new SnapshotWriter(buffer);
        writer.Int64(Number);
        writer.Guid(StoreId);
        writer.Int64(JournalFile);
        writer.Int64(FirstRound);
        writer.Int64(unchecked((long)PreviousHash));
        writer.Int32(Epoch);
        writer.Int64(LastSequence);
        writer.Int64(LastLogId);
        writer.Int32(Logs.Count);
        foreach (var log in Logs) WriteLog(writer, log);
        writer.Int32(States.Count);
        foreach (var state in States)
        {
            writer.Int64(state.Id);
            writer.Int64(state.Sequence);
            writer.Bytes(state.Bytes.Span);
        }
        var bytes = buffer.WrittenSpan.ToArray();
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), FormatVersion);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), bytes.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), XxHash3.HashToUInt64(bytes.AsSpan(24)));
        return bytes;
    }

    private static void WriteLog(in SnapshotWriter writer, ManifestLog log)
    {
        writer.Int64(log.Id);
        writer.Byte((byte)log.Kind);
        writer.Bool(log.IsDeleted);
        writer.Int64(log.Start);
        writer.Int64(log.End);
        writer.Int64(log.ReservedOffsets);
        writer.Int32(log.Epochs.Count);
        foreach (var (epoch, start) in log.Epochs)
        {
            writer.Int32(epoch);
            writer.Int64(start);
        }
        writer.Int32(log.Chunks.Count);
        foreach (var chunk in log.Chunks)
        {
            writer.Int64(chunk.FileNumber);
            switch (chunk)
            {
                case ManifestChunk.InSegment { Region: var region }:
                    writer.Byte(1);
                    writer.Int64(region.Position);
                    writer.Int32(region.Length);
                    writer.Int64(region.BaseOffset);
                    writer.Int64(region.EndOffset);
                    writer.Int64(region.MaxTimestamp);
                    writer.Int64(region.IndexPosition);
                    writer.Int32(region.IndexCount);
                    break;
                case ManifestChunk.InAdopted { Region: var region } adopted:
                    writer.Byte(2);
                    writer.Int32(adopted.Epoch);
                    writer.Int32(adopted.FileLength);
                    writer.Int64(region.BaseOffset);
                    writer.Int64(region.EndOffset);
                    writer.Int64(region.DataBytes);
                    writer.Int64(region.MaxTimestamp);
                    writer.Int64(region.BaseTimestamp);
                    writer.Int32(region.Count);
                    break;
            }
        }
        writer.Int64(log.ProducersIncludeUpTo);
        writer.Bytes(log.Producers.Span);
        writer.Int64(log.CleanUpTo);
    }

    internal static Manifest Decode(byte[] bytes, string path)
    {
        if (bytes.Length < 24 || BinaryPrimitives.ReadUInt64LittleEndian(bytes) != Magic)
            throw new CorruptStoreException($"{path} is not a manifest.");
        var version = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(8));
        if (version > FormatVersion)
            throw new CorruptStoreException($"{path} has format {version}; this release reads up to {FormatVersion}. Run the release that wrote it, or a newer one.");
        if (BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(12)) != bytes.Length
            || BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(16)) != XxHash3.HashToUInt64(bytes.AsSpan(24)))
            throw new CorruptStoreException($"{path} is damaged: its checksum is wrong.");
        var reader = new SnapshotReader(bytes.AsSpan(24));
        var manifest = new Manifest
        {
            Number = reader.Int64(),
            StoreId = reader.Guid(),
            JournalFile = reader.Int64(),
            FirstRound = reader.Int64(),
            PreviousHash = unchecked((ulong)reader.Int64()),
            Epoch = reader.Int32(),
            LastSequence = reader.Int64(),
            LastLogId = reader.Int64(),
        };
        var logs = new List<ManifestLog>();
        for (var n = reader.Count(); n > 0; n--) logs.Add(ReadLog(ref reader, version));
        var states = new List<StateSnapshot>();
        for (var n = reader.Count(); n > 0; n--) states.Add(new StateSnapshot(reader.Int64(), reader.Int64(), reader.Bytes().ToArray()));
        reader.End("manifest");
        return manifest with { Logs = logs, States = states };
    }

    private static ManifestLog ReadLog(ref SnapshotReader reader, int version)
    {
        var id = reader.Int64();
        var kind = (LogKind)reader.Byte();
        var isDeleted = reader.Bool();
        var start = reader.Int64();
        var end = reader.Int64();
        var reserved = reader.Int64();
        var epochs = new List<(int, long)>();
        for (var n = reader.Count(); n > 0; n--) epochs.Add((reader.Int32(), reader.Int64()));
        var chunks = new List<ManifestChunk>();
        for (var n = reader.Count(); n > 0; n--)
        {
            var file = reader.Int64();
            chunks.Add(reader.Byte() switch
            {
                1 => new ManifestChunk.InSegment(file, ReadSegmentRegion(ref reader, id)),
                2 => new ManifestChunk.InAdopted(file, reader.Int32(), reader.Int32(), ReadAdoptedRegion(ref reader, id)),
                var other => throw new CorruptDataException($"A chunk of kind {other} is unknown."),
            });
        }
        return new ManifestLog(
            id, kind, isDeleted, start, end, reserved, epochs, chunks, reader.Int64(), reader.Bytes().ToArray(), version >= 2 ? reader.Int64() : 0);
    }

    private static SegmentRegion ReadSegmentRegion(ref SnapshotReader reader, long id) =>
        new(id, reader.Int64(), reader.Int32(), reader.Int64(), reader.Int64(), reader.Int64(), reader.Int64(), reader.Int32());

    private static AdoptedRegion ReadAdoptedRegion(ref SnapshotReader reader, long id) =>
        new(id, reader.Int64(), reader.Int64(), reader.Int64(), reader.Int64(), reader.Int64(), reader.Int32());
}

using Dragoman.Storage.Log;
using Dragoman.Storage.Platform;

namespace Dragoman.Storage.Journal;

/// <summary>
/// One file of the journal: written to its end, then sealed and read in place until a checkpoint has moved what
/// lives in it, or for good where one log owns nearly all of it.
/// </summary>
internal sealed class JournalFile : BatchFile
{
    private readonly TailRing? _tail;

    public JournalFile(StoreFile file, TailRing? tail, long firstRound, ulong previousHash, int epoch)
    {
        File = file;
        _tail = tail;
        FirstRound = firstRound;
        PreviousHash = previousHash;
        Epoch = epoch;
    }

    public StoreFile File { get; }

    public override long Number => File.Number;

    /// <summary>Number of the first round in the file.</summary>
    public long FirstRound { get; }

    /// <summary>Hash of the round before it.</summary>
    public ulong PreviousHash { get; }

    /// <summary>Leader epoch under which the file was written.</summary>
    public int Epoch { get; }

    /// <summary>Bytes in use, header included.</summary>
    public int Length { get; set; } = RoundFormat.FileHeaderSize;

    /// <summary>Bytes reserved on disk.</summary>
    public int Capacity { get; init; }

    /// <summary>Whether its header is written, which waits for the first round or sync.</summary>
    public bool HasHeader { get; set; }

    /// <summary>Bytes that lie on disk for certain.</summary>
    public int SyncedLength { get; set; }

    public override bool TryAcquire() => File.TryAcquire();

    public override void Release() => File.Release();

    protected override void ReadPlain(int position, Span<byte> buffer)
    {
        if (_tail is not null && _tail.TryRead(Number, position, buffer)) return;
        File.Read(position, buffer);
    }
}

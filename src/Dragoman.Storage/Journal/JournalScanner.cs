using Dragoman.Storage.Platform;

namespace Dragoman.Storage.Journal;

/// <summary>Reads the rounds of one journal file in order, stopping at the first that is not there whole.</summary>
internal sealed class JournalScanner : IDisposable
{
    private const int InitialWindow = 1 << 20;

    private readonly IStorageFile _file;
    private byte[] _window = new byte[InitialWindow];
    private long _windowStart;
    private int _windowLength;
    private bool _hasNoHeader;

    private JournalScanner(IStorageFile file, RoundFormat.FileHeader header, string path)
    {
        _file = file;
        Header = header;
        Path = path;
        NextRound = header.FirstRound;
        NextHash = header.PreviousHash;
    }

    public RoundFormat.FileHeader Header { get; }

    public string Path { get; }

    /// <summary>Where the next round starts, or would.</summary>
    public long Position { get; private set; } = RoundFormat.FileHeaderSize;

    /// <summary>The number that the next round must have.</summary>
    public long NextRound { get; private set; }

    /// <summary>The hash of the last round.</summary>
    public ulong NextHash { get; private set; }

    public long FileLength => _file.Length;

    /// <summary>The header of the round last read.</summary>
    public RoundFormat.RoundHeader Round { get; private set; }

    /// <summary>Position of the payload last read.</summary>
    public long PayloadPosition { get; private set; }

    /// <summary>The payload last read; valid until the next call.</summary>
    public ReadOnlyMemory<byte> Payload { get; private set; }

    /// <summary>Opens a file; null if it carries no valid header of its own number.</summary>
    public static JournalScanner? Open(IFileSystem files, string path, long number)
    {
        var file = files.Open(path, FileOpenMode.Read);
        Span<byte> header = stackalloc byte[RoundFormat.FileHeaderSize];
        var read = file.Read(0, header);
        if (read == header.Length && RoundFormat.TryReadFileHeader(header, out var parsed) && parsed.FileNumber == number)
            return new JournalScanner(file, parsed, path);
        file.Dispose();
        return null;
    }

    /// <summary>
    /// Opens a file whose header is gone, to look for what should not be in it: the header reached the disk before the
    /// rounds did, so a file without it has none, or is damaged.
    /// </summary>
    public static JournalScanner OpenWithoutHeader(IFileSystem files, string path, long number, long firstRound, ulong previousHash) =>
        new(files.Open(path, FileOpenMode.Read), new RoundFormat.FileHeader(number, firstRound, previousHash, 0, false), path) { _hasNoHeader = true };

    /// <summary>Reads the next round; false where the chain ends.</summary>
    /// <param name="trustHash">A planted defect: takes the round for whole whatever its hash.</param>
    public bool MoveNext(bool trustHash = false)
    {
        if (!Load(Position, RoundFormat.RoundHeaderSize)
            || !RoundFormat.TryReadRoundHeader(At(Position, RoundFormat.RoundHeaderSize), out var header)
            || header.Number != NextRound
            || header.PreviousHash != NextHash
            || header.FileNumber != Header.FileNumber
            || !(trustHash ? Load(Position, header.TotalSize) : IsWhole(Position, header)))
            return false;
        Round = header;
        PayloadPosition = Position + RoundFormat.RoundHeaderSize;
        Payload = _window.AsMemory((int)(PayloadPosition - _windowStart), header.PayloadLength);
        Position += header.TotalSize;
        NextRound++;
        NextHash = header.Hash;
        return true;
    }

    /// <summary>
    /// Looks behind the end of the chain for a whole round of this file that vouches for a round which is missing:
    /// one that was written when round <paramref name="missing"/> was already on disk. Returns its position, or -1.
    /// </summary>
    public long FindWitness(long missing)
    {
        for (var position = Position; (position = NextMagic(position)) >= 0; position += RoundFormat.Alignment)
        {
            if (Load(position, RoundFormat.RoundHeaderSize)
                && RoundFormat.TryReadRoundHeader(At(position, RoundFormat.RoundHeaderSize), out var header)
                && header.FileNumber == Header.FileNumber
                && header.Number >= missing
                && (header.SyncedThrough >= missing || (_hasNoHeader && header.Number == Header.FirstRound && header.PreviousHash == Header.PreviousHash))
                && IsWhole(position, header))
                return position;
        }
        return -1;
    }

    /// <summary>Where the next round may begin; -1 if none does.</summary>
    private long NextMagic(long position)
    {
        while (Load(position, RoundFormat.RoundHeaderSize))
        {
            var offset = (int)(position - _windowStart);
            var found = _window.AsSpan(offset, _windowLength - offset).IndexOf(RoundFormat.RoundMagicBytes);
            if (found < 0)
            {
                // It may lie across the end of the window.
                position = Math.Max(position, _windowStart + _windowLength - RoundFormat.RoundHeaderSize) + RoundFormat.Alignment;
                position -= position % RoundFormat.Alignment;
                continue;
            }
            position += found;
            if (position % RoundFormat.Alignment == 0) return position;
            position += RoundFormat.Alignment - position % RoundFormat.Alignment;
        }
        return -1;
    }

    private bool IsWhole(long position, in RoundFormat.RoundHeader header)
    {
        var total = (long)RoundFormat.RoundHeaderSize + header.PayloadLength;
        if (position + total > _file.Length || !Load(position, (int)total)) return false;
        return RoundFormat.HashRound(At(position, (int)total), header.PayloadLength) == header.Hash;
    }

    private ReadOnlySpan<byte> At(long position, int length) => _window.AsSpan((int)(position - _windowStart), length);

    /// <summary>Makes sure that bytes of the file are in the window.</summary>
    private bool Load(long position, int length)
    {
        if (position >= _windowStart && position + length <= _windowStart + _windowLength) return true;
        if (position + length > _file.Length) return false;
        if (length > _window.Length) _window = new byte[(int)Math.Min(Array.MaxLength, Math.Max(length, _window.Length * 2L))];
        _windowStart = position;
        _windowLength = 0;
        while (_windowLength < _window.Length)
        {
            var read = _file.Read(position + _windowLength, _window.AsSpan(_windowLength));
            if (read == 0) break;
            _windowLength += read;
        }
        return _windowLength >= length;
    }

    public void Dispose() => _file.Dispose();
}

using System.Buffers.Binary;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Subscriptions;

/// <summary>Messages, all of one lane, to which something happens at one time.</summary>
internal readonly record struct DueRange(long Start, long End, byte Lane);

/// <summary>An entry of a <see cref="DueIndex"/>: when, and to which messages.</summary>
internal readonly record struct DueEntry(long Due, DueRange Range) : IComparable<DueEntry>
{
    public int CompareTo(DueEntry other) => Due != other.Due ? Due.CompareTo(other.Due) : Range.Start.CompareTo(other.Range.Start);
}

/// <summary>
/// Entries in the order of their times, too many for memory: they lie in a scratch file, of which the block that comes next
/// is in memory. Until the file is written all of it is.
/// </summary>
internal sealed class DueRun(DueEntry[] entries)
{
    private const int EntryBytes = 32;
    private const int BlockEntries = 256;

    private DueEntry[] _block = entries;
    private int _next;
    private long _read;
    private IStorageFile? _file;

    /// <summary>Entries that were not taken.</summary>
    public int Left { get; private set; } = entries.Length;

    /// <summary>The file's path, if there is one.</summary>
    public string? Path { get; private set; }

    /// <summary>Whether the next entry has to be read before it can be looked at.</summary>
    public bool MustLoad => Left > 0 && _next == _block.Length;

    /// <summary>The next entry.</summary>
    public DueEntry Head
    {
        get
        {
            Invariant.Check(_next < _block.Length, "a run is loaded before it is looked at");
            return _block[_next];
        }
    }

    public void Take()
    {
        _next++;
        Left--;
    }

    /// <summary>Writes the entries to a file that is not there yet; they stay in memory until <see cref="UseFile"/>.</summary>
    public static async Task<IStorageFile> WriteAsync(IFileSystem files, string path, DueEntry[] entries)
    {
        var file = files.Open(path, FileOpenMode.CreateNew);
        try
        {
            var buffer = new byte[Math.Min(entries.Length, 4096) * EntryBytes];
            for (var at = 0; at < entries.Length;)
            {
                var count = Math.Min(4096, entries.Length - at);
                for (var i = 0; i < count; i++) Encode(entries[at + i], buffer.AsSpan(i * EntryBytes));
                await file.WriteAsync((long)at * EntryBytes, buffer.AsMemory(0, count * EntryBytes));
                at += count;
            }
            return file;
        }
        catch
        {
            file.Dispose();
            files.Delete(path);
            throw;
        }
    }

    /// <summary>Goes on with what was written, and lets the memory go.</summary>
    public void UseFile(IStorageFile file, string path)
    {
        _file = file;
        Path = path;
        var taken = _next;
        var kept = Math.Min(_block.Length, taken + BlockEntries);
        _block = _block[taken..kept];
        _next = 0;
        _read = kept;
    }

    /// <summary>Reads the next block. Called without a lock, by the only one who takes.</summary>
    public void Load()
    {
        var count = Math.Min(BlockEntries, Left);
        var buffer = new byte[count * EntryBytes];
        if (_file!.Read(_read * EntryBytes, buffer) < buffer.Length) throw new CorruptDataException($"The scratch file {Path} is shorter than it was.");
        var block = new DueEntry[count];
        for (var i = 0; i < count; i++) block[i] = Decode(buffer.AsSpan(i * EntryBytes));
        _read += count;
        _block = block;
        _next = 0;
    }

    /// <summary>Closes the file and removes it.</summary>
    public void Delete(IFileSystem files)
    {
        if (_file is null) return;
        _file.Dispose();
        files.Delete(Path!);
        _file = null;
    }

    private static void Encode(in DueEntry entry, Span<byte> target)
    {
        BinaryPrimitives.WriteInt64LittleEndian(target, entry.Due);
        BinaryPrimitives.WriteInt64LittleEndian(target[8..], entry.Range.Start);
        BinaryPrimitives.WriteInt64LittleEndian(target[16..], entry.Range.End);
        BinaryPrimitives.WriteInt64LittleEndian(target[24..], entry.Range.Lane);
    }

    private static DueEntry Decode(ReadOnlySpan<byte> source) =>
        new(
            BinaryPrimitives.ReadInt64LittleEndian(source),
            new DueRange(BinaryPrimitives.ReadInt64LittleEndian(source[8..]), BinaryPrimitives.ReadInt64LittleEndian(source[16..]), (byte)BinaryPrimitives.ReadInt64LittleEndian(source[24..])));
}

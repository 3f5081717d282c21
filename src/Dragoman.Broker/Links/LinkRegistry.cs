using System.Buffers;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Links;

/// <summary>
/// What each link has taken from a broker elsewhere: the state machine behind <see cref="LinkProgress"/>. Messages have no
/// numbers there, so they are known again by their fingerprints, of which the newest are kept.
/// </summary>
internal sealed class LinkRegistry : IStateMachine
{
    /// <summary>
    /// Fingerprints that are kept for each link, 8 bytes each. A broker that is killed may forget what was acknowledged to it
    /// in the seconds before, and hand all of that out again: RabbitMQ 3.10 was seen to do so with 5,000 messages.
    /// </summary>
    public const int Remembered = 65_536;

    private const byte Version = 1;

    private readonly SortedDictionary<string, LinkEntry> _links = new(StringComparer.Ordinal);

    private enum Kind : byte
    {
        Took = 1,
        Forgot = 2,
    }

    public IReadOnlyDictionary<string, LinkEntry> Links => _links;

    /// <summary>Bytes that the event of some fingerprints takes at most.</summary>
    public static int SizeOf(string link, int fingerprints) => 64 + 3 * link.Length + 8 * fingerprints;

    /// <summary>A link has taken messages, and knows that those before a number are forgotten where they came from.</summary>
    public static byte[] Took(string link, long confirmed, ReadOnlySpan<ulong> fingerprints, long position)
    {
        var buffer = Begin(Kind.Took, link, out var writer);
        writer.Int64(confirmed);
        writer.Int64(position);
        writer.Int32(fingerprints.Length);
        foreach (var fingerprint in fingerprints) writer.Int64((long)fingerprint);
        return buffer.WrittenSpan.ToArray();
    }

    public static byte[] Forgot(string link) => Begin(Kind.Forgot, link, out _).WrittenSpan.ToArray();

    private static ArrayBufferWriter<byte> Begin(Kind kind, string link, out SnapshotWriter writer)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        writer = new SnapshotWriter(buffer);
        writer.Byte(Version);
        writer.Byte((byte)kind);
        writer.Text(link);
        return buffer;
    }

    public void Apply(ReadOnlySpan<byte> evt)
    {
        var reader = new SnapshotReader(evt);
        reader.Version(Version, "link event");
        var kind = (Kind)reader.Byte();
        var link = reader.Text();
        switch (kind)
        {
            case Kind.Took:
                if (!_links.TryGetValue(link, out var entry)) _links.Add(link, entry = new LinkEntry());
                entry.Confirmed = Math.Max(entry.Confirmed, reader.Int64());
                entry.Position = Math.Max(entry.Position, reader.Int64());
                for (var n = reader.Count(); n > 0; n--) entry.Add((ulong)reader.Int64());
                break;
            case Kind.Forgot:
                _links.Remove(link);
                break;
            default:
                throw new CorruptDataException($"A link event of kind {(byte)kind} is unknown.");
        }
        reader.End("link event");
    }

    public void WriteSnapshot(IBufferWriter<byte> target)
    {
        var writer = new SnapshotWriter(target);
        writer.Byte(Version);
        writer.Int32(_links.Count);
        foreach (var (link, entry) in _links)
        {
            writer.Text(link);
            writer.Int64(entry.Taken);
            writer.Int64(entry.Confirmed);
            writer.Int64(entry.Position);
            var window = entry.Window();
            writer.Int32(window.Length);
            foreach (var fingerprint in window) writer.Int64((long)fingerprint);
        }
    }

    public void ReadSnapshot(ReadOnlySpan<byte> source)
    {
        var reader = new SnapshotReader(source);
        reader.Version(Version, "links");
        _links.Clear();
        for (var n = reader.Count(); n > 0; n--)
        {
            var link = reader.Text();
            var taken = reader.Int64();
            var entry = new LinkEntry { Confirmed = reader.Int64(), Position = reader.Int64() };
            for (var count = reader.Count(); count > 0; count--) entry.Add((ulong)reader.Int64());
            entry.Taken = taken;
            _links.Add(link, entry);
        }
        reader.End("links");
    }
}

/// <summary>What one link has taken.</summary>
internal sealed class LinkEntry
{
    private readonly Queue<ulong> _window = new();

    /// <summary>Messages taken in all.</summary>
    public long Taken { get; set; }

    /// <summary>How many of them, from the first on, are known to be forgotten where they came from.</summary>
    public long Confirmed { get; set; }

    /// <summary>The offset after the last message taken from a log of our own that keeps what was read; -1 for none.</summary>
    public long Position { get; set; } = -1;

    public ulong[] Window() => [.. _window];

    public void Add(ulong fingerprint)
    {
        _window.Enqueue(fingerprint);
        if (_window.Count > LinkRegistry.Remembered) _window.Dequeue();
        Taken++;
    }
}

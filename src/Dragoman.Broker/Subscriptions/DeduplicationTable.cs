using System.IO.Hashing;
using System.Text;

namespace Dragoman.Broker.Subscriptions;

/// <summary>
/// The deduplication ids of the messages published within the window, as 128-bit hashes, and where the messages are. A
/// message that is settled is still remembered.
/// </summary>
internal sealed class DeduplicationTable
{
    private readonly Dictionary<UInt128, (long Offset, long Until)> _known = [];
    private readonly Queue<(long Until, UInt128 Id)> _ends = new();

    public int Count => _known.Count;

    public static UInt128 Hash(string id)
    {
        var length = Encoding.UTF8.GetMaxByteCount(id.Length);
        Span<byte> bytes = length <= 1024 ? stackalloc byte[length] : new byte[length];
        return XxHash128.HashToUInt128(bytes[..Encoding.UTF8.GetBytes(id, bytes)]);
    }

    /// <summary>Finds a message of the id whose window is open at a time.</summary>
    public bool TryFind(UInt128 id, long now, out long offset)
    {
        var found = _known.TryGetValue(id, out var known) && known.Until > now;
        offset = known.Offset;
        return found;
    }

    /// <summary>Writes the event by which ids are remembered.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="now">When.</param>
    /// <param name="until">Until when.</param>
    /// <param name="ids">The ids and the messages' offsets.</param>
    public static void WriteEvent(in CompactWriter writer, long now, long until, IReadOnlyList<(UInt128 Id, long Offset)> ids)
    {
        writer.Byte(1);
        writer.Byte((byte)SubscriptionState.Kind.Deduplication);
        writer.Number(now);
        writer.Number(until);
        writer.Number(ids.Count);
        foreach (var (id, offset) in ids)
        {
            writer.Hash(id);
            writer.Number(offset);
        }
    }

    public void Apply(ref CompactReader reader)
    {
        Forget(reader.Number());
        var until = reader.Number();
        for (var n = reader.Count(); n > 0; n--)
        {
            var id = reader.Hash();
            Add(id, reader.Number(), until);
        }
    }

    private void Add(UInt128 id, long offset, long until)
    {
        _known[id] = (offset, until);
        _ends.Enqueue((until, id));
    }

    private void Forget(long now)
    {
        while (_ends.TryPeek(out var end) && end.Until <= now)
        {
            _ends.Dequeue();
            // The id may have been used again since.
            if (_known.TryGetValue(end.Id, out var known) && known.Until <= now) _known.Remove(end.Id);
        }
    }

    /// <summary>Forgets the ids of all messages before an offset.</summary>
    public void ForgetBefore(long end)
    {
        foreach (var (id, known) in _known)
            if (known.Offset < end) _known.Remove(id);
        // What is in the queue of ends alone would be in the next snapshot, and known again after that.
        for (var left = _ends.Count; left > 0; left--)
        {
            var entry = _ends.Dequeue();
            if (_known.TryGetValue(entry.Id, out var known) && known.Until == entry.Until) _ends.Enqueue(entry);
        }
    }

    public void WriteSnapshot(in CompactWriter writer)
    {
        writer.Number(_ends.Count);
        foreach (var (until, id) in _ends)
        {
            writer.Hash(id);
            writer.Number(until);
            writer.Number(_known.TryGetValue(id, out var known) && known.Until == until ? known.Offset : 0);
        }
    }

    public void ReadSnapshot(ref CompactReader reader)
    {
        _known.Clear();
        _ends.Clear();
        for (var n = reader.Count(); n > 0; n--)
        {
            var id = reader.Hash();
            var until = reader.Number();
            var offset = reader.Number();
            Add(id, offset, until);
        }
    }
}

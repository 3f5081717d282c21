using System.Buffers;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Subscriptions;

/// <summary>
/// What of a subscription survives a restart: which messages are settled, and for what reason; how far delivery has
/// come; and which messages were delivered more than once.
/// </summary>
internal sealed class SubscriptionState : IStateMachine
{
    public const int Reasons = 7;

    private const byte Version = 1;

    private readonly long[] _settledFor = new long[Reasons];
    private readonly Dictionary<long, int> _counts = [];

    public enum Kind : byte
    {
        Progress = 1,
    }

    /// <summary>The settled messages.</summary>
    public OffsetSet Settled { get; private set; } = new(0);

    /// <summary>
    /// Messages from here on have never been delivered; each one before that is not settled has been, once unless
    /// <see cref="CountOf"/> says otherwise.
    /// </summary>
    public long Reached { get; private set; }

    /// <summary>Messages that a seek has brought back.</summary>
    public long Replayed { get; private set; }

    /// <summary>How many messages were settled for a reason.</summary>
    public long SettledFor(SettleReason reason) => _settledFor[(int)reason];

    /// <summary>How often a message has been delivered.</summary>
    public int CountOf(long offset) => _counts.TryGetValue(offset, out var count) ? count : offset < Reached ? 1 : 0;

    /// <summary>Begins at an offset, for a log that does.</summary>
    public void StartAt(long offset)
    {
        Settled = new OffsetSet(offset);
        Reached = offset;
    }

    public void Apply(ReadOnlySpan<byte> evt)
    {
        var reader = new CompactReader(evt);
        CheckVersion(reader.Byte(), "event");
        switch ((Kind)reader.Byte())
        {
            case Kind.Progress:
                ApplyProgress(ref reader);
                break;
            case var other:
                throw new CorruptDataException($"A subscription's event of kind {(byte)other} is unknown.");
        }
        if (!reader.AtEnd) throw new CorruptDataException("Bytes follow the end of a subscription's event.");
    }

    private void ApplyProgress(ref CompactReader reader)
    {
        Reached = Math.Max(Reached, reader.Number());
        for (var n = reader.Count(); n > 0; n--)
        {
            var offset = reader.Number();
            _counts[offset] = (int)reader.Number();
        }
        for (var groups = reader.Count(); groups > 0; groups--)
        {
            var reason = (SettleReason)reader.Byte();
            var last = 0L;
            for (var n = reader.Count(); n > 0; n--)
            {
                var start = last + reader.Number();
                last = start + reader.Number();
                Settle(reason, start, last);
            }
        }
    }

    private void Settle(SettleReason reason, long start, long end)
    {
        _settledFor[(int)reason] += Settled.Add(start, end);
        if (_counts.Count == 0) return;
        if (end - start < _counts.Count)
        {
            for (var offset = start; offset < end; offset++) _counts.Remove(offset);
        }
        else
        {
            foreach (var offset in _counts.Keys)
                if (offset >= start && offset < end) _counts.Remove(offset);
        }
    }

    public void WriteSnapshot(IBufferWriter<byte> target)
    {
        var writer = new CompactWriter(target);
        writer.Byte(Version);
        writer.Number(Settled.Prefix);
        writer.Ranges(Settled.Ranges());
        writer.Number(Reached);
        writer.Number(Replayed);
        foreach (var count in _settledFor) writer.Number(count);
        writer.Number(_counts.Count);
        foreach (var (offset, count) in _counts)
        {
            writer.Number(offset);
            writer.Number(count);
        }
    }

    public void ReadSnapshot(ReadOnlySpan<byte> source)
    {
        var reader = new CompactReader(source);
        CheckVersion(reader.Byte(), "snapshot");
        Settled = new OffsetSet(reader.Number());
        var last = 0L;
        for (var n = reader.Count(); n > 0; n--)
        {
            var start = last + reader.Number();
            last = start + reader.Number();
            Settled.Add(start, last);
        }
        Reached = reader.Number();
        Replayed = reader.Number();
        for (var i = 0; i < Reasons; i++) _settledFor[i] = reader.Number();
        _counts.Clear();
        for (var n = reader.Count(); n > 0; n--) _counts[reader.Number()] = (int)reader.Number();
        if (!reader.AtEnd) throw new CorruptDataException("Bytes follow the end of a subscription's snapshot.");
    }

    private static void CheckVersion(byte version, string what)
    {
        if (version != Version)
            throw new CorruptDataException($"A subscription's {what} has format {version}; this release reads {Version}. Run the release that wrote it, or a newer one.");
    }
}

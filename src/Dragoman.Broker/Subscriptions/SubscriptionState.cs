using System.Buffers;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Subscriptions;

/// <summary>
/// What of a subscription survives a restart: which messages are settled, and for what reason; how far delivery has
/// come, and which messages were delivered more than once; timed leases; messages that wait after they came back;
/// and the deduplication ids of the window.
/// </summary>
internal sealed class SubscriptionState : IStateMachine
{
    public const int Reasons = 7;

    /// <summary>The most messages that one step of a <see cref="Kind.Progress"/> event is about.</summary>
    public const int MaxMessagesInStep = 1 << 16;

    private const byte Version = 1;

    private readonly long[] _settledFor = new long[Reasons];
    private readonly Dictionary<long, int> _counts = [];
    private readonly Dictionary<long, TimedLease> _leases = [];
    private readonly Dictionary<long, long> _delays = [];

    public enum Kind : byte
    {
        Progress = 1,
        Deduplication = 2,
        Seek = 3,
        Special = 4,
    }

    /// <summary>What a step of a <see cref="Kind.Progress"/> event does before the settlements.</summary>
    public enum Step : byte
    {
        End = 0,
        Lease = 1,
        Delay = 2,
        Return = 3,
        Count = 4,
        ForgetIds = 5,
    }

    /// <summary>A lease that ends by itself.</summary>
    public readonly record struct TimedLease(long Number, long Deadline);

    /// <summary>The settled messages.</summary>
    public OffsetSet Settled { get; private set; } = new(0);

    /// <summary>
    /// Messages from here on have never been delivered; each one before that is not settled has been, once unless
    /// <see cref="Counts"/> says otherwise.
    /// </summary>
    public long Reached { get; private set; }

    /// <summary>Messages that a seek has brought back.</summary>
    public long Replayed { get; private set; }

    /// <summary>Whether a message with a priority, a lifetime or a delay of its own was ever published.</summary>
    public bool HasSpecial { get; private set; }

    /// <summary>Deliveries of messages that were not delivered just once.</summary>
    public IReadOnlyDictionary<long, int> Counts => _counts;

    /// <summary>Timed leases; those whose time is over may still be here.</summary>
    public IReadOnlyDictionary<long, TimedLease> Leases => _leases;

    /// <summary>Messages that came back, and when they are due.</summary>
    public IReadOnlyDictionary<long, long> Delays => _delays;

    /// <summary>The deduplication ids of the window.</summary>
    public DeduplicationTable Deduplication { get; } = new();

    /// <summary>How many messages were settled for a reason.</summary>
    public long SettledFor(SettleReason reason) => _settledFor[(int)reason];

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
                Progress(ref reader);
                break;
            case Kind.Deduplication:
                Deduplication.Apply(ref reader);
                break;
            case Kind.Seek:
                Seek(reader.Offset());
                break;
            case Kind.Special:
                HasSpecial = true;
                break;
            case var other:
                throw new CorruptDataException($"A subscription's event of kind {(byte)other} is unknown.");
        }
        if (!reader.AtEnd) throw new CorruptDataException("Bytes follow the end of a subscription's event.");
    }

    private void Progress(ref CompactReader reader)
    {
        Reached = Math.Max(Reached, reader.Offset());
        while ((Step)reader.Byte() is var step && step != Step.End)
        {
            switch (step)
            {
                case Step.Lease:
                    var lease = new TimedLease(reader.Number(), reader.Number());
                    for (var ranges = reader.Ranges(MaxMessagesInStep); ranges.TryRead(ref reader, out var range);)
                    {
                        for (var offset = range.Start; offset < range.End; offset++)
                        {
                            _leases[offset] = lease;
                            _delays.Remove(offset);
                        }
                    }
                    break;
                case Step.Delay:
                    var due = reader.Number();
                    for (var ranges = reader.Ranges(MaxMessagesInStep); ranges.TryRead(ref reader, out var range);)
                    {
                        for (var offset = range.Start; offset < range.End; offset++)
                        {
                            _delays[offset] = due;
                            _leases.Remove(offset);
                        }
                    }
                    break;
                case Step.Return:
                    for (var ranges = reader.Ranges(MaxMessagesInStep); ranges.TryRead(ref reader, out var range);)
                    {
                        for (var offset = range.Start; offset < range.End; offset++)
                        {
                            _delays.Remove(offset);
                            _leases.Remove(offset);
                        }
                    }
                    break;
                case Step.Count:
                    var counted = reader.Offset();
                    _counts[counted] = reader.SmallNumber();
                    break;
                case Step.ForgetIds:
                    Deduplication.ForgetBefore(reader.Offset());
                    break;
                default:
                    throw new CorruptDataException($"A step of kind {(byte)step} of a subscription is unknown.");
            }
        }
        for (var groups = reader.Count(); groups > 0; groups--)
        {
            var reason = (SettleReason)reader.Byte();
            if ((int)reason >= Reasons) throw new CorruptDataException($"A reason {(byte)reason} to settle messages is unknown.");
            for (var ranges = reader.Ranges(); ranges.TryRead(ref reader, out var range);) Settle(reason, range);
        }
    }

    private void Settle(SettleReason reason, OffsetRange range)
    {
        _settledFor[(int)reason] += Settled.Add(range.Start, range.End);
        Forget(_counts, range);
        Forget(_leases, range);
        Forget(_delays, range);
    }

    private static void Forget<T>(Dictionary<long, T> entries, OffsetRange range)
    {
        if (entries.Count == 0) return;
        if (range.Count < entries.Count)
        {
            for (var offset = range.Start; offset < range.End; offset++) entries.Remove(offset);
            return;
        }
        foreach (var offset in entries.Keys)
            if (offset >= range.Start && offset < range.End) entries.Remove(offset);
    }

    /// <summary>What lies before the offset is settled, what lies behind is not, and was never delivered.</summary>
    private void Seek(long offset)
    {
        _settledFor[(int)SettleReason.Purged] += Settled.Add(Settled.Prefix, offset);
        Replayed += Settled.CountWithin(offset, Math.Max(offset, Settled.End));
        Settled.CutAt(offset);
        Reached = offset;
        _counts.Clear();
        _leases.Clear();
        _delays.Clear();
    }

    public void WriteSnapshot(IBufferWriter<byte> target)
    {
        var writer = new CompactWriter(target);
        writer.Byte(Version);
        writer.Number(Settled.Prefix);
        writer.Ranges(Settled.Ranges());
        writer.Number(Reached);
        writer.Number(Replayed);
        writer.Byte(HasSpecial ? (byte)1 : (byte)0);
        foreach (var count in _settledFor) writer.Number(count);
        writer.Number(_counts.Count);
        foreach (var (offset, count) in _counts)
        {
            writer.Number(offset);
            writer.Number(count);
        }
        writer.Number(_leases.Count);
        foreach (var (offset, lease) in _leases)
        {
            writer.Number(offset);
            writer.Number(lease.Number);
            writer.Number(lease.Deadline);
        }
        writer.Number(_delays.Count);
        foreach (var (offset, due) in _delays)
        {
            writer.Number(offset);
            writer.Number(due);
        }
        Deduplication.WriteSnapshot(writer);
    }

    public void ReadSnapshot(ReadOnlySpan<byte> source)
    {
        var reader = new CompactReader(source);
        CheckVersion(reader.Byte(), "snapshot");
        Settled = new OffsetSet(reader.Offset());
        for (var ranges = reader.Ranges(); ranges.TryRead(ref reader, out var range);) Settled.Add(range.Start, range.End);
        Reached = reader.Offset();
        Replayed = reader.Number();
        HasSpecial = reader.Byte() != 0;
        for (var i = 0; i < Reasons; i++) _settledFor[i] = reader.Number();
        _counts.Clear();
        for (var n = reader.Count(); n > 0; n--) _counts[reader.Offset()] = reader.SmallNumber();
        _leases.Clear();
        for (var n = reader.Count(); n > 0; n--) _leases[reader.Offset()] = new TimedLease(reader.Number(), reader.Number());
        _delays.Clear();
        for (var n = reader.Count(); n > 0; n--) _delays[reader.Offset()] = reader.Number();
        Deduplication.ReadSnapshot(ref reader);
        if (!reader.AtEnd) throw new CorruptDataException("Bytes follow the end of a subscription's snapshot.");
    }

    private static void CheckVersion(byte version, string what)
    {
        if (version != Version)
            throw new CorruptDataException($"A subscription's {what} has format {version}; this release reads {Version}. Run the release that wrote it, or a newer one.");
    }
}

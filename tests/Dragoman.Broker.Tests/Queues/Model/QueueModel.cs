using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;

namespace Dragoman.Broker.Tests.Queues.Model;

/// <summary>Where a message is.</summary>
internal enum Place
{
    /// <summary>In the queue: ready if its time has come.</summary>
    Waiting,

    /// <summary>Somebody holds it.</summary>
    Held,

    /// <summary>It came back, and keeps its key until its time has come.</summary>
    Cooling,

    /// <summary>It is settled.</summary>
    Gone,
}

/// <summary>A message as the model knows it.</summary>
internal sealed class ModelMessage
{
    public required long Offset { get; init; }
    public required string Text { get; init; }
    public required int Lane { get; init; }
    public required string? Key { get; init; }
    public required long Timestamp { get; init; }

    /// <summary>When its time is up, its own or what the queue says; <see cref="long.MaxValue"/> for never.</summary>
    public required long ExpiresAt { get; init; }

    /// <summary>When it may be delivered first.</summary>
    public required long DeliverAt { get; init; }

    public required bool IsFiltered { get; init; }

    public Place Place { get; set; }

    public int Count { get; set; }

    /// <summary>Who holds it: a consumer, or the request for messages.</summary>
    public object? Holder { get; set; }

    /// <summary>The number of the timed lease, or 0.</summary>
    public long Lease { get; set; }

    /// <summary>The timed lease that it came back from, if nobody has had it since; or 0.</summary>
    public long EndedLease { get; set; }

    /// <summary>When the timed lease, or the cooling, ends.</summary>
    public long Deadline { get; set; }

    /// <summary>From when on it may be delivered.</summary>
    public long ReadyAt { get; set; }

    /// <summary>Whether it was held when its time was up, so that it is only taken out where it comes to be looked at.</summary>
    public bool WasHeldAtExpiry { get; set; }

    public override string ToString() => $"{Offset} '{Text}' {Place} lane {Lane} key {Key} count {Count} ready at {ReadyAt} expires at {ExpiresAt}";
}

/// <summary>
/// What a queue should do, as simply as it can be said: a list of messages, and rules. It does not say to whom of several
/// a message goes, nor when exactly one is taken out that nobody could get any more; but what does happen must be allowed,
/// and what must happen must have happened when all is quiet.
/// </summary>
internal sealed class QueueModel(QueueSettings settings)
{
    private readonly long[] _settled = new long[SubscriptionState.Reasons];
    private readonly Dictionary<string, (long Offset, long Until)> _known = [];

    public SortedDictionary<long, ModelMessage> Messages { get; } = [];

    /// <summary>How many of each text should be in the dead-letter queue.</summary>
    public SortedDictionary<string, int> Dead { get; } = new(StringComparer.Ordinal);

    public long Accepted { get; set; }

    public long Replayed { get; private set; }

    private SubscriptionSettings Delivery => settings.Subscription;

    public bool IsByKey => Delivery.Dispatch == DispatchMode.ByKey;

    /// <summary>Whether the messages of different keys may overtake one another.</summary>
    public bool IsOutOfOrder => Delivery.Dispatch is DispatchMode.ByKey or DispatchMode.Fair;

    public long Settled(SettleReason reason) => _settled[(int)reason];

    public static bool IsReady(ModelMessage message, long now) => message.Place == Place.Waiting && message.ReadyAt <= now;

    /// <summary>Whether it may be given to somebody, its key aside.</summary>
    public bool IsDeliverable(ModelMessage message, long now) =>
        IsReady(message, now) && message.ExpiresAt > now && !message.IsFiltered && !IsWornOut(message);

    public bool IsWornOut(ModelMessage message) => Delivery.MaxDeliveries >= 0 && message.Count >= Delivery.MaxDeliveries;

    public long ReadyCount(long now) => Messages.Values.LongCount(m => IsReady(m, now));

    /// <summary>Bytes that count against the limit: of all that nobody holds.</summary>
    public long WaitingBytes => Messages.Values.Where(m => m.Place == Place.Waiting).Sum(m => (long)m.Text.Length);

    /// <summary>Which comes first.</summary>
    public static int Compare(ModelMessage a, ModelMessage b) => a.Lane != b.Lane ? b.Lane.CompareTo(a.Lane) : a.Offset.CompareTo(b.Offset);

    /// <summary>How many of so many messages of given sizes there is room for, duplicates not counted.</summary>
    public int Room(IReadOnlyList<string> texts, ISet<int> duplicates, long now)
    {
        if (settings.Overflow == Overflow.DropHead) return texts.Count;
        var (count, bytes) = (ReadyCount(now), WaitingBytes);
        for (var i = 0; i < texts.Count; i++)
        {
            if (duplicates.Contains(i)) continue;
            if (settings.MaxLength >= 0 && count >= settings.MaxLength) return i;
            if (settings.MaxLengthBytes >= 0 && bytes >= settings.MaxLengthBytes) return i;
            count++;
            bytes += texts[i].Length;
        }
        return texts.Count;
    }

    /// <summary>Whether an id was seen within the window, and where.</summary>
    public bool IsKnown(string id, long now, out long offset)
    {
        offset = _known.TryGetValue(id, out var known) ? known.Offset : -1;
        return settings.DeduplicationWindowMs > 0 && known.Until > now;
    }

    /// <summary>A purge of everything forgets all ids.</summary>
    public void ForgetIds() => _known.Clear();

    public void Remember(string id, long offset, long now) => _known[id] = (offset, now + settings.DeduplicationWindowMs);

    public void Publish(long offset, string text, in MessageProperties properties, string? key, bool isFiltered)
    {
        var expires = properties.ExpiresAt >= 0 ? properties.ExpiresAt : long.MaxValue;
        if (Delivery.MessageLifetimeMs >= 0) expires = Math.Min(expires, properties.Timestamp + Delivery.MessageLifetimeMs);
        var deliverAt = properties.DeliverAt >= 0 ? properties.DeliverAt : settings.DelayMs > 0 ? properties.Timestamp + settings.DelayMs : 0;
        // Whose time is up while it waits is taken out then.
        if (properties.ExpiresAt >= 0 && Delivery.Expiry == ExpiryScope.Anywhere) deliverAt = Math.Min(deliverAt, properties.ExpiresAt);
        Messages.Add(offset, new ModelMessage
        {
            Offset = offset,
            Text = text,
            Lane = Math.Clamp((int)properties.Priority, 0, settings.MaxPriority),
            Key = key,
            Timestamp = properties.Timestamp,
            ExpiresAt = expires,
            DeliverAt = deliverAt,
            IsFiltered = isFiltered,
            ReadyAt = deliverAt,
        });
        Accepted++;
    }

    public static void Deliver(ModelMessage message, object holder, long lease, long deadline)
    {
        message.Place = Place.Held;
        message.Holder = holder;
        message.Lease = lease;
        message.EndedLease = 0;
        message.Deadline = deadline;
        message.Count++;
    }

    public void Settle(ModelMessage message, Settlement settlement, long delayMs, long at)
    {
        switch (settlement)
        {
            case Settlement.Acknowledge:
                Go(message, SettleReason.Acknowledged);
                break;
            case Settlement.Reject:
                Die(message, SettleReason.Dropped);
                break;
            case Settlement.Release:
                message.Count--;
                Back(message, Math.Max(delayMs, 0), at);
                break;
            default:
                if (IsWornOut(message)) Die(message, SettleReason.Dropped);
                else Back(message, delayMs >= 0 ? delayMs : BackOff(message.Count), at);
                break;
        }
    }

    /// <summary>Which leases are over is not remembered when another subscription takes over.</summary>
    public void ForgetEndedLeases()
    {
        foreach (var message in Messages.Values) message.EndedLease = 0;
    }

    /// <summary>Whether whoever held a message under a lease that is over can still say that it is done with it.</summary>
    public bool IsLate(LeaseToken token, long now) =>
        !IsByKey && Messages.TryGetValue(token.Offset, out var message) && message.Place == Place.Waiting && message.ReadyAt <= now && message.EndedLease == token.Lease;

    private void Back(ModelMessage message, long wait, long at)
    {
        message.Holder = null;
        if (message.Lease > 0) message.EndedLease = message.Lease;
        message.Lease = 0;
        message.WasHeldAtExpiry |= message.ExpiresAt <= at;
        message.Place = wait > 0 && IsByKey ? Place.Cooling : Place.Waiting;
        message.Deadline = message.ReadyAt = wait > 0 ? at + wait : 0;
    }

    private long BackOff(int count)
    {
        if (Delivery.MinBackOffMs == 0) return 0;
        var wait = Delivery.BackOff == BackOffGrowth.Linear ? Delivery.MinBackOffMs * count : Delivery.MinBackOffMs * (1L << (count - 1));
        return Delivery.MaxBackOffMs > 0 ? Math.Min(wait, Delivery.MaxBackOffMs) : wait;
    }

    /// <summary>Time has passed.</summary>
    public void Tick(long now)
    {
        foreach (var message in Messages.Values)
        {
            if (message.Place == Place.Cooling && message.Deadline <= now)
            {
                message.WasHeldAtExpiry |= message.ExpiresAt <= message.Deadline;
                message.Place = Place.Waiting;
                message.ReadyAt = 0;
            }
            else if (message is { Place: Place.Held, Lease: > 0 } && message.Deadline <= now)
            {
                Settle(message, Settlement.Return, -1, message.Deadline);
            }
        }
    }

    /// <summary>A message leaves because it cannot be delivered.</summary>
    public void Die(ModelMessage message, SettleReason reason)
    {
        if (Delivery.DeadLetter is not null) Bury(message.Text);
        Go(message, Delivery.DeadLetter is null ? reason : SettleReason.DeadLettered);
    }

    public void Bury(string text) => Dead[text] = Dead.GetValueOrDefault(text) + 1;

    public void Go(ModelMessage message, SettleReason reason)
    {
        _settled[(int)reason]++;
        message.Place = Place.Gone;
        message.Holder = null;
    }

    public void Seek(long offset)
    {
        foreach (var message in Messages.Values)
        {
            if (message.Offset < offset)
            {
                if (message.Place != Place.Gone) Go(message, SettleReason.Purged);
                continue;
            }
            if (message.Place == Place.Gone) Replayed++;
            message.Place = Place.Waiting;
            message.Holder = null;
            message.Lease = 0;
            message.EndedLease = 0;
            message.Count = 0;
            message.ReadyAt = message.DeliverAt;
            message.WasHeldAtExpiry = false;
        }
    }

    /// <summary>Whether a message may have to wait because of others of its key.</summary>
    public bool IsKeyTaken(ModelMessage message) =>
        IsByKey && message.Key is not null && Messages.Values.Any(m => m != message && m.Key == message.Key && m.Place is Place.Held or Place.Cooling && m.Key == message.Key);
}

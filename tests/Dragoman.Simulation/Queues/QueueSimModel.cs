namespace Dragoman.Simulation.Queues;

/// <summary>A message at one place of the queue under test, and what is known of it.</summary>
internal sealed class SimMessage(string text)
{
    public string Text { get; } = text;

    public string? Key { get; init; }

    /// <summary>Whether it may go because its time is up.</summary>
    public bool MayExpire { get; init; }

    /// <summary>Whether the broker said that it has it.</summary>
    public bool IsAccepted { get; set; }

    /// <summary>Whether the broker said that it does not take it.</summary>
    public bool IsRefused { get; set; }

    /// <summary>Where it was said to be, or was seen; -1 for not yet.</summary>
    public long Offset { get; set; } = -1;

    /// <summary>Deliveries that anybody saw.</summary>
    public int Seen { get; set; }

    /// <summary>Deliveries of which the broker may know nothing any more.</summary>
    public int Forgotten { get; set; }

    /// <summary>Deliveries of which the broker was asked, and of those of which it said, that they do not count.</summary>
    public int ReleasesAsked { get; set; }

    public int Releases { get; set; }

    /// <summary>Whether anybody asked for an end of it, and whether the broker said that it has come.</summary>
    public bool AckAsked { get; set; }

    public bool RejectAsked { get; set; }

    public bool IsAcked { get; set; }

    public bool IsRejected { get; set; }

    /// <summary>Who holds it; null for nobody, or for somebody whose lease may be over.</summary>
    public object? Holder { get; set; }

    /// <summary>When the lease ends at the earliest; <see cref="TimeSpan.MaxValue"/> for one that has no end.</summary>
    public TimeSpan HeldUntil { get; set; }

    public long Lease { get; set; }

    /// <summary>Whether the lease survives a crash.</summary>
    public bool IsCertain { get; set; }

    /// <summary>Whether it was settled in this life without waiting for the disk.</summary>
    public bool IsGoneForNow { get; set; }

    /// <summary>How often it is in the dead-letter queue.</summary>
    public int Deaths { get; set; }

    /// <summary>Whether the queue that gets a copy has it.</summary>
    public int Copies { get; set; }

    /// <summary>Whether it was published to both queues.</summary>
    public bool IsCopied { get; init; }

    public override string ToString() =>
        $"{Text} at {Offset}, seen {Seen}, forgotten {Forgotten}, released {Releases} of {ReleasesAsked}, ack {AckAsked}/{IsAcked}, reject {RejectAsked}/{IsRejected}, dead {Deaths}";
}

/// <summary>What must be true of one queue, whoever publishes to it, takes from it, and dies.</summary>
internal sealed class QueueSimModel(SimScheduler sim, int maxDeliveries, bool hasDeadLetters, bool keepsKeys)
{
    private readonly Queue<(SimMessage Message, int Seen)> _uncertain = new();
    private long _noted;

    public Dictionary<string, SimMessage> All { get; } = new(StringComparer.Ordinal);

    /// <summary>Answers with messages that may have been on their way when the broker died.</summary>
    public int LostAnswers { get; set; }

    /// <summary>Receives that wait for their answer.</summary>
    public int Receiving { get; set; }

    /// <summary>How often the broker has died, or the queue moved.</summary>
    public int Epoch { get; private set; }

    /// <summary>A delivery of which somebody hears when the one who made it is gone, and what it knew of it.</summary>
    public void Miss(string text)
    {
        All[text].Seen++;
        All[text].Forgotten++;
    }

    public SimMessage Begin(string text, string? key, bool mayExpire, bool isCopied)
    {
        var message = new SimMessage(text) { Key = key, MayExpire = mayExpire, IsCopied = isCopied };
        All.Add(text, message);
        return message;
    }

    /// <summary>Whatever was noted before this mark is durable once what was asked after it has been answered.</summary>
    public long Mark() => _noted;

    public void Confirm(long mark)
    {
        // What was noted before a crash, or a move, is none of these any more.
        while (_noted - _uncertain.Count < mark)
        {
            var (message, seen) = _uncertain.Dequeue();
            if (message.Seen == seen) message.IsCertain = true;
        }
    }

    /// <summary>The broker has died, or the queue has moved: what was only in memory is gone.</summary>
    public void Forget()
    {
        Epoch++;
        LostAnswers += Receiving;
        Receiving = 0;
        while (_uncertain.TryDequeue(out var lost)) lost.Message.Forgotten++;
        foreach (var message in All.Values)
        {
            message.IsGoneForNow = false;
            // Leases of connections are over, and timed ones that nobody made sure of may be.
            if (message.Holder is not null && (message.HeldUntil == TimeSpan.MaxValue || !message.IsCertain)) message.Holder = null;
        }
    }

    public SimMessage Deliver(string text, long offset, int count, object holder, long lease, TimeSpan heldUntil)
    {
        Check(All.TryGetValue(text, out var message), $"{text} was published");
        Check(!message!.IsRefused, $"{message} was refused");
        Check(message.Offset < 0 || message.Offset == offset, $"{message} is there once, and not at {offset} too");
        Check(message.Holder is null || sim.Time.Elapsed >= message.HeldUntil, $"{message} is held until {message.HeldUntil}, and goes to {holder} at {sim.Time.Elapsed}");
        Check(!message.IsAcked && !message.IsRejected && !message.IsGoneForNow, $"{message} is settled, and goes to {holder}");
        var most = message.Seen - message.Releases + 1 + LostAnswers;
        var least = Math.Max(message.Seen - message.Forgotten - message.ReleasesAsked, 0) + 1;
        Check(count <= most && count >= least, $"delivery {count} of {message} is between {least} and {most}");
        Check(maxDeliveries < 0 || count <= maxDeliveries, $"delivery {count} of {message} is one too many");
        // Who settles as it gets frees the key for another one, who may be told first.
        if (keepsKeys && message.Key is not null && holder is not SimConsumer { Options.AutoAcknowledge: true })
        {
            foreach (var other in All.Values)
                if (other != message && other.Key == message.Key && other.Holder is not null && sim.Time.Elapsed < other.HeldUntil)
                    // One that came back, or became due, is delivered under a timed lease although a later one is held; and of two such
                    // leases the later may be told first.
                    Check(other.Holder == holder || (lease > 0 && other.Lease > 0 && (other.Offset > offset || other.Lease > lease)), $"{message} goes to {holder}, and its key is held with {other}");
        }
        message.Offset = offset;
        message.Seen++;
        message.Holder = holder;
        message.Lease = lease;
        message.HeldUntil = heldUntil;
        message.IsCertain = false;
        _uncertain.Enqueue((message, message.Seen));
        _noted++;
        return message;
    }

    /// <summary>Whether it is accounted for that a message is in the queue no more.</summary>
    public void VerifyEnd(SimMessage message)
    {
        if (message.IsAcked) Check(message.Deaths == 0, $"{message} was acknowledged, and is not dead");
        Check(message.Deaths <= 1, $"{message} died once");
        if (message.IsRejected && hasDeadLetters) Check(message.Deaths == 1, $"{message} was rejected, and is in the dead-letter queue");
        if (message.Deaths > 0)
            Check(message.RejectAsked || message.MayExpire || (maxDeliveries >= 0 && message.Seen + LostAnswers >= maxDeliveries), $"{message} had a reason to die");
        if (message.IsCopied)
        {
            Check(message.Copies <= 1, $"{message} was copied once");
            if (!message.MayExpire && (message.IsAccepted || message.Seen > 0 || message.Deaths > 0)) Check(message.Copies == 1, $"{message} is in both queues, as it is in one");
        }
        if (!message.IsAccepted) return;
        if (message.AckAsked || message.Deaths > 0) return;
        var mayVanish = !hasDeadLetters && (message.MayExpire || message.RejectAsked || (maxDeliveries >= 0 && message.Seen + LostAnswers >= maxDeliveries));
        Check(mayVanish, $"{message} was accepted, and is lost");
    }

    public static void Check(bool condition, string rule)
    {
        if (!condition) throw new SimulationFailedException($"Broken: {rule}.");
    }
}

namespace Dragoman.Broker.Subscriptions;

/// <summary>Who holds a message, and how often it was delivered.</summary>
internal struct Lease
{
    /// <summary>The consumer, or null for a timed lease.</summary>
    public Consumer? Holder;

    /// <summary>The timed lease's number; 0 for one that has no end.</summary>
    public long Number;

    /// <summary>When the timed lease ends, in milliseconds since 1970.</summary>
    public long Deadline;

    /// <summary>Whether nobody holds the message: it came back, and keeps its key until the deadline.</summary>
    public bool IsCooling;

    /// <summary>Deliveries so far, this one included.</summary>
    public int Count;

    /// <summary>Bytes of the value, where the queue's length in bytes is limited.</summary>
    public int Size;

    /// <summary>The lane that it came from.</summary>
    public byte Lane;
}

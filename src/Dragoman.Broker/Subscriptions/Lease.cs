namespace Dragoman.Broker.Subscriptions;

/// <summary>The timed lease that a message which came back was held under last.</summary>
/// <param name="Number">The lease's number.</param>
/// <param name="Size">Bytes of the value, where the queue's length in bytes is limited.</param>
/// <param name="Lane">The lane that the message is in again.</param>
internal readonly record struct EndedLease(long Number, int Size, byte Lane);

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

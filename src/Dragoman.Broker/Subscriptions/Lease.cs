namespace Dragoman.Broker.Subscriptions;

/// <summary>Who holds a message, and how often it was delivered.</summary>
internal struct Lease
{
    /// <summary>The consumer, or null for a timed lease.</summary>
    public Consumer? Holder;

    /// <summary>Deliveries so far, this one included.</summary>
    public int Count;

    /// <summary>Bytes of the record.</summary>
    public int Size;
}

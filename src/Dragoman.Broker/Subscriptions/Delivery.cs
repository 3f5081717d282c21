using Dragoman.Storage.Records;

namespace Dragoman.Broker.Subscriptions;

/// <summary>A timed lease of a message: what a receipt handle or an ack id stands for.</summary>
/// <param name="Offset">The message.</param>
/// <param name="Lease">The lease's number: a message that is leased anew has another.</param>
public readonly record struct LeaseToken(long Offset, long Lease)
{
    /// <summary>Stands for whichever timed lease a message is held under.</summary>
    public const long Any = -1;
}

/// <summary>A message that was delivered: where it is and how often that was.</summary>
/// <param name="Offset">The message's offset in its log.</param>
/// <param name="Count">How often it was delivered, this time included. More than 1 is a redelivery.</param>
/// <param name="Lease">The lease's number, where it is a timed one; else 0.</param>
/// <param name="Timestamp">When it was published, in milliseconds since 1970.</param>
/// <param name="Size">Bytes of the record.</param>
public readonly record struct Delivery(long Offset, int Count, long Lease, long Timestamp, int Size);

/// <summary>A message as it lies in a batch of deliveries; valid until that is disposed of.</summary>
public readonly ref struct MessageView
{
    internal MessageView(long offset, long timestamp, NullableBytes key, NullableBytes value, RecordHeaders headers)
    {
        Offset = offset;
        Timestamp = timestamp;
        Key = key;
        Value = value;
        Headers = headers;
    }

    /// <summary>Its offset in the log.</summary>
    public long Offset { get; }

    /// <summary>When it was published, in milliseconds since 1970.</summary>
    public long Timestamp { get; }

    /// <summary>The key; null and empty differ.</summary>
    public NullableBytes Key { get; }

    /// <summary>The value; null and empty differ.</summary>
    public NullableBytes Value { get; }

    /// <summary>The headers, canonical ones included.</summary>
    public RecordHeaders Headers { get; }
}

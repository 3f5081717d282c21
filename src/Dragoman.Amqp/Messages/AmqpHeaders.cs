namespace Dragoman.Amqp.Messages;

/// <summary>Names of record headers that only this front end writes.</summary>
internal static class AmqpHeaders
{
    /// <summary>1 for transient, 2 for persistent, as the publisher said.</summary>
    public static ReadOnlySpan<byte> DeliveryMode => "delivery-mode"u8;

    /// <summary>The lifetime in milliseconds, as the publisher said.</summary>
    public static ReadOnlySpan<byte> Expiration => "expiration"u8;

    /// <summary>The publisher's time, in seconds since 1970.</summary>
    public static ReadOnlySpan<byte> Timestamp => "timestamp"u8;

    /// <summary>A property that AMQP reserves, and hands through.</summary>
    public static ReadOnlySpan<byte> ClusterId => "cluster-id"u8;
}

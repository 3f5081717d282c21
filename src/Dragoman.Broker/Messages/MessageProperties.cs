namespace Dragoman.Broker.Messages;

/// <summary>The properties of a message that a queue itself acts upon. All others are headers to it.</summary>
public readonly record struct MessageProperties
{
    /// <summary>Nothing of note, and no timestamp.</summary>
    public MessageProperties()
    {
    }

    /// <summary>When it was published, in milliseconds since 1970: the broker's clock, which lifetimes count from.</summary>
    public long Timestamp { get; init; } = -1;

    /// <summary>From when on it is not worth delivering, in milliseconds since 1970; -1 for never.</summary>
    public long ExpiresAt { get; init; } = -1;

    /// <summary>Before when it is not to be delivered, in milliseconds since 1970; -1 for at once.</summary>
    public long DeliverAt { get; init; } = -1;

    /// <summary>How urgent it is, 0 to 255; -1 for not said.</summary>
    public short Priority { get; init; } = -1;

    /// <summary>What makes a second copy known as one; null for nothing.</summary>
    public string? DeduplicationId { get; init; }

    internal bool IsPlain => (ExpiresAt & DeliverAt) == -1 && Priority == -1 && DeduplicationId is null;
}

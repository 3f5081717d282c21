namespace Dragoman.Broker.Messages;

/// <summary>
/// The names of the record headers that carry the properties all protocols share. Values are UTF-8 text; numbers and
/// times (milliseconds since 1970) are in decimal.
/// </summary>
public static class CanonicalHeaders
{
    /// <summary>The media type of the value.</summary>
    public static ReadOnlySpan<byte> ContentType => "content-type"u8;

    /// <summary>How the value is encoded.</summary>
    public static ReadOnlySpan<byte> ContentEncoding => "content-encoding"u8;

    /// <summary>What the message belongs to.</summary>
    public static ReadOnlySpan<byte> CorrelationId => "correlation-id"u8;

    /// <summary>Where an answer should go.</summary>
    public static ReadOnlySpan<byte> ReplyTo => "reply-to"u8;

    /// <summary>The publisher's id of the message.</summary>
    public static ReadOnlySpan<byte> MessageId => "message-id"u8;

    /// <summary>What kind of message it is.</summary>
    public static ReadOnlySpan<byte> Type => "type"u8;

    /// <summary>The application that published it.</summary>
    public static ReadOnlySpan<byte> AppId => "app-id"u8;

    /// <summary>The user that published it.</summary>
    public static ReadOnlySpan<byte> UserId => "user-id"u8;

    /// <summary>How urgent it is: 0 to 255, the higher the sooner.</summary>
    public static ReadOnlySpan<byte> Priority => "priority"u8;

    /// <summary>When the message is no longer worth delivering.</summary>
    public static ReadOnlySpan<byte> ExpiresAt => "expires-at"u8;

    /// <summary>Not to be delivered before.</summary>
    public static ReadOnlySpan<byte> DeliverAt => "deliver-at"u8;

    /// <summary>How long it is worth delivering, in milliseconds from when it goes on from where it is held back.</summary>
    public static ReadOnlySpan<byte> Lifetime => "lifetime"u8;

    /// <summary>What topics route by.</summary>
    public static ReadOnlySpan<byte> RoutingKey => "routing-key"u8;

    /// <summary>More that topics route by, one header for each: what AMQP's publishers ask for with <c>CC</c> and <c>BCC</c>.</summary>
    public static ReadOnlySpan<byte> MoreRoutingKeys => "also-routing-key"u8;

    /// <summary>
    /// The topics with logs that it has passed on its way to this one, separated by line feeds: it does not go back to them.
    /// </summary>
    public static ReadOnlySpan<byte> PassedTopics => "passed-topics"u8;

    /// <summary>When its publisher says it was made, where the record's timestamp is when it came to the queue.</summary>
    public static ReadOnlySpan<byte> CreatedAt => "created-at"u8;

    /// <summary>The topic it was published to.</summary>
    public static ReadOnlySpan<byte> Topic => "topic"u8;

    /// <summary>What makes a second copy of the message known as one.</summary>
    public static ReadOnlySpan<byte> DeduplicationId => "dedup-id"u8;

    /// <summary>The W3C trace context.</summary>
    public static ReadOnlySpan<byte> TraceParent => "traceparent"u8;

    /// <summary>How often and why the message was dead-lettered: see <see cref="DeathHistory"/>.</summary>
    public static ReadOnlySpan<byte> Deaths => "deaths"u8;
}

namespace Dragoman.Broker.Transactions;

/// <summary>What the coordinator of transactions allows, and how long it remembers.</summary>
public sealed record TransactionOptions
{
    /// <summary>The longest time-out that a producer may ask for: Kafka's <c>transaction.max.timeout.ms</c>.</summary>
    public TimeSpan MaxTimeout { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>
    /// Transactional ids that were not used for so long are forgotten: Kafka's <c>transactional.id.expiration.ms</c>.
    /// </summary>
    public TimeSpan IdExpiration { get; init; } = TimeSpan.FromDays(7);

    /// <summary>How often the coordinator looks for transactions whose time is up.</summary>
    public TimeSpan TimeoutCheckInterval { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long the coordinator waits before it tells a partition again that did not answer as it should, at first.</summary>
    public TimeSpan FirstRetryDelay { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>The longest such wait; each is twice the one before.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(1);
}

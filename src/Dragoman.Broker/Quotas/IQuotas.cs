namespace Dragoman.Broker.Quotas;

/// <summary>How a change of quotas ended.</summary>
public enum QuotaStatus
{
    /// <summary>It was done.</summary>
    Ok,

    /// <summary>There is no room on disk; later there may be.</summary>
    Full,

    /// <summary>The disk failed.</summary>
    StorageError,
}

/// <summary>
/// How much clients may publish, consume and change a second, and how long they have to wait when it was too much. Of the
/// quotas that fit a client the one that names it best counts, in Kafka's order: user and client id, user, client id, and
/// names before defaults (Kafka's documentation, "Quotas").
/// </summary>
/// <remarks>
/// A quota of a user is shared by all its connections, one of a client id by all that call themselves so. Clients that a
/// default stands for do not share it.
/// </remarks>
public interface IQuotas
{
    /// <summary>Whether there is any quota: where there is none, nothing is measured.</summary>
    bool Any { get; }

    /// <summary>All quotas.</summary>
    IReadOnlyList<QuotaChange> List();

    /// <summary>Sets and removes quotas, all or none. The answer comes when that is on disk.</summary>
    ValueTask<(QuotaStatus Status, string? Message)> ChangeAsync(IReadOnlyList<QuotaChange> changes, CancellationToken cancellation = default);

    /// <summary>Notes that bytes were published or consumed.</summary>
    /// <param name="kind">Which of the two.</param>
    /// <param name="user">Who did it.</param>
    /// <param name="clientId">What the client calls itself.</param>
    /// <param name="bytes">How many.</param>
    /// <returns>How long the client has to wait before it goes on.</returns>
    TimeSpan Record(QuotaKind kind, string user, string clientId, long bytes);

    /// <summary>Takes back what <see cref="Record"/> noted, where the client did not get it after all.</summary>
    void Return(QuotaKind kind, string user, string clientId, long bytes);

    /// <summary>The most bytes that a client may get at once without having to wait for ever; none for no limit.</summary>
    long? LargestBurst(QuotaKind kind, string user, string clientId);

    /// <summary>Takes from what a client may change.</summary>
    /// <param name="user">Who changes.</param>
    /// <param name="clientId">What the client calls itself.</param>
    /// <param name="partitions">How many partitions are created or deleted.</param>
    /// <param name="strict">Whether to refuse while earlier changes were too many; otherwise the client has to wait afterwards.</param>
    (bool Allowed, TimeSpan Wait) TakeChanges(string user, string clientId, int partitions, bool strict);

    /// <summary>Notes a connection from an address; how long it has to wait if there were too many.</summary>
    TimeSpan RecordConnection(string address);
}

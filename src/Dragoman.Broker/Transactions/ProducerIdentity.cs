namespace Dragoman.Broker.Transactions;

/// <summary>An instance of a producer.</summary>
/// <param name="Id">The producer's id.</param>
/// <param name="Epoch">Which instance: the one with the highest epoch fences the others.</param>
public readonly record struct ProducerIdentity(long Id, short Epoch)
{
    /// <summary>
    /// The last epoch that is given to a client. The one after it is left for fencing; then the producer gets a new id.
    /// </summary>
    public const short LastEpoch = short.MaxValue - 1;

    /// <summary>None.</summary>
    public static ProducerIdentity None { get; } = new(-1, -1);
}

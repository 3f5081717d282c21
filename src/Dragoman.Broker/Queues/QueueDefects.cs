namespace Dragoman.Broker.Queues;

/// <summary>
/// Mistakes that tests plant, one at a time, to see that the simulator would find them. All are off but in those tests.
/// </summary>
internal sealed record QueueDefects
{
    /// <summary>Does not write down who holds what under a timed lease.</summary>
    public bool LoseLeases { get; init; }

    /// <summary>Counts the second and every later delivery of a message twice.</summary>
    public bool CountTwice { get; init; }

    /// <summary>Settles what leaves a queue before the queue that it goes to has it.</summary>
    public bool SettleEarly { get; init; }
}

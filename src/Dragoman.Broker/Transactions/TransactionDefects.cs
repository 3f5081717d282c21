namespace Dragoman.Broker.Transactions;

/// <summary>
/// Mistakes that tests plant, one at a time, to see that the simulator would find them. All are off but in those tests.
/// </summary>
internal sealed record TransactionDefects
{
    /// <summary>Takes a transaction for complete before its partitions have their markers.</summary>
    public bool CompleteBeforeMarkers { get; init; }

    /// <summary>Gives a producer that takes a transactional id over the epoch of the one before.</summary>
    public bool ForgetFencing { get; init; }

    /// <summary>Takes a marker as often as it comes.</summary>
    public bool RepeatMarkers { get; init; }

    /// <summary>Takes a batch of an idempotent producer as often as it comes.</summary>
    public bool RepeatBatches { get; init; }

    /// <summary>Answers a batch that comes again at once, although the first copy may not be on disk.</summary>
    public bool AcknowledgeRepeatsEarly { get; init; }

    /// <summary>Lets a batch begin a transaction at a partition without asking the coordinator.</summary>
    public bool SkipVerification { get; init; }
}

namespace Dragoman.Broker.Groups;

/// <summary>
/// Mistakes that tests plant, one at a time, to see that the simulator would find them. All are off but in those tests.
/// </summary>
internal sealed record GroupDefects
{
    /// <summary>Lets members of former generations and epochs commit offsets.</summary>
    public bool ForgetFencing { get; init; }

    /// <summary>Says that offsets are committed before they are on disk.</summary>
    public bool AcknowledgeEarly { get; init; }

    /// <summary>Lets a shard that was moved away go on as if it had not been.</summary>
    public bool ServeAfterMove { get; init; }

    /// <summary>Gives partitions to members before those who had them have given them up.</summary>
    public bool ForgetOwners { get; init; }
}

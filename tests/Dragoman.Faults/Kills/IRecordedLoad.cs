namespace Dragoman.Faults.Kills;

/// <summary>Clients that write all the time, and take down what the broker acknowledged.</summary>
internal interface IRecordedLoad
{
    /// <summary>Acknowledgements so far.</summary>
    long Acknowledged { get; }

    /// <summary>Writes that are under way: handed to the broker, or on their way there, and neither acknowledged nor refused.</summary>
    int InFlight { get; }

    /// <summary>Why the load cannot go on; null while it can.</summary>
    string? Failure { get; }
}

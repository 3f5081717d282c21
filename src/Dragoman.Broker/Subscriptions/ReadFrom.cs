namespace Dragoman.Broker.Subscriptions;

/// <summary>Where a consumer begins to read that brings a cursor of its own.</summary>
public enum ReadOrigin : byte
{
    /// <summary>At what is published from now on.</summary>
    Next = 0,

    /// <summary>At the first message that is kept.</summary>
    First = 1,

    /// <summary>At the first message of the last batch.</summary>
    Last = 2,

    /// <summary>At an offset, or the nearest that is kept.</summary>
    Offset = 3,

    /// <summary>At the first message at or after a time.</summary>
    Time = 4,
}

/// <summary>Where a consumer begins to read: only where the queue keeps what was read.</summary>
/// <param name="Origin">What is meant.</param>
/// <param name="Value">The offset, or the time in milliseconds since 1970.</param>
public readonly record struct ReadFrom(ReadOrigin Origin, long Value = 0);

namespace Dragoman.Storage.Log;

/// <summary>Where the messages of a log live. Fixed when the log is created.</summary>
public enum LogKind : byte
{
    /// <summary>In the journal and its segments.</summary>
    Durable = 0,

    /// <summary>In bounded memory, spilling to scratch files; empty after a restart, with offsets going on.</summary>
    Memory = 1,
}

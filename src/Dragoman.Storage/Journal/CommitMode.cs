namespace Dragoman.Storage.Journal;

/// <summary>What an acknowledgement means. Ordered: a commit takes its strongest mode.</summary>
public enum CommitMode : byte
{
    /// <summary>Held in bounded memory, spilling to scratch files. Gone with the process; nothing durable refers to it.</summary>
    Memory = 0,

    /// <summary>Handed to the operating system. Survives the process, not power loss.</summary>
    Written = 1,

    /// <summary>On disk. Survives power loss. The default.</summary>
    Fsync = 2,
}

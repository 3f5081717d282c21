using Dragoman.Redis.Commands;
using Dragoman.Redis.Keys;
using Dragoman.Redis.Wire;

namespace Dragoman.Redis.Sessions;

/// <summary>Commands between MULTI and EXEC, and the keys that must not change before.</summary>
internal sealed class QueuedCommands
{
    /// <summary>The commands, in order.</summary>
    public List<(Command Command, Request Request)> Commands { get; } = [];

    /// <summary>Whether MULTI was said.</summary>
    public bool IsOpen { get; set; }

    /// <summary>Whether a command was refused when it was queued, so that none will run.</summary>
    public bool IsSpoiled { get; set; }

    /// <summary>Bytes of the commands.</summary>
    public long Bytes { get; set; }

    /// <summary>The watched keys, and which version of each was seen.</summary>
    public List<(Database Database, byte[] Key, long Version)> Watched { get; } = [];

    /// <summary>Forgets the commands and what was watched.</summary>
    public void Clear()
    {
        Commands.Clear();
        Watched.Clear();
        IsOpen = false;
        IsSpoiled = false;
        Bytes = 0;
    }
}

namespace Dragoman.Storage.Journal;

/// <summary>What the journal has done since the store was opened. Counted by the commit loop; read by anybody.</summary>
public sealed class JournalCounters
{
    private long _rounds;
    private long _bytes;
    private long _syncs;

    /// <summary>Rounds written: each is one write, of all commits that had gathered.</summary>
    public long Rounds => Volatile.Read(ref _rounds);

    /// <summary>Bytes of them, padding included.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Times that the active file was made durable.</summary>
    public long Syncs => Volatile.Read(ref _syncs);

    internal void OnRound(int bytes)
    {
        Volatile.Write(ref _rounds, _rounds + 1);
        Volatile.Write(ref _bytes, _bytes + bytes);
    }

    internal void OnSync() => Volatile.Write(ref _syncs, _syncs + 1);
}

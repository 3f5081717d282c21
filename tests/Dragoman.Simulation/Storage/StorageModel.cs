using Dragoman.Storage.Journal;
using Dragoman.Storage.Records;

namespace Dragoman.Simulation.Storage;

/// <summary>
/// What a store should hold: every commit in the order in which it was handed over. After a crash, a prefix of that
/// order must be there, and all that was acknowledged must be in it.
/// </summary>
internal sealed class StorageModel
{
    public sealed class Log(long id)
    {
        public long Id { get; } = id;

        /// <summary>Batches by base offset, as sent.</summary>
        public SortedList<long, Batch> Batches { get; } = [];

        public long End { get; set; }

        /// <summary>The highest start that was acknowledged, and the highest that was asked for.</summary>
        public long AcknowledgedStart { get; set; }

        public long RequestedStart { get; set; }

        public bool IsDeleted { get; set; }

        /// <summary>Whether only the newest record of each key has to stay.</summary>
        public bool IsCompacted { get; init; }

        /// <summary>Whether a producer has a transaction of which no end was appended.</summary>
        public bool HasOpenTransaction(long producer)
        {
            var open = false;
            foreach (var batch in Batches.Values)
                if (batch.Producer == producer) open = batch.Marker is null;
            return open;
        }
    }

    /// <summary>A batch: what it is without the two fields that the store fills in.</summary>
    public sealed record Batch(long BaseOffset, int Records, byte[] Bytes, Commit Commit)
    {
        /// <summary>The transactional producer, or -1.</summary>
        public long Producer { get; init; } = -1;

        /// <summary>Which end of a transaction it is, if it is one.</summary>
        public ControlRecordType? Marker { get; init; }
    }

    public sealed class Commit(int number, CommitMode mode)
    {
        public int Number { get; } = number;

        public CommitMode Mode { get; } = mode;

        public bool Acknowledged { get; set; }

        public List<(Log Log, Batch Batch)> Batches { get; } = [];

        public List<Log> Created { get; } = [];

        public List<Log> Deleted { get; } = [];

        public bool HasEvent { get; set; }
    }

    private int _lastNumber;

    public Dictionary<long, Log> Logs { get; } = [];

    public List<Commit> Commits { get; } = [];

    /// <summary>Events of commits that were taken off <see cref="Commits"/> because they are certain.</summary>
    public List<int> SettledEvents { get; } = [];

    public Commit NewCommit(CommitMode mode) => new(++_lastNumber, mode);

    public List<Log> Live => [.. Logs.Values.Where(l => !l.IsDeleted)];

    /// <summary>
    /// Settles what a crash has left: commits up to the cut are certain from now on, those behind it never happened.
    /// </summary>
    public void CutAfter(int index)
    {
        foreach (var lost in Commits.Skip(index + 1).Reverse())
        {
            foreach (var (log, batch) in lost.Batches)
            {
                log.Batches.Remove(batch.BaseOffset);
                log.End = Math.Min(log.End, batch.BaseOffset);
            }
            foreach (var log in lost.Deleted) log.IsDeleted = false;
            foreach (var log in lost.Created) Logs.Remove(log.Id);
        }
        foreach (var kept in Commits.Take(index + 1))
            if (kept.HasEvent) SettledEvents.Add(kept.Number);
        Commits.Clear();
    }
}

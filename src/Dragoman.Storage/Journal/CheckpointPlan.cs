using System.Buffers;
using Dragoman.Storage.Log;
using Dragoman.Storage.Log.Compaction;
using Dragoman.Storage.Platform;

namespace Dragoman.Storage.Journal;

/// <summary>
/// What a checkpoint does with each log: which of its chunks stay, which are copied, and whether into a segment of its
/// own or into the shared one.
/// </summary>
internal sealed class CheckpointPlan
{
    private const long MaxRegionBytes = 1L << 30;

    private readonly List<LogPlan> _logs = [];
    private readonly HashSet<JournalFile> _adopted = [];
    private readonly HashSet<StoreFile> _rewritten = [];
    private bool _frugal;

    /// <summary>One log's part of the plan.</summary>
    public sealed class LogPlan
    {
        public required PartitionLog Log { get; init; }

        public required long Start { get; init; }

        public required long End { get; init; }

        public required bool IsDeleted { get; init; }

        public required IReadOnlyList<(int Epoch, long StartOffset)> Epochs { get; init; }

        public required long ReservedOffsets { get; init; }

        public required long ProducersIncludeUpTo { get; init; }

        public required ReadOnlyMemory<byte> Producers { get; init; }

        /// <summary>Chunks that the checkpoint answers for, oldest first: those in segments and those in its journal files.</summary>
        public required List<Chunk> Before { get; init; }

        /// <summary>The same, with what compaction has made of the oldest.</summary>
        public required List<Chunk> Current { get; init; }

        /// <summary>What compaction has made of the oldest chunks, if it has.</summary>
        public required Replacement? Replacement { get; init; }

        public required long CleanUpTo { get; init; }

        /// <summary>Whether compaction is reading the chunks that lie in segments: they stay where they are.</summary>
        public required bool IsHeld { get; init; }

        /// <summary>The oldest chunks, which stay as they are.</summary>
        public List<Chunk> Kept { get; } = [];

        /// <summary>What becomes of the others, in order.</summary>
        public List<Step> Steps { get; } = [];

        /// <summary>The chunks once all steps are done.</summary>
        public List<Chunk> After
        {
            get
            {
                var after = new List<Chunk>(Kept);
                foreach (var step in Steps) after.Add(step.Result ?? throw new InvariantViolatedException("every step has its result"));
                return after;
            }
        }
    }

    /// <summary>A run of chunks that is copied into one region, or one chunk whose journal file becomes a segment.</summary>
    public sealed class Step
    {
        public List<Chunk> Copied { get; } = [];

        public JournalChunk? Adopt { get; init; }

        public long Bytes { get; set; }

        public Chunk? Result { get; set; }
    }

    public IReadOnlyList<LogPlan> Logs => _logs;

    public List<PartitionLog> DeletedLogs { get; } = [];

    public bool IsAdopted(JournalFile file) => _adopted.Contains(file);

    /// <summary>Makes a plan.</summary>
    /// <param name="logs">All logs.</param>
    /// <param name="files">The sealed journal files that are to go, the oldest first.</param>
    /// <param name="nextFile">The journal file behind them.</param>
    /// <param name="options">Sizes.</param>
    /// <param name="replacements">What compaction has made of logs.</param>
    /// <param name="frugal">Whether segments stay as they are unless nothing in them lives: rewriting needs room.</param>
    public static CheckpointPlan Make(
        ICollection<PartitionLog> logs, IReadOnlyList<JournalFile> files, long nextFile, StoreOptions options, IReadOnlyDictionary<PartitionLog, Replacement> replacements, bool frugal)
    {
        var plan = new CheckpointPlan { _frugal = frugal };
        var sealedFiles = new HashSet<BatchFile>(files);
        var sorted = new List<PartitionLog>(logs);
        sorted.Sort(static (a, b) => a.Id.CompareTo(b.Id));
        foreach (var log in sorted) plan.Collect(log, sealedFiles, nextFile, replacements.GetValueOrDefault(log));
        if (!frugal) plan.ChooseRewrites();
        foreach (var log in plan._logs) plan.Decide(log, options);
        return plan;
    }

    private void Collect(PartitionLog log, HashSet<BatchFile> files, long nextFile, Replacement? replacement)
    {
        lock (log.Lock)
        {
            if (log.IsDeleted && log.DeletedInFile >= 0 && log.DeletedInFile < nextFile)
            {
                DeletedLogs.Add(log);
                return;
            }
            var before = new List<Chunk>();
            var end = log.PlacedEnd;
            foreach (var chunk in log.Chunks)
            {
                if (chunk is JournalChunk inJournal && !files.Contains(inJournal.File))
                {
                    end = inJournal.BaseOffset;
                    break;
                }
                before.Add(chunk);
                Invariant.Check(chunk.TryAcquire(), "a file outlives the chunks that lie in it");
            }
            var current = replacement?.Apply(before) ?? before;
            if (ReferenceEquals(current, before)) replacement = null;
            var producers = new ArrayBufferWriter<byte>();
            if (log.ProducersOrNull is { IsEmpty: false } table) table.WriteSnapshot(producers, replacement?.DroppedMarkers);
            // Changes that are enqueued count although they may not be complete: their entries may be in the files that
            // go. They are on disk before the manifest is; but for a start beyond what the files hold, which is further
            // on in the journal and may never get there.
            var isMemory = log.Kind == LogKind.Memory;
            _logs.Add(new LogPlan
            {
                Log = log,
                Start = isMemory ? 0 : Math.Min(log.PendingStart, end),
                End = log.IsBeingDeleted || isMemory ? 0 : end,
                IsDeleted = log.IsBeingDeleted,
                Epochs = [.. log.Epochs.All],
                ReservedOffsets = Math.Max(log.ReservedOffsets, log.PendingReservation),
                ProducersIncludeUpTo = log.ProducersIncludeUpTo,
                Producers = isMemory || log.IsBeingDeleted ? default : producers.WrittenMemory,
                Before = before,
                Current = current,
                Replacement = replacement,
                CleanUpTo = replacement?.CleanUpTo ?? log.CleanUpTo,
                IsHeld = log.IsBeingCompacted && replacement is null,
            });
        }
    }

    /// <summary>Shared segments of which less than half still lives are written anew.</summary>
    private void ChooseRewrites()
    {
        var live = new Dictionary<StoreFile, (long Live, int Regions)>();
        var held = new HashSet<StoreFile>();
        foreach (var log in _logs)
        {
            foreach (var chunk in log.Current)
            {
                if (chunk is not SegmentChunk segment) continue;
                if (log.IsHeld) held.Add(segment.File);
                var known = live.GetValueOrDefault(segment.File);
                live[segment.File] = (known.Live + (segment.EndOffset > log.Start ? segment.BytesFrom(log.Start) : 0), known.Regions + 1);
            }
        }
        foreach (var (file, (bytes, regions)) in live)
            if (regions > 1 && bytes > 0 && bytes * 2 < file.DataLength && !held.Contains(file)) _rewritten.Add(file);
    }

    private void Decide(LogPlan plan, StoreOptions options)
    {
        var live = plan.Current.FindAll(c => c.EndOffset > plan.Start);
        if (plan.Log.Kind == LogKind.Memory || plan.IsDeleted || live.Count == 0) return;

        var copyFrom = live.FindIndex(c => c is JournalChunk || (c is SegmentChunk s && _rewritten.Contains(s.File)));
        // A log's small shares in shared segments are gathered once there are enough of them.
        var smallBytes = 0L;
        var first = live.Count;
        while (first > 0 && (live[first - 1] is JournalChunk || (!plan.IsHeld && live[first - 1] is SegmentChunk s && s.DataBytes < options.OwnSegmentBytes)))
            smallBytes += live[--first].BytesFrom(plan.Start);
        if (!_frugal && smallBytes >= options.PromoteBytes && first < live.Count - 1) copyFrom = copyFrom < 0 ? first : Math.Min(copyFrom, first);
        if (copyFrom < 0)
        {
            plan.Kept.AddRange(live);
            return;
        }

        plan.Kept.AddRange(live.GetRange(0, copyFrom));
        Step? run = null;
        foreach (var chunk in live.GetRange(copyFrom, live.Count - copyFrom))
        {
            // Two logs may share most of a file's bodies; it becomes the segment of one of them.
            if (CanAdopt(chunk, plan.Start) is { } adopted && _adopted.Add((JournalFile)adopted.File))
            {
                plan.Steps.Add(new Step { Adopt = adopted });
                run = null;
                continue;
            }
            // An index counts offsets from its region's first in 31 bits, and compaction leaves wide gaps.
            if (run is null || run.Bytes + chunk.DataBytes > MaxRegionBytes || chunk.EndOffset - run.Copied[0].BaseOffset > int.MaxValue)
                plan.Steps.Add(run = new Step());
            run.Copied.Add(chunk);
            run.Bytes += chunk.BytesFrom(plan.Start);
        }
    }

    private static JournalChunk? CanAdopt(Chunk chunk, long start) =>
        chunk is JournalChunk { File: JournalFile file, HasScattered: false } inJournal
        && inJournal.BytesFrom(start) * 10 >= (long)file.Length * 9 ? inJournal : null;

    /// <summary>The logs as the new manifest describes them.</summary>
    public List<ManifestLog> ManifestLogs()
    {
        var logs = new List<ManifestLog>(_logs.Count);
        foreach (var plan in _logs)
        {
            var chunks = new List<ManifestChunk>();
            foreach (var chunk in plan.After)
            {
                chunks.Add(chunk switch
                {
                    SegmentChunk s => new ManifestChunk.InSegment(s.File.Number, s.Region),
                    AdoptedChunk a => new ManifestChunk.InAdopted(a.JournalFile.Number, a.JournalFile.Epoch, a.JournalFile.Length, a.Region),
                    _ => throw new InvariantViolatedException("a checkpoint leaves nothing in the journal"),
                });
            }
            logs.Add(new ManifestLog(plan.Log.Id, plan.Log.Kind, plan.IsDeleted, plan.Start, plan.End, plan.ReservedOffsets, plan.Epochs, chunks, plan.ProducersIncludeUpTo, plan.Producers, plan.CleanUpTo));
        }
        return logs;
    }

    /// <summary>The files outside the journal that are in use once the plan is carried out.</summary>
    public HashSet<StoreFile> Files()
    {
        var files = new HashSet<StoreFile>();
        foreach (var plan in _logs)
        {
            foreach (var chunk in plan.After)
            {
                if (chunk is SegmentChunk segment)
                {
                    files.Add(segment.File);
                }
                else if (chunk is AdoptedChunk adopted)
                {
                    files.Add(adopted.JournalFile.File);
                    files.Add(adopted.IndexFile);
                }
            }
        }
        return files;
    }

    /// <summary>Readers find the batches in their new places from here on.</summary>
    public void Switch()
    {
        foreach (var plan in _logs) plan.Log.Replace(plan.Before, plan.After, plan.Replacement);
    }

    /// <summary>Ends the hold on the chunks that were there before.</summary>
    public void Release()
    {
        foreach (var plan in _logs)
            foreach (var chunk in plan.Before) chunk.Release();
    }
}

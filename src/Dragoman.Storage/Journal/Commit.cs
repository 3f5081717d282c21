using System.Buffers;
using System.Threading.Tasks.Sources;
using Dragoman.Storage.Log;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Storage.Journal;

/// <summary>
/// A set of changes to logs and states of one owner that becomes durable, and visible, all or not at all.
/// </summary>
/// <remarks>
/// Obtained from <c>Store.BeginAsync</c>, filled and handed to <c>Store.Enqueue</c> under the locks of
/// all that it changes, taken in the order of their ids; then awaited, after which the object belongs to the store again.
/// </remarks>
public sealed class Commit : IValueTaskSource
{
    private readonly Store _store;
    private ManualResetValueTaskSourceCore<bool> _completion = new() { RunContinuationsAsynchronously = true };
    private readonly ArrayBufferWriter<byte> _events = new(256);
    private Entry[] _entries = new Entry[2];
    private List<(StateLog State, bool IsDeletion)>? _changedStates;

    internal struct Entry
    {
        public EntryKind Kind;
        public long Id;
        public long Offset;
        public int LastOffsetDelta;
        public int ReferencedEntry;
        public int EventStart;
        public int PayloadLength;
        public long MaxTimestamp;
        public ReadOnlyMemory<byte> Payload;
        public PartitionLog? Log;
    }

    internal Commit(Store store) => _store = store;

    internal int Count { get; private set; }

    internal Span<Entry> Entries => _entries.AsSpan(0, Count);

    /// <summary>The states that it creates or deletes, in the order of their ids.</summary>
    internal List<(StateLog State, bool IsDeletion)> ChangedStates => _changedStates ??= [];

    internal bool HasChangedStates => _changedStates is { Count: > 0 };

    internal long Sequence { get; set; }

    /// <summary>What its completion means at least.</summary>
    public CommitMode Mode { get; internal set; }

    internal long Reserved { get; set; }

    /// <summary>The journal file that it was written to.</summary>
    internal long JournalFile { get; set; } = -1;

    /// <summary>The journal file that is to be sealed behind it, or -1.</summary>
    internal long Seals { get; set; } = -1;

    /// <summary>Whether it was admitted to memory rather than to the journal.</summary>
    internal bool IsOfMemory { get; set; }

    /// <summary>Bytes of the entries as the journal stores them, without the commit's own header.</summary>
    internal long BodySize { get; private set; }

    /// <summary>
    /// Whether it changes what a checkpoint takes a snapshot of: states, producers, which logs there are. Plain batches,
    /// and the starts that retention moves, do not.
    /// </summary>
    internal bool ChangesSnapshots { get; set; }

    /// <summary>Whether it moves the start of a log.</summary>
    internal bool MovesStarts { get; private set; }

    internal bool IsEnqueued { get; set; }

    internal ReadOnlySpan<byte> PayloadOf(in Entry entry) =>
        entry.Kind == EntryKind.Event ? _events.WrittenSpan.Slice(entry.EventStart, entry.PayloadLength) : entry.Payload.Span;

    /// <summary>Adds an event of a state machine. It must have been applied, or be applied before the lock is released.</summary>
    internal void AddEvent(long stateId, ReadOnlySpan<byte> bytes)
    {
        var start = _events.WrittenCount;
        _events.Write(bytes);
        Add(new Entry { Kind = EntryKind.Event, Id = stateId, EventStart = start, PayloadLength = bytes.Length });
    }

    internal int Add(in Entry entry)
    {
        Invariant.Check(!IsEnqueued, "a commit is complete when it is enqueued");
        if (Count == _entries.Length) Array.Resize(ref _entries, Count * 2);
        _entries[Count] = entry;
        BodySize += EntryFormat.EntryHeaderSize + entry.PayloadLength;
        MovesStarts |= entry.Kind == EntryKind.AdvanceStart;
        ChangesSnapshots |= entry.Kind is not (EntryKind.Append or EntryKind.AppendReference or EntryKind.AdvanceStart);
        return Count++;
    }

    internal ValueTask Completion => new(this, _completion.Version);

    internal void Succeed() => _completion.SetResult(true);

    internal void Fail(Exception error) => _completion.SetException(error);

    internal void Reset()
    {
        Entries.Clear();
        Count = 0;
        BodySize = 0;
        Sequence = 0;
        Mode = CommitMode.Memory;
        Reserved = 0;
        JournalFile = -1;
        Seals = -1;
        IsEnqueued = false;
        ChangesSnapshots = false;
        MovesStarts = false;
        _events.ResetWrittenCount();
        _changedStates?.Clear();
        _completion.Reset();
    }

    void IValueTaskSource.GetResult(short token)
    {
        try
        {
            _completion.GetResult(token);
        }
        finally
        {
            _store.Recycle(this);
        }
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _completion.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _completion.OnCompleted(continuation, state, token, flags);
}

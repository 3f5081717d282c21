using Dragoman.Broker.Messages;
using Dragoman.Broker.Subscriptions;
using Dragoman.Storage;
using Dragoman.Storage.Journal;

namespace Dragoman.Broker.Queues;

/// <summary>
/// One commit that appends batches to queues, each body once however many queues it goes to, and that settles what has
/// left another queue for them. All of its queues keep their messages on disk, or all in memory.
/// </summary>
internal sealed class QueueCommit(Store store)
{
    private readonly List<Section> _sections = [];
    private readonly List<Subscription> _subscriptions = [];
    private readonly List<MessageBatch> _selected = [];
    private long _bytes;

    /// <summary>Messages that go to the same queues.</summary>
    private sealed record Section(MessageBatch Batch, IReadOnlyList<LocalQueue> Queues);

    /// <summary>How many messages, counted from the first, all queues took, over all sections.</summary>
    public int Accepted { get; private set; }

    /// <summary>Offset of the first message in the first queue, or -1.</summary>
    public long BaseOffset { get; private set; } = -1;

    /// <summary>The messages of the first queue that were there already.</summary>
    public IReadOnlyList<(int Index, long Offset)>? Duplicates { get; private set; }

    /// <summary>The queues that refused messages, and from which one on.</summary>
    public List<(LocalQueue Queue, int From)> Refusals { get; } = [];

    /// <summary>Adds a batch for some queues. The batch stays its owner's.</summary>
    public void Add(MessageBatch batch, IReadOnlyList<LocalQueue> queues)
    {
        _sections.Add(new Section(batch, queues));
        // Copies with fewer messages may have to be made for queues that do not take all.
        _bytes += batch.Bytes * (long)(1 + queues.Count(static q => q.MaySelect)) + 64 * queues.Count + batch.Special.Count * 32L * queues.Count;
        foreach (var queue in queues)
            if (!_subscriptions.Contains(queue.Subscription)) _subscriptions.Add(queue.Subscription);
    }

    /// <summary>Commits; the task completes when that is what the mode says.</summary>
    /// <param name="mode">What its completion means.</param>
    /// <param name="begin">Begins a commit of a size.</param>
    /// <param name="source">The subscription that messages have left, if any, or null.</param>
    /// <param name="departed">The messages that have left it.</param>
    public async ValueTask RunAsync(CommitMode mode, Func<CommitMode, long, ValueTask<(Commit Commit, IDisposable? Turn)>> begin, Subscription? source = null, IReadOnlyList<(Departure, bool)>? departed = null)
    {
        if (source is not null && !_subscriptions.Contains(source)) _subscriptions.Add(source);
        if (_subscriptions.Count == 0) return;
        ValueTask committed;
        while (true)
        {
            var bytes = _bytes + 64 + (source is null ? 0 : source.PendingBytes + 24L * departed!.Count);
            var (commit, turn) = await begin(mode, bytes);
            try
            {
                if (Enqueue(commit, bytes, source, departed, out committed)) break;
            }
            finally
            {
                turn?.Dispose();
            }
        }
        try
        {
            await committed;
        }
        finally
        {
            foreach (var batch in _selected) batch.Dispose();
            _selected.Clear();
        }
    }

    private bool Enqueue(Commit commit, long bytes, Subscription? source, IReadOnlyList<(Departure, bool)>? departed, out ValueTask committed)
    {
        committed = default;
        var gates = 0;
        var logs = 0;
        try
        {
            _subscriptions.Sort(static (a, b) => a.GateOrder.CompareTo(b.GateOrder));
            for (; gates < _subscriptions.Count; gates++) _subscriptions[gates].Gate.Enter();
            if (source is not null && source.PendingBytes / 2 + 24L * departed!.Count + _bytes > bytes)
            {
                store.Abandon(commit);
                return false;
            }
            if (source is { IsDeleted: true })
            {
                store.Abandon(commit);
                return true;
            }
            if (source is not null)
            {
                source.Departed(departed!);
                source.EmitPending(commit);
            }
            _subscriptions.Sort(static (a, b) => a.Log.Id.CompareTo(b.Log.Id));
            for (; logs < _subscriptions.Count; logs++) _subscriptions[logs].Log.Lock.Enter();
            Append(commit);
            source?.Truncate(commit);
            committed = store.Enqueue(commit);
            return true;
        }
        finally
        {
            for (var i = 0; i < logs; i++) _subscriptions[i].Log.Lock.Exit();
            if (logs > 0) _subscriptions.Sort(static (a, b) => a.GateOrder.CompareTo(b.GateOrder));
            for (var i = 0; i < gates; i++) _subscriptions[i].Gate.Exit();
        }
    }

    private void Append(Commit commit)
    {
        var now = store.Time.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var (batch, queues) in _sections)
        {
            var body = -1;
            var accepted = batch.Count;
            var isFirst = true;
            foreach (var queue in queues)
            {
                var subscription = queue.Subscription;
                if (queue.IsDeleted || subscription.IsDeleted || subscription.Log.IsBeingDeleted)
                {
                    continue;
                }
                var selected = subscription.Admit(batch, now, out var taken, out var duplicates);
                accepted = Math.Min(accepted, taken);
                if (taken < batch.Count) Refusals.Add((queue, taken));
                if (isFirst) Duplicates = duplicates;
                if (selected is not null)
                {
                    var bytes = selected.Build();
                    long offset;
                    if (ReferenceEquals(selected, batch))
                    {
                        offset = subscription.Log.AppendShared(commit, bytes, ref body);
                    }
                    else
                    {
                        _selected.Add(selected);
                        offset = subscription.Log.Append(commit, bytes);
                    }
                    subscription.Arrived(commit, offset, selected, now);
                    if (isFirst && BaseOffset < 0) BaseOffset = offset;
                }
                isFirst = false;
            }
            Accepted += accepted;
        }
    }
}

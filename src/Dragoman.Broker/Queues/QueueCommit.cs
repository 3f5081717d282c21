using Dragoman.Broker.Messages;
using Dragoman.Broker.Statistics;
using Dragoman.Broker.Topics;
using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;

namespace Dragoman.Broker.Queues;

/// <summary>
/// One commit that appends batches to queues, each body once however many queues it goes to, and to partitions of topics;
/// and that says what has left another place for them. All of its targets keep their messages on disk, or all in memory.
/// </summary>
internal sealed class QueueCommit(Store store)
{
    private readonly List<Section> _sections = [];
    private readonly List<(MessageBatch Batch, LocalPartition Partition)> _appends = [];
    private readonly List<(Lock Gate, long Order)> _gates = [];
    private readonly List<PartitionLog> _logs = [];
    private readonly List<MessageBatch> _selected = [];
    private long _bytes;

    /// <summary>Messages that go to the same queues.</summary>
    /// <param name="Batch">The messages.</param>
    /// <param name="Queues">The queues.</param>
    /// <param name="IsTogether">Whether a message goes to all of them or to none, those apart that pass on what they refuse.</param>
    private sealed record Section(MessageBatch Batch, IReadOnlyList<LocalQueue> Queues, bool IsTogether);

    /// <summary>Whether nothing was added.</summary>
    public bool IsEmpty => _sections.Count == 0 && _appends.Count == 0;

    /// <summary>How many messages, counted from the first, all queues took, over all sections.</summary>
    public int Accepted { get; private set; }

    /// <summary>Offset of the first message in the first queue, or -1.</summary>
    public long BaseOffset { get; private set; } = -1;

    /// <summary>The messages of the first queue that were there already.</summary>
    public IReadOnlyList<(int Index, long Offset)>? Duplicates { get; private set; }

    /// <summary>The queues that refused messages of a batch, and from which one on.</summary>
    public List<(MessageBatch Batch, LocalQueue Queue, int From)> Refusals { get; } = [];

    /// <summary>The queues that were gone.</summary>
    public List<(MessageBatch Batch, LocalQueue Queue)> Missing { get; } = [];

    /// <summary>Whether a queue that a message was for has it, or passes it on because it is full.</summary>
    public bool IsTaken(MessageBatch batch, int index, LocalQueue queue)
    {
        if (Missing.Contains((batch, queue))) return false;
        foreach (var (refused, by, from) in Refusals)
            if (refused == batch && by == queue && index >= from) return queue.PassesOn;
        return true;
    }

    /// <summary>Adds a batch for some queues. The batch stays its owner's.</summary>
    /// <param name="batch">The messages.</param>
    /// <param name="queues">The queues.</param>
    /// <param name="together">Whether those that one of the queues does not take stay away from the others, too.</param>
    public void Add(MessageBatch batch, IReadOnlyList<LocalQueue> queues, bool together = false)
    {
        // What a route makes of messages may be nothing.
        if (batch.Count == 0) return;
        _sections.Add(new Section(batch, queues, together));
        // Copies with fewer messages may have to be made for queues that do not take all.
        _bytes += batch.Bytes * (long)(1 + queues.Count(static q => q.MaySelect)) + 64 * queues.Count + batch.Special.Count * 32L * queues.Count;
        foreach (var queue in queues) Touch(queue.Subscription.Gate, queue.Subscription.GateOrder, queue.Subscription.Log);
    }

    /// <summary>Adds a batch for a partition. The batch stays its owner's.</summary>
    public void Add(MessageBatch batch, LocalPartition partition)
    {
        _appends.Add((batch, partition));
        _bytes += batch.Bytes + 64;
        if (!_logs.Contains(partition.Log)) _logs.Add(partition.Log);
    }

    /// <summary>Commits; the task completes when that is what the mode says.</summary>
    /// <param name="mode">What its completion means.</param>
    /// <param name="begin">Begins a commit of a size.</param>
    /// <param name="source">Where the messages come from, or null.</param>
    public async ValueTask RunAsync(CommitMode mode, Func<CommitMode, long, ValueTask<(Commit Commit, IDisposable? Turn)>> begin, ICommitSource? source = null)
    {
        if (source is not null) Touch(source.Gate, source.GateOrder, source.Log);
        if (_gates.Count == 0 && _logs.Count == 0) return;
        foreach (var (batch, partition) in _appends) await partition.ReserveAsync(batch.Count);
        ValueTask committed;
        while (true)
        {
            var bytes = _bytes + 64 + (source?.BytesWanted ?? 0);
            var (commit, turn) = await begin(mode, bytes);
            try
            {
                if (Enqueue(commit, bytes, source, out committed)) break;
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

    private void Touch(Lock gate, long order, PartitionLog? log)
    {
        if (!_gates.Exists(g => g.Order == order)) _gates.Add((gate, order));
        if (log is not null && !_logs.Contains(log)) _logs.Add(log);
    }

    private bool Enqueue(Commit commit, long bytes, ICommitSource? source, out ValueTask committed)
    {
        committed = default;
        _gates.Sort(static (a, b) => a.Order.CompareTo(b.Order));
        _logs.Sort(static (a, b) => a.Id.CompareTo(b.Id));
        var gates = 0;
        var logs = 0;
        try
        {
            for (; gates < _gates.Count; gates++) _gates[gates].Gate.Enter();
            if (source is not null && source.BytesNeeded + _bytes > bytes)
            {
                store.Abandon(commit);
                return false;
            }
            if (source is { IsGone: true })
            {
                store.Abandon(commit);
                return true;
            }
            for (; logs < _logs.Count; logs++) _logs[logs].Lock.Enter();
            Append(commit);
            AppendToPartitions(commit);
            source?.Emit(commit);
            source?.ChangeLog(commit);
            committed = store.Enqueue(commit);
            return true;
        }
        finally
        {
            for (var i = 0; i < logs; i++) _logs[i].Lock.Exit();
            for (var i = 0; i < gates; i++) _gates[i].Gate.Exit();
        }
    }

    private void AppendToPartitions(Commit commit)
    {
        foreach (var (batch, partition) in _appends)
        {
            if (partition.IsGone) continue;
            partition.Log.Append(commit, partition.Stamp(batch.Build()));
            partition.Count(batch.Count);
        }
    }

    private void Append(Commit commit)
    {
        var now = store.Time.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var section in _sections)
        {
            var (batch, queues, _) = section;
            var body = -1;
            var accepted = batch.Count;
            var isFirst = section == _sections[0];
            var common = section.IsTogether ? Limit(batch, queues, now) : batch;
            if (common is null) continue;
            foreach (var queue in queues)
            {
                var subscription = queue.Subscription;
                if (queue.IsDeleted || subscription.IsDeleted || subscription.Log.IsBeingDeleted)
                {
                    Missing.Add((batch, queue));
                    continue;
                }
                var selected = subscription.Admit(common, now, out var taken, out var duplicates);
                accepted = Math.Min(accepted, taken);
                if (taken < common.Count) Refusals.Add((batch, queue, taken));
                if (isFirst) Duplicates = duplicates;
                if (selected is not null)
                {
                    var bytes = selected.Build();
                    long offset;
                    if (ReferenceEquals(selected, common))
                    {
                        offset = subscription.Log.AppendShared(commit, bytes, ref body);
                    }
                    else
                    {
                        _selected.Add(selected);
                        offset = subscription.Log.Append(commit, bytes);
                    }
                    subscription.Arrived(commit, offset, selected, now);
                    queue.Counters.AddAlone(MessageCounter.Publish, selected.Count);
                    if (isFirst && BaseOffset < 0) BaseOffset = offset;
                }
                isFirst = false;
            }
            Accepted += accepted;
        }
    }

    /// <summary>
    /// The messages of a batch, from the first on, that all of some queues take; what is not among them counts as refused by
    /// all. Null for none.
    /// </summary>
    private MessageBatch? Limit(MessageBatch batch, IReadOnlyList<LocalQueue> queues, long now)
    {
        var limit = batch.Count;
        foreach (var queue in queues)
        {
            var subscription = queue.Subscription;
            if (queue.IsDeleted || subscription.IsDeleted || subscription.Log.IsBeingDeleted)
            {
                Missing.Add((batch, queue));
                limit = 0;
                break;
            }
            if (queue.PassesOn) continue;
            var selected = subscription.Admit(batch, now, out var taken, out _);
            if (selected is not null && !ReferenceEquals(selected, batch)) selected.Dispose();
            limit = Math.Min(limit, taken);
        }
        if (limit == batch.Count) return batch;
        foreach (var queue in queues)
            if (!queue.PassesOn) Refusals.Add((batch, queue, limit));
        if (limit == 0) return null;
        var common = batch.Select(index => index < limit);
        _selected.Add(common);
        return common;
    }
}

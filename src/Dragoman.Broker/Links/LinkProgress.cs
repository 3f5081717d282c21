using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing.Rules;
using Dragoman.Broker.Subscriptions;
using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Links;

/// <inheritdoc cref="ILinkProgress"/>
internal sealed class LinkProgress(Store store, StateLog state, Queues.Queues queues) : ILinkProgress
{
    private readonly LinkRegistry _registry = (LinkRegistry)state.Machine;

    public LinkMemory Find(string link)
    {
        lock (state.Lock)
        {
            return _registry.Links.TryGetValue(link, out var entry) ? new LinkMemory(entry.Taken, entry.Confirmed, entry.Window(), entry.Position) : new LinkMemory(0, 0, [], -1);
        }
    }

    public IReadOnlyList<string> List()
    {
        lock (state.Lock) return [.. _registry.Links.Keys];
    }

    public async ValueTask<PublishSetAnswer> PublishAsync(string link, PublishSet batch, long confirmed, HeldMessages? held, IReadOnlyList<long>? positions, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(link);
        ArgumentNullException.ThrowIfNull(batch);
        var (onDisk, inMemory) = (new QueueCommit(store), new QueueCommit(store));
        using var ruled = new RuledBatches(queues);
        batch.Fill(onDisk, inMemory, ruled, store.Time.GetUtcNow().ToUnixTimeMilliseconds(), out var mode);
        var refused = new SortedSet<int>();
        try
        {
            // What is in memory is lost in a crash anyway, so it comes first: what is remembered is there.
            if (!inMemory.IsEmpty) await inMemory.RunAsync(CommitMode.Memory, (m, bytes) => queues.BeginAsync(m, bytes, cancellation));
            batch.AddRefused(inMemory, refused);
            var leaving = held is null ? null : new HeldSource(held, () => Refused(batch, onDisk, refused));
            if (leaving is { IsVolatile: true })
            {
                if (!onDisk.IsEmpty) await onDisk.RunAsync(mode, (m, bytes) => queues.BeginAsync(m, bytes, cancellation));
                await leaving.LeaveAsync();
            }
            else if (leaving is not null)
            {
                if (leaving.CommitMode > mode) mode = leaving.CommitMode;
                await onDisk.RunAsync(mode, (m, bytes) => queues.BeginAsync(m, bytes, cancellation), leaving);
                if (leaving.WasGone) return new PublishSetAnswer(QueueStatus.Moved, null, "Somebody else has taken the messages meanwhile.");
                leaving.Continue();
            }
            else
            {
                var took = new TookSource(state, link, batch.Fingerprints, confirmed, positions, () => Refused(batch, onDisk, refused));
                await onDisk.RunAsync(mode, (m, bytes) => queues.BeginAsync(m, bytes, cancellation), took);
            }
        }
        catch (StorageFullException full)
        {
            return new PublishSetAnswer(QueueStatus.Full, null, full.Message);
        }
        catch (StoreFailedException failed)
        {
            return new PublishSetAnswer(QueueStatus.StorageError, null, failed.Message);
        }
        await queues.PassOnRefusedAsync(ruled, inMemory, onDisk);
        return new PublishSetAnswer(QueueStatus.Ok, refused.Count > 0 ? [.. refused] : null);
    }

    private static SortedSet<int> Refused(PublishSet batch, QueueCommit onDisk, SortedSet<int> refused)
    {
        batch.AddRefused(onDisk, refused);
        return refused;
    }

    public ValueTask<PublishSetAnswer> RememberAsync(string link, ReadOnlyMemory<ulong> fingerprints, long confirmed, long position, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(link);
        var evt = LinkRegistry.Took(link, confirmed, fingerprints.Span, position);
        return ExecuteAsync(evt, cancellation);
    }

    public ValueTask<PublishSetAnswer> ForgetAsync(string link, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(link);
        return ExecuteAsync(LinkRegistry.Forgot(link), cancellation);
    }

    private async ValueTask<PublishSetAnswer> ExecuteAsync(byte[] evt, CancellationToken cancellation)
    {
        try
        {
            return await state.ExecuteAsync(
                CommitMode.Fsync,
                commit =>
                {
                    state.Emit(commit, evt);
                    return new PublishSetAnswer(QueueStatus.Ok);
                },
                evt.Length + 64, cancellation: cancellation);
        }
        catch (StorageFullException full)
        {
            return new PublishSetAnswer(QueueStatus.Full, null, full.Message);
        }
        catch (StoreFailedException failed)
        {
            return new PublishSetAnswer(QueueStatus.StorageError, null, failed.Message);
        }
    }

    /// <summary>What the link remembers, as a part of the commit that publishes the messages.</summary>
    private sealed class TookSource(StateLog state, string link, IReadOnlyList<ulong> fingerprints, long confirmed, IReadOnlyList<long>? positions, Func<SortedSet<int>> refused) : ICommitSource
    {
        public Lock Gate => state.Lock;

        public long GateOrder => state.Id;

        public PartitionLog? Log => null;

        public long BytesWanted => LinkRegistry.SizeOf(link, fingerprints.Count);

        public long BytesNeeded => BytesWanted;

        public bool IsGone => false;

        public void Emit(Commit commit)
        {
            var left = refused();
            var taken = new ulong[fingerprints.Count - left.Count];
            var next = 0;
            for (var i = 0; i < fingerprints.Count; i++)
                if (!left.Contains(i)) taken[next++] = fingerprints[i];
            // What was refused is not taken: a crash before it is must lead back to it.
            var position = positions is null ? -1 : positions[left.Count > 0 ? left.Min : fingerprints.Count];
            state.Emit(commit, LinkRegistry.Took(link, confirmed, taken, position));
        }

        public void ChangeLog(Commit commit)
        {
        }
    }

    /// <summary>Messages that leave a queue of ours, as a part of the commit that publishes them.</summary>
    private sealed class HeldSource(HeldMessages held, Func<SortedSet<int>> refused) : ICommitSource
    {
        private readonly LocalQueue _queue = (LocalQueue)held.Queue;
        private readonly Subscription _subscription = ((LocalQueue)held.Queue).Subscription;
        private readonly Consumer _consumer = (Consumer)held.Consumer;

        public bool IsVolatile => _subscription.IsVolatile;

        public CommitMode CommitMode => _queue.Settings.CommitMode;

        /// <summary>Whether the consumer did not hold them any more, so that nothing was done.</summary>
        public bool WasGone { get; private set; }

        public Lock Gate => _subscription.Gate;

        public long GateOrder => _subscription.GateOrder;

        public PartitionLog Log => _subscription.Log;

        public long BytesWanted => _subscription.PendingBytes + 24L * held.Offsets.Count;

        public long BytesNeeded => _subscription.PendingBytes / 2 + 24L * held.Offsets.Count;

        public bool IsGone => WasGone = _subscription.IsDeleted || !_subscription.HoldsAll(_consumer, held.Offsets);

        public void Emit(Commit commit)
        {
            _subscription.MoveOut(_consumer, Taken());
            _subscription.EmitPending(commit);
        }

        public void ChangeLog(Commit commit) => _subscription.Truncate(commit);

        /// <summary>They leave a queue in memory.</summary>
        public async ValueTask LeaveAsync() => await _subscription.MoveOutAsync(_consumer, Taken());

        /// <summary>Has the queue go on.</summary>
        public void Continue() => _subscription.Schedule();

        private List<long> Taken()
        {
            var left = refused();
            var taken = new List<long>(held.Offsets.Count);
            for (var i = 0; i < held.Offsets.Count; i++)
                if (!left.Contains(i)) taken.Add(held.Offsets[i]);
            return taken;
        }
    }
}

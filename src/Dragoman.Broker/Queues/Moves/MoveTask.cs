using System.Diagnostics.CodeAnalysis;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Subscriptions;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Queues.Moves;

/// <summary>
/// Carries a move out: takes some messages of the source as a consumer would, has a <see cref="MoveCommit"/> append them to
/// their target and settle them, and goes on at its rate until as many are moved as were ready when it began, or none are.
/// </summary>
/// <remarks>
/// What it holds and has not moved is in the source still: a crash gives it back, and the next start goes on with the number
/// that the moves' state tells, which is counted in the commits that move.
/// </remarks>
internal sealed class MoveTask(Moves moves, Move move) : IDeliverySink, IDisposable
{
    private const int MaxMessages = 1024;
    private const int FirstMessages = 32;

    /// <summary>Bytes of messages to have in hand at once, as far as sizes can be foreseen.</summary>
    private const int WantedBytes = 2 << 20;

    /// <summary>Messages that stay, and are held so that the others can be taken; a move that meets more has no business here.</summary>
    private const int MaxLeft = 10_000;

    private const int StepsPerSecond = 10;

    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _cancel = CancellationTokenSource.CreateLinkedTokenSource(moves.Stopped);
    private readonly RecordHeadersWriter _headers = new();
    private long _moved = move.Moved;
    private long _left;
    private long _averageBytes = WantedBytes / FirstMessages;
    private string? _waitsFor;

    /// <summary>When the next messages are due at the rate.</summary>
    private DateTimeOffset _due = DateTimeOffset.MinValue;

    /// <summary>Completes when it has ended, or was interrupted.</summary>
    public Task? Completion { get; set; }

    /// <summary>Messages that stay.</summary>
    public long Left => Volatile.Read(ref _left);

    /// <summary>What it waits for; null where it does not.</summary>
    public string? WaitsFor => Volatile.Read(ref _waitsFor);

    /// <summary>Has it look whether it was cancelled.</summary>
    public void Cancel()
    {
        try
        {
            _cancel.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has just ended.
        }
    }

    /// <summary>A message in hand.</summary>
    private readonly record struct Item(long Offset, int Index);

    [SuppressMessage("Design", "CA1031", Justification = "What a move fails with is told by the move.")]
    public async Task RunAsync()
    {
        try
        {
            while (true)
            {
                var (state, reason) = await MoveAllAsync();
                if (state != MoveState.Running)
                {
                    await moves.EndAsync(move.Id, state, _left, reason);
                    return;
                }
                if (moves.Stopped.IsCancellationRequested) return;
                // The source was taken from under it, and may be back.
                Volatile.Write(ref _left, 0);
                await DelayAsync(RetryDelay);
            }
        }
        catch (StoreFailedException)
        {
            // The process ends, and the next start goes on.
        }
        catch (Exception error)
        {
            await moves.EndAsync(move.Id, MoveState.Failed, _left, error.Message);
        }
    }

    public void Dispose()
    {
        _cancel.Dispose();
        _headers.Dispose();
    }

    /// <returns>How it ended; <see cref="MoveState.Running"/> where it was interrupted.</returns>
    private async Task<(MoveState State, string? Reason)> MoveAllAsync()
    {
        if (moves.Queues.Find(move.SourceId) is not LocalQueue source) return Gone(move.Source);
        if (source.Subscription.Consume(new ConsumerOptions { Name = "move", IsPassive = true }, this).Consumer is not Consumer consumer) return Gone(move.Source);
        try
        {
            while (true)
            {
                if (moves.IsCancelled(move.Id)) return (MoveState.Cancelled, null);
                if (moves.Stopped.IsCancellationRequested) return (MoveState.Running, null);
                if (_moved >= move.Planned) return (MoveState.Completed, null);
                if (_left > MaxLeft) return (MoveState.Failed, $"More than {MaxLeft} messages do not tell which queue they were dead-lettered from: name the queue to move them to.");
                var (answer, before) = (await consumer.ReceiveAsync(Wanted()).AsTask().WaitAsync(moves.Stopped), _moved);
                if (answer.Status != QueueStatus.Ok) return source.IsDeleted ? Gone(move.Source) : (MoveState.Running, null);
                if (answer.Deliveries is not { } deliveries) return (MoveState.Completed, null);
                using (deliveries)
                {
                    _averageBytes = Math.Max(1, deliveries.Bytes / deliveries.Count);
                    if (await MoveAsync(source, consumer, deliveries) is { } failure) return failure;
                }
                if (move.MessagesPerSecond > 0) await PaceAsync(_moved - before);
            }
        }
        catch (OperationCanceledException) when (moves.Stopped.IsCancellationRequested)
        {
            return (MoveState.Running, null);
        }
        finally
        {
            // What it holds was not delivered to anybody.
            source.Subscription.ReleaseAll(consumer);
            await consumer.DisposeAsync();
        }
    }

    private static (MoveState, string?) Gone(QueueName queue) => (MoveState.Failed, $"Queue '{queue}' was deleted.");

    /// <summary>How many messages to take next.</summary>
    private int Wanted()
    {
        var wanted = Math.Clamp(WantedBytes / _averageBytes, 1, MaxMessages);
        if (move.MessagesPerSecond > 0) wanted = Math.Clamp((long)(move.MessagesPerSecond / StepsPerSecond), 1, wanted);
        return (int)Math.Min(wanted, move.Planned - _moved);
    }

    /// <summary>Waits as long as some messages take at the rate; time that was lost is not made up for.</summary>
    private async Task PaceAsync(long moved)
    {
        var now = moves.Store.Time.GetUtcNow();
        _due = (_due > now - RetryDelay ? _due : now) + TimeSpan.FromSeconds(moved / move.MessagesPerSecond);
        if (_due > now) await DelayAsync(_due - now);
    }

    private async Task DelayAsync(TimeSpan delay)
    {
        try
        {
            await Task.Delay(delay, moves.Store.Time, _cancel.Token);
        }
        catch (OperationCanceledException)
        {
            // The loop looks why.
        }
    }

    /// <summary>Moves the messages in hand; what cannot be moved stays held.</summary>
    /// <returns>Why the move ends; null where it goes on.</returns>
    private async Task<(MoveState, string?)?> MoveAsync(LocalQueue source, Consumer consumer, DeliveryBatch deliveries)
    {
        var next = 0;
        while (next < deliveries.Count)
        {
            var target = TargetOf(source, deliveries, next);
            if (target is null)
            {
                if (move.Target is not null) return Gone(new QueueName(source.Name.Namespace, move.Target));
                Volatile.Write(ref _left, _left + 1);
                next++;
                continue;
            }
            var items = new List<Item>();
            var batch = Gather(source, target, deliveries, ref next, items, int.MaxValue);
            switch (await MoveAsync(source, consumer, target, deliveries, batch, items))
            {
                case MoveStep.TargetGone when move.Target is not null:
                    return Gone(target.Name);
                case MoveStep.TargetGone:
                    Volatile.Write(ref _left, _left + items.Count);
                    break;
                case MoveStep.TargetFull:
                    // It was cancelled, or interrupted, while it waited.
                    return null;
                case MoveStep.Done:
                    source.Subscription.Schedule();
                    break;
            }
        }
        return null;
    }

    /// <summary>Moves messages to a queue, as it has room for them.</summary>
    private async Task<MoveStep> MoveAsync(LocalQueue source, Consumer consumer, LocalQueue target, DeliveryBatch deliveries, MessageBatch batch, List<Item> items)
    {
        try
        {
            while (true)
            {
                var (step, room) = await TryMoveAsync(source, consumer, target, batch, items);
                switch (step)
                {
                    case MoveStep.Done:
                        Interlocked.Add(ref _moved, items.Count);
                        Volatile.Write(ref _waitsFor, null);
                        return step;
                    case MoveStep.NotHeld:
                        // Somebody purged the source meanwhile: what is left of these is taken again.
                        Release(consumer, items);
                        return step;
                    case MoveStep.TargetFull when room > 0:
                        var first = items[..room];
                        var some = Rebuild(deliveries, first);
                        try
                        {
                            if ((await TryMoveAsync(source, consumer, target, some, first)).Step != MoveStep.Done) continue;
                        }
                        finally
                        {
                            some.Dispose();
                        }
                        Interlocked.Add(ref _moved, room);
                        items.RemoveRange(0, room);
                        batch.Dispose();
                        batch = Rebuild(deliveries, items);
                        continue;
                    case MoveStep.TargetFull:
                        Volatile.Write(ref _waitsFor, $"Queue '{target.Name}' has reached its greatest length.");
                        await DelayAsync(RetryDelay);
                        if (_cancel.IsCancellationRequested) return step;
                        continue;
                    default:
                        return step;
                }
            }
        }
        finally
        {
            batch.Dispose();
        }
    }

    private async Task<(MoveStep Step, int Room)> TryMoveAsync(LocalQueue source, Consumer consumer, LocalQueue target, MessageBatch batch, List<Item> items)
    {
        var offsets = items.ConvertAll(static i => i.Offset);
        var commit = new MoveCommit(moves.Store, target, batch);
        while (true)
        {
            try
            {
                return (await RunAsync(commit, source, consumer, target, offsets), commit.Room);
            }
            catch (StorageFullException full)
            {
                Volatile.Write(ref _waitsFor, full.Message);
                await DelayAsync(RetryDelay);
                if (_cancel.IsCancellationRequested) return (MoveStep.TargetFull, 0);
            }
        }
    }

    private async Task<MoveStep> RunAsync(MoveCommit commit, LocalQueue source, Consumer consumer, LocalQueue target, List<long> offsets)
    {
        if (!source.Subscription.IsVolatile && !target.Subscription.IsVolatile)
        {
            var mode = source.Settings.CommitMode > target.Settings.CommitMode ? source.Settings.CommitMode : target.Settings.CommitMode;
            return await commit.RunAsync(mode, moves.Queues.BeginAsync, new MoveCommit.Departure(source.Subscription, consumer, offsets, moves.State, MoveRegistry.Moved(move.Id, offsets.Count)));
        }
        // What is in memory is lost in a crash anyway, so the target has the messages before the source forgets them.
        lock (source.Subscription.Gate)
        {
            if (!source.Subscription.HoldsAll(consumer, offsets)) return MoveStep.NotHeld;
        }
        var step = await commit.RunAsync(target.Subscription.IsVolatile ? CommitMode.Memory : target.Settings.CommitMode, moves.Queues.BeginAsync, null);
        if (step != MoveStep.Done) return step;
        await source.Subscription.MoveOutAsync(consumer, offsets);
        await moves.CountAsync(move.Id, offsets.Count);
        return step;
    }

    private static void Release(Consumer consumer, List<Item> items)
    {
        foreach (var item in items) consumer.Settle(Settlement.Release, [OffsetRange.Of(item.Offset)]);
    }

    /// <summary>Where a message goes; null where that is unknown or gone.</summary>
    private LocalQueue? TargetOf(LocalQueue source, DeliveryBatch deliveries, int index)
    {
        var name = move.Target;
        if (name is null)
        {
            if (!deliveries.Message(index).Headers.TryGetLast(CanonicalHeaders.Deaths, out var history)) return null;
            var deaths = DeathHistory.Decode(history.Span);
            if (deaths.Count == 0 || deaths[0].Queue == source.Name.Name) return null;
            name = deaths[0].Queue;
        }
        return moves.Queues.Find(new QueueName(source.Name.Namespace, name)) as LocalQueue;
    }

    /// <summary>Gathers messages, from one on, that go to the same queue.</summary>
    private MessageBatch Gather(LocalQueue source, LocalQueue target, DeliveryBatch deliveries, ref int next, List<Item> items, int limit)
    {
        var batch = MessageBatch.Rent();
        do
        {
            Add(batch, deliveries, next);
            items.Add(new Item(deliveries[next].Offset, next));
            next++;
        }
        while (next < deliveries.Count && items.Count < limit && batch.Bytes + deliveries[next].Size < MessageBatch.MaxBytes && ReferenceEquals(TargetOf(source, deliveries, next), target));
        return batch;
    }

    private MessageBatch Rebuild(DeliveryBatch deliveries, List<Item> items)
    {
        var batch = MessageBatch.Rent();
        foreach (var item in items) Add(batch, deliveries, item.Index);
        return batch;
    }

    /// <summary>Adds a message as it goes on: a new one of its target, with all that its publisher said but a delay and a deduplication id.</summary>
    private void Add(MessageBatch batch, DeliveryBatch deliveries, int index)
    {
        var message = deliveries.Message(index);
        var properties = SpecialHeaders.Read(message.Headers);
        _headers.Clear();
        foreach (var header in message.Headers)
        {
            var key = header.Key;
            if (key.SequenceEqual(CanonicalHeaders.DeliverAt) || key.SequenceEqual(CanonicalHeaders.DeduplicationId)) continue;
            if (properties.ExpiresAt >= 0 && key.SequenceEqual(CanonicalHeaders.ExpiresAt)) continue;
            if (properties.Priority >= 0 && key.SequenceEqual(CanonicalHeaders.Priority)) continue;
            _headers.Add(key, header.Value);
        }
        var now = moves.Store.Time.GetUtcNow().ToUnixTimeMilliseconds();
        batch.Add(properties with { Timestamp = now, DeliverAt = -1 }, message.Key, message.Value.Span, _headers.Headers);
    }

    void IDeliverySink.OnDeliveries(IConsumer consumer, DeliveryBatch deliveries) => deliveries.Dispose();
}

using System.Globalization;
using System.Text;
using Dragoman.Broker;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;
using Dragoman.Storage;
using Dragoman.Storage.Journal;

namespace Dragoman.Simulation.Queues;

/// <summary>
/// One seeded story of queues: several lives of a broker, in each of them publishers, consumers on connections, and
/// takers of timed leases that settle, extend, give back and refuse; a queue that moves; dead letters; and an end by a good
/// stop, a kill, a power cut or a failing disk. What publishers and takers know outlives the broker.
/// </summary>
internal sealed class QueueRun
{
    private const int Lives = 4;
    private const int Steps = 40;

    private readonly SimScheduler _sim;
    private readonly SimDisk _disk;
    private readonly SimRandom _random;

    /// <summary>Lives begun: each makes other ids, or what one makes could have an id that is there from another.</summary>
    private int _lives;
    private readonly QueueDefects _defects;
    private readonly QueueStory _story;
    private readonly QueueSimModel _model;
    private readonly List<SimMessage> _tokens = [];
    private readonly List<SimMessage> _unanswered = [];
    private readonly List<SimMessage> _underWay = [];
    private readonly List<(string Name, Task Task)> _workers = [];
    private int _published;
    private int _consumers;
    private bool _isSettling;
    private string _life = "";

    public QueueRun(ulong seed, QueueDefects? defects = null)
    {
        _defects = defects ?? new QueueDefects();
        _sim = new SimScheduler(seed);
        _disk = new SimDisk(_sim, new SimDiskOptions { Capacity = 24 << 20 });
        _random = _sim.Random.Fork();
        _story = QueueStory.Draw(_random);
        _model = new QueueSimModel(_sim, _story.Settings.Subscription.MaxDeliveries, _story.Settings.Subscription.DeadLetter is not null, _story.Settings.Subscription.Dispatch == DispatchMode.ByKey);
        _sim.Note($"{_story}");
    }

    /// <summary>Which paths this run went through.</summary>
    public Coverage Coverage { get; } = new();

    private enum LifeEnd
    {
        GoodStop,
        Kill,
        PowerLoss,
        DiskError,
    }

    public void Run()
    {
        try
        {
            for (var life = 0; life <= Lives; life++) RunLife(life);
        }
        catch (SimStepLimitException stuck)
        {
            throw new SimulationFailedException($"Stuck in life {_life}, with {string.Join(", ", _workers.Where(w => !w.Task.IsCompleted).Select(w => w.Name))} still at work. {stuck.Message.Split('\n')[0]}\n{_story}", stuck);
        }
        catch (Exception fault)
        {
            throw new SimulationFailedException($"{fault.Message}\n{_story}\n{_sim.Describe("The last of it")}", fault);
        }
    }

    private void RunLife(int life)
    {
        var last = life == Lives;
        var process = _sim.StartProcess("broker");
        var end = last ? LifeEnd.GoodStop : _random.Pick<LifeEnd>([LifeEnd.GoodStop, LifeEnd.Kill, LifeEnd.Kill, LifeEnd.PowerLoss, LifeEnd.DiskError]);
        // What is only written may be lost with the power, and so may what was said about it.
        var losesPower = _story.Settings.CommitMode == CommitMode.Fsync && (end == LifeEnd.PowerLoss || (end == LifeEnd.DiskError && _random.OneIn(2)));
        var kind = losesPower ? CrashKind.PowerLoss : CrashKind.ProcessKill;
        _sim.Note($"life {life} ends with {end}, {kind}");
        _life = $"{life}, which ends with {end}";
        if (end is LifeEnd.Kill or LifeEnd.PowerLoss) _disk.CrashAt(_random.Between(5, 300), kind);
        var lived = _sim.RunUntilDoneOrDead(process.Run("life", () => LiveAsync(process, end, last)), process, 6_000_000);
        _disk.CrashAt(0, CrashKind.ProcessKill);
        Coverage.Saw($"a life ended with {(lived || end == LifeEnd.GoodStop ? end.ToString() : $"{end} in the midst of it")}");
        if (lived && end != LifeEnd.GoodStop) _disk.Crash(kind);
        _model.Forget();
        _unanswered.AddRange(_underWay);
        _underWay.Clear();
    }

    private async Task LiveAsync(SimProcess process, LifeEnd end, bool last)
    {
        var broker = await Broker.Broker.StartAsync(new BrokerOptions { Store = Options() }, _disk, _sim.Time, process, new Random(++_lives), new BrokerSeams { QueueDefects = _defects, DueEntriesInMemory = _random.OneIn(2) ? 4 : 1000 });
        await DeclareAsync(broker, "dead", QueueSettings.Default);
        await DeclareAsync(broker, "copy", QueueSettings.Default with { CommitMode = _story.Settings.CommitMode });
        await DeclareAsync(broker, "work", _story.Settings);
        await VerifyConservationAsync(broker);
        if (end == LifeEnd.DiskError)
        {
            if (_random.OneIn(2)) _disk.FailSync(_random.Between(1, 100));
            else _disk.FailWrite(_random.Between(1, 100));
        }
        _isSettling = false;
        _workers.Clear();
        Work(process, "publisher 1", () => PublishAsync(broker));
        Work(process, "publisher 2", () => PublishAsync(broker));
        Work(process, "taker 1", () => TakeAsync(broker));
        Work(process, "taker 2", () => TakeAsync(broker));
        Work(process, "mover", () => MoveAsync(broker));
        for (var i = 0; i < 3; i++) Work(process, $"consumer {i}", () => ConsumeAsync(broker));
        foreach (var (_, task) in _workers) await task;
        if (end == LifeEnd.DiskError) return;
        QueueSimModel.Check(!broker.Failed.IsCompleted, "the store has not failed");
        await VerifyConservationAsync(broker);
        if (last) await VerifyEndAsync(broker);
        if (end == LifeEnd.GoodStop) await broker.DisposeAsync();
    }

    private void Work(SimProcess process, string name, Func<Task> work) => _workers.Add((name, process.Run(name, work)));

    private static async Task DeclareAsync(Broker.Broker broker, string name, QueueSettings settings)
    {
        var answer = await broker.Queues.DeclareAsync(QueueName.InDefault(name), settings);
        QueueSimModel.Check(answer.Status is QueueStatus.Ok or QueueStatus.AlreadyExists or QueueStatus.StorageError, $"queue {name} is there: {answer}");
    }

    private static IQueueHandle? Find(Broker.Broker broker, string name) => broker.Queues.Find(QueueName.InDefault(name));

    private Task RestAsync(int maxMs = 20) => _sim.DelayAsync(TimeSpan.FromMilliseconds(_random.NextDouble() * (_random.OneIn(10) ? maxMs * 20 : maxMs)));

    private async Task PublishAsync(Broker.Broker broker)
    {
        for (var i = 0; i < Steps; i++)
        {
            if (_story.Deduplicates && _unanswered.Count > 0)
            {
                // As a client does that does not know.
                var again = _unanswered[0];
                _unanswered.RemoveAt(0);
                Coverage.Saw("published once more");
                await SendAsync(broker, [again]);
            }
            else
            {
                var isCopied = !_story.Deduplicates && _story.Settings.MaxLength < 0 && _random.OneIn(3);
                var messages = new List<SimMessage>();
                for (var n = _random.Between(1, isCopied ? 1 : 4); n > 0; n--)
                {
                    var key = _story.IsKeyed && !_random.OneIn(4) ? $"k{_random.Next(3)}" : null;
                    messages.Add(_model.Begin(string.Create(CultureInfo.InvariantCulture, $"m{++_published}"), key, _story.Settings.Subscription.MessageLifetimeMs >= 0 || _random.OneIn(8), isCopied));
                }
                await SendAsync(broker, messages);
            }
            await RestAsync();
        }
    }

    private async Task SendAsync(Broker.Broker broker, List<SimMessage> messages)
    {
        if (Find(broker, "work") is not { } queue || Find(broker, "copy") is not { } copy) return;
        var now = _sim.Time.GetUtcNow().ToUnixTimeMilliseconds();
        var batch = MessageBatch.Rent();
        foreach (var message in messages)
        {
            var properties = new MessageProperties
            {
                Timestamp = now,
                ExpiresAt = message.MayExpire && _random.OneIn(2) ? now + _random.Between(100, 2000) : -1,
                DeliverAt = _random.OneIn(6) ? now + _random.Between(1, 1000) : -1,
                Priority = (short)(_story.Settings.MaxPriority > 0 ? _random.Between(-1, 4) : -1),
                DeduplicationId = _story.Deduplicates ? message.Text : null,
            };
            batch.Add(properties, message.Key is null ? default : Encoding.UTF8.GetBytes(message.Key), Encoding.UTF8.GetBytes(message.Text));
        }
        if (_story.Deduplicates) _underWay.AddRange(messages);
        var outcome = messages[0].IsCopied ? await broker.Queues.PublishAsync(batch, [queue, copy]) : await queue.PublishAsync(batch);
        _sim.Note($"published {messages[0].Text} and {messages.Count - 1} more: {outcome.Status}, {outcome.Accepted} at {outcome.BaseOffset}");
        Coverage.Saw($"published: {outcome.Status}");
        switch (outcome.Status)
        {
            case QueueStatus.Ok or QueueStatus.QueueFull:
                for (var i = 0; i < messages.Count; i++)
                {
                    if (i >= outcome.Accepted)
                    {
                        QueueSimModel.Check(outcome.Status == QueueStatus.QueueFull, "all are accepted");
                        messages[i].IsRefused = true;
                        continue;
                    }
                    messages[i].IsAccepted = true;
                    if (outcome.Duplicates is null && outcome.BaseOffset >= 0)
                    {
                        QueueSimModel.Check(messages[i].Offset < 0 || messages[i].Offset == outcome.BaseOffset + i, $"{messages[i]} is at {outcome.BaseOffset + i}");
                        messages[i].Offset = outcome.BaseOffset + i;
                    }
                }
                break;
            case QueueStatus.Full or QueueStatus.Moved:
                // One that was published before may be there all the same.
                if (!_story.Deduplicates)
                    foreach (var message in messages) message.IsRefused = true;
                else _unanswered.AddRange(messages);
                break;
            default:
                QueueSimModel.Check(outcome.Status == QueueStatus.StorageError, $"a publish is answered: {outcome}");
                if (_story.Deduplicates) _unanswered.AddRange(messages);
                break;
        }
        foreach (var message in messages) _underWay.Remove(message);
    }

    private async Task ConsumeAsync(Broker.Broker broker)
    {
        for (var i = 0; i < 4; i++)
        {
            if (Find(broker, "work") is not { } queue) return;
            var consumer = new SimConsumer(_model, _sim, ++_consumers, new ConsumerOptions { AutoAcknowledge = _random.OneIn(5), Priority = _random.Next(2) });
            var answer = await queue.ConsumeAsync(consumer.Options, consumer);
            if (answer.Status != QueueStatus.Ok) return;
            consumer.Consumer = answer.Consumer!;
            for (var step = 0; step < 15 && !consumer.HasEnded; step++)
            {
                if (_random.OneIn(2)) consumer.Consumer.Grant(_random.OneIn(6) ? int.MaxValue : _random.Between(1, 4));
                await RestAsync();
                if (consumer.HasEnded) break;
                await SettleAsync(consumer);
                if (_random.OneIn(12)) consumer.Consumer.Pause();
            }
            if (!consumer.HasEnded)
            {
                foreach (var message in consumer.Held) message.Holder = null;
                consumer.Held.Clear();
                _sim.Note($"{consumer} closes");
                await consumer.Consumer.DisposeAsync();
            }
            await RestAsync();
        }
    }

    private async Task SettleAsync(SimConsumer consumer)
    {
        var taken = consumer.Take(_random);
        if (taken.Count == 0) return;
        var settlement = DrawSettlement();
        _sim.Note($"{consumer} settles {string.Join(' ', taken.Select(m => m.Text))} with {settlement}");
        var offsets = taken.Select(m => OffsetRange.Of(m.Offset)).ToArray();
        foreach (var message in taken) Asked(message, settlement);
        if (_random.OneIn(2))
        {
            var count = consumer.Consumer.Settle(settlement, offsets);
            QueueSimModel.Check(count == taken.Count, $"{consumer} holds {taken.Count}, and {count} were settled");
            if (settlement is Settlement.Acknowledge or Settlement.Reject)
                foreach (var message in taken) message.IsGoneForNow = true;
            return;
        }
        var mark = _model.Mark();
        var answer = await consumer.Consumer.SettleAsync(settlement, offsets);
        Coverage.Saw($"{settlement} by a consumer: {answer.Status}");
        if (answer.Status != QueueStatus.Ok) return;
        QueueSimModel.Check(answer.Count == taken.Count, $"{consumer} holds {taken.Count}, and {answer.Count} were settled");
        _model.Confirm(mark);
        foreach (var message in taken) Answered(message, settlement);
    }

    private Settlement DrawSettlement() =>
        _isSettling ? Settlement.Acknowledge : _random.Pick<Settlement>([Settlement.Acknowledge, Settlement.Acknowledge, Settlement.Return, Settlement.Release, Settlement.Reject]);

    private static void Asked(SimMessage message, Settlement settlement)
    {
        message.Holder = null;
        message.AckAsked |= settlement == Settlement.Acknowledge;
        message.RejectAsked |= settlement == Settlement.Reject;
        if (settlement == Settlement.Release) message.ReleasesAsked++;
    }

    private static void Answered(SimMessage message, Settlement settlement)
    {
        message.IsAcked |= settlement == Settlement.Acknowledge;
        message.IsRejected |= settlement == Settlement.Reject;
    }

    private async Task TakeAsync(Broker.Broker broker)
    {
        for (var i = 0; i < Steps; i++)
        {
            if (Find(broker, "work") is not { } queue) return;
            if (_tokens.Count == 0 || _random.OneIn(2)) await ReceiveAsync(queue, _random.Between(1, 5), _random.OneIn(3) ? _random.Between(1, 300) : 0);
            else if (_random.OneIn(4)) await ExtendAsync(queue);
            else await SettleTimedAsync(queue);
            await RestAsync();
        }
    }

    private async Task<int> ReceiveAsync(IQueueHandle queue, int max, int waitMs)
    {
        var lease = _isSettling ? 60_000 : _random.Between(100, 4000);
        var from = _sim.Time.Elapsed;
        var holder = new object();
        _model.Receiving++;
        var epoch = _model.Epoch;
        var answer = await queue.ReceiveAsync(max, TimeSpan.FromMilliseconds(lease), TimeSpan.FromMilliseconds(waitMs));
        var isLate = _model.Epoch != epoch;
        if (!isLate) _model.Receiving--;
        Coverage.Saw($"received: {answer.Status}");
        if (answer.Deliveries is not { } deliveries) return 0;
        var count = deliveries.Count;
        for (var i = 0; i < count; i++)
        {
            ref readonly var delivery = ref deliveries[i];
            var text = Encoding.UTF8.GetString(deliveries.Message(i).Value.Span);
            _sim.Note($"a taker gets {text} at {delivery.Offset}, {delivery.Count}, lease {delivery.Lease}");
            if (isLate)
            {
                _model.Miss(text);
                continue;
            }
            // A millisecond may have been cut off.
            var message = _model.Deliver(text, delivery.Offset, delivery.Count, holder, delivery.Lease, from + TimeSpan.FromMilliseconds(lease - 1));
            _tokens.Add(message);
        }
        deliveries.Dispose();
        return count;
    }

    private (List<SimMessage> Chosen, LeaseToken[] Tokens) Choose()
    {
        var chosen = new List<SimMessage>();
        for (var n = _random.Between(1, 4); n > 0 && _tokens.Count > 0; n--)
        {
            var index = _random.Next(_tokens.Count);
            // Somebody on a connection may hold it since.
            if (!chosen.Contains(_tokens[index]) && _tokens[index].Lease > 0) chosen.Add(_tokens[index]);
            _tokens.RemoveAt(index);
        }
        return (chosen, [.. chosen.Select(m => new LeaseToken(m.Offset, m.Lease))]);
    }

    private async Task ExtendAsync(IQueueHandle queue)
    {
        var (chosen, tokens) = Choose();
        var time = _random.Between(100, 4000);
        var from = _sim.Time.Elapsed;
        var mark = _model.Mark();
        foreach (var message in chosen)
        {
            // It may be shorter than what it had, and until the answer it is either.
            var until = from + TimeSpan.FromMilliseconds(time - 1);
            if (message.Holder is not null && until < message.HeldUntil) message.HeldUntil = until;
        }
        var holders = chosen.Select(m => (m.Holder, m.Seen)).ToArray();
        var answer = await queue.ExtendAsync(tokens, TimeSpan.FromMilliseconds(time));
        Coverage.Saw($"extended {(answer.Count == chosen.Count ? "all" : answer.Count == 0 ? "none" : "some")}: {answer.Status}");
        if (answer.Status != QueueStatus.Ok) return;
        _model.Confirm(mark);
        for (var i = 0; i < chosen.Count; i++)
        {
            if (answer.Count != chosen.Count || chosen[i].Holder is null || chosen[i].Holder != holders[i].Holder || chosen[i].Seen != holders[i].Seen) continue;
            chosen[i].HeldUntil = from + TimeSpan.FromMilliseconds(time - 1);
            _tokens.Add(chosen[i]);
        }
    }

    private async Task SettleTimedAsync(IQueueHandle queue)
    {
        var (chosen, tokens) = Choose();
        var settlement = DrawSettlement();
        _sim.Note($"a taker settles {string.Join(' ', tokens)} with {settlement}");
        TimeSpan? delay = _random.OneIn(4) ? TimeSpan.FromMilliseconds(_random.Next(1000)) : null;
        foreach (var message in chosen) Asked(message, settlement);
        var mark = _model.Mark();
        var answer = await queue.SettleAsync(settlement, tokens, delay);
        Coverage.Saw($"{settlement} by a taker, {(answer.Count == chosen.Count ? "all" : answer.Count == 0 ? "none" : "some")}: {answer.Status}");
        if (answer.Status != QueueStatus.Ok) return;
        _model.Confirm(mark);
        // Which ones, if not all, it does not say.
        if (answer.Count != chosen.Count) return;
        foreach (var message in chosen) Answered(message, settlement);
    }

    private async Task MoveAsync(Broker.Broker broker)
    {
        for (var n = _random.Next(4); n > 0; n--)
        {
            await _sim.DelayAsync(TimeSpan.FromMilliseconds(_random.Next(600)));
            if (broker.Failed.IsCompleted) return;
            try
            {
                if (_random.OneIn(2)) await broker.Store.CheckpointAsync();
            }
            catch (StoreFailedException)
            {
                return;
            }
            if (_random.OneIn(3)) continue;
            if (Find(broker, _random.OneIn(4) ? "dead" : "work") is not { } queue) return;
            Coverage.Saw("moved a queue");
            _sim.Note($"{queue.Name} moves");
            if (queue.Name.Name == "work") _model.Forget();
            broker.MoveQueue(queue);
        }
    }

    /// <summary>Nothing is lost, and nothing is there twice, by the broker's own count.</summary>
    private async Task VerifyConservationAsync(Broker.Broker broker)
    {
        foreach (var name in new[] { "work", "dead", "copy" })
        {
            if (Find(broker, name) is not { } queue) continue;
            for (var round = 0; ; round++)
            {
                var conservation = await queue.GetConservationAsync();
                var counts = await queue.GetCountsAsync();
                if (conservation.In == conservation.Out && (counts.Ready, counts.Delayed, counts.Leased) == (conservation.Ready, conservation.Delayed, conservation.Leased)) break;
                if (broker.Failed.IsCompleted) return;
                QueueSimModel.Check(round < 200, $"what came into {name} is somewhere: {conservation}, {counts}");
                await _sim.DelayAsync(TimeSpan.FromMilliseconds(5));
            }
        }
    }

    /// <summary>Takes everything out, and accounts for every message.</summary>
    private async Task VerifyEndAsync(Broker.Broker broker)
    {
        _isSettling = true;
        var work = Find(broker, "work")!;
        for (var round = 0; ; round++)
        {
            var counts = await work.GetCountsAsync();
            if (counts is { Ready: 0, Leased: 0, Delayed: 0 }) break;
            QueueSimModel.Check(round < 3000, $"the queue can be emptied: {counts}, {await work.GetConservationAsync()}");
            if (await ReceiveAsync(work, 10, 0) > 0) while (_tokens.Count > 0) await SettleTimedAsync(work);
            else await _sim.DelayAsync(TimeSpan.FromMilliseconds(50));
        }
        await VerifyConservationAsync(broker);
        // The last commits may be on their way to the disk.
        await _sim.DelayAsync(TimeSpan.FromSeconds(1));
        await DrainAsync(Find(broker, "dead")!, static m => m.Deaths++);
        await DrainAsync(Find(broker, "copy")!, static m => m.Copies++);
        foreach (var message in _model.All.Values) _model.VerifyEnd(message);
        var conservation = await work.GetConservationAsync();
        var deaths = _model.All.Values.Sum(m => m.Deaths);
        QueueSimModel.Check(conservation.DeadLettered == deaths, $"{conservation.DeadLettered} messages are counted as dead-lettered, and {deaths} are");
        Coverage.Saw("emptied all queues");
    }

    private async Task DrainAsync(IQueueHandle queue, Action<SimMessage> found)
    {
        while (true)
        {
            var answer = await queue.ReceiveAsync(50, TimeSpan.FromHours(1), TimeSpan.Zero);
            if (answer.Deliveries is not { } deliveries)
            {
                if ((await queue.GetCountsAsync()).Delayed == 0) return;
                await _sim.DelayAsync(TimeSpan.FromMilliseconds(100));
                continue;
            }
            for (var i = 0; i < deliveries.Count; i++) found(_model.All[Encoding.UTF8.GetString(deliveries.Message(i).Value.Span)]);
            deliveries.Dispose();
        }
    }

    private static StoreOptions Options() => new()
    {
        Directory = "/data",
        JournalFileBytes = 96 << 10,
        MaxJournalFileBytes = 1 << 20,
        MaxRoundBytes = 8 << 10,
        TailBytes = 32 << 10,
        MaxPendingBytes = 256 << 10,
        ReserveBytes = 16 << 10,
        HeadroomBytes = 512 << 10,
        OwnSegmentBytes = 8 << 10,
        PromoteBytes = 16 << 10,
        CheckpointAfterFiles = 1,
        CheckpointInterval = TimeSpan.FromMilliseconds(400),
        MemoryBytes = 64 << 10,
        MemoryBlockBytes = 16 << 10,
        MaxOpenFiles = 8,
        IndexCacheBytes = 4096,
        MaintenanceInterval = TimeSpan.FromMilliseconds(500),
    };
}

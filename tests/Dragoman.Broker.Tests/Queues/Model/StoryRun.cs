using System.Globalization;
using System.Text;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;
using Dragoman.Simulation;
using Dragoman.Storage;
using Dragoman.Storage.Journal;

namespace Dragoman.Broker.Tests.Queues.Model;

/// <summary>
/// Tells a story to a real broker on a simulated disk and to the model, one act at a time, and compares the two when all
/// is quiet after it.
/// </summary>
internal sealed class StoryRun
{
    private const int Slots = 4;

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(5);

    private readonly Story _story;
    private readonly SimScheduler _sim;
    private readonly SimDisk _disk;
    private readonly QueueModel _model;
    private readonly ModelConsumer?[] _consumers = new ModelConsumer?[Slots];
    private readonly HashSet<long> _settledOnArrival = [];
    private readonly List<ModelConsumer> _cancelled = [];
    private readonly List<(object Holder, List<Received> Got)> _received = [];
    private readonly List<LeaseToken> _stale = [];
    private readonly List<ModelMessage> _taken = [];
    private Broker _broker = null!;
    private IQueueHandle _queue = null!;
    private IQueueHandle? _dead;
    private long _end;
    private int _published;
    private int _opened;
    private long _stepStart;
    private bool _timePasses;
    private bool _isUnclear;

    public StoryRun(Story story)
    {
        _story = story;
        _sim = new SimScheduler(story.Seed, new SimOptions { MaxStep = TimeSpan.FromTicks(1), StallChance = 0 });
        _disk = new SimDisk(_sim, new SimDiskOptions { MaxWriteLatency = TimeSpan.FromTicks(10), MaxSyncLatency = TimeSpan.FromTicks(10), HiccupChance = 0 });
        _model = new QueueModel(story.Settings);
    }

    private SubscriptionSettings Delivery => _story.Settings.Subscription;

    private long Now => _sim.Time.GetUtcNow().ToUnixTimeMilliseconds();

    public void Run()
    {
        Start();
        _sim.Execute(async () =>
        {
            _queue = (await _broker.Queues.DeclareAsync(QueueName.InDefault("q"), _story.Settings, default)).Queue!;
            if (Delivery.DeadLetter is not null) _dead = (await _broker.Queues.DeclareAsync(QueueName.InDefault("dead"), QueueSettings.Default, default)).Queue!;
        });
        if (!_story.Settings.IsDurable) _end = ((LocalQueue)_queue).Subscription.Log.EndOffset;
        // Half past.
        PassTo(TimeSpan.FromMilliseconds(Math.Ceiling(_sim.Time.Elapsed.TotalSeconds) * 1000 + 500));
        foreach (var act in _story.Acts)
        {
            try
            {
                _stepStart = Now;
                _timePasses = false;
                Tell(act);
                Quieten();
            }
            catch (Exception fault)
            {
                throw new InvalidOperationException($"{act}: {fault.Message}\n{string.Join("\n", _model.Messages.Values.Where(m => m.Place != Place.Gone))}", fault);
            }
        }
        _sim.Execute(async () => await _broker.DisposeAsync());
    }

    private void Start()
    {
        var options = new BrokerOptions { Store = new StoreOptions { Directory = "/data", JournalFileBytes = 256 << 10, HeadroomBytes = 512 << 10, TailBytes = 256 << 10, MaxRoundBytes = 64 << 10, MemoryBytes = 64 << 10, MemoryBlockBytes = 16 << 10 } };
        _broker = _sim.Execute(() => Broker.StartAsync(options, _disk, _sim.Time, _sim, new Random(1), new BrokerSeams { DueEntriesInMemory = (int)(_story.Seed % 4) * 3 }));
    }

    private void PassTo(TimeSpan time)
    {
        if (time > _sim.Time.Elapsed) _sim.RunFor(time - _sim.Time.Elapsed);
        _sim.RunUntilIdle(Soon);
    }

    /// <summary>Lets everything come to rest, takes in who got what, and compares.</summary>
    private void Quieten()
    {
        _sim.RunUntilIdle(Soon);
        _model.Tick(Now);
        TakeDeliveries();
        Compare();
    }

    private void Tell(Act act)
    {
        switch (act.Kind)
        {
            case ActKind.Publish:
                Publish(1 + act.A % 5, act.B);
                break;
            case ActKind.Open:
                Open(act.A % Slots, act.B, act.C);
                break;
            case ActKind.Grant when At(act.A) is { IsCancelled: false } consumer:
                var credit = act.B % 6 == 0 ? int.MaxValue : 1 + act.B % 4;
                consumer.Credit = credit == int.MaxValue ? int.MaxValue : Math.Min(int.MaxValue, consumer.Credit + credit);
                consumer.Consumer.Grant(credit);
                break;
            case ActKind.Pause when At(act.A) is { } consumer:
                consumer.Credit = 0;
                consumer.Consumer.Pause();
                break;
            case ActKind.Cancel when At(act.A) is { } consumer:
                consumer.IsCancelled = true;
                consumer.Credit = 0;
                _sim.Execute(() => consumer.Consumer.CancelAsync().AsTask());
                _cancelled.Add(consumer);
                _consumers[act.A % Slots] = null;
                break;
            case ActKind.Close:
                Close(act);
                break;
            case ActKind.Receive:
                Receive(1 + act.A % 4, act.B);
                break;
            case ActKind.ReceiveOnConnection when At(act.A) is { } consumer && !consumer.Options.AutoAcknowledge:
                var got = _sim.Execute(async () => TestConsumer.ReadAll((await consumer.Consumer.ReceiveAsync(1 + act.B % 3)).Deliveries));
                if (got.Count > 0) _received.Add((consumer, got));
                break;
            case ActKind.Settle:
                Settle(act);
                break;
            case ActKind.SettleTimed:
                SettleTimed(act);
                break;
            case ActKind.SettleStale when _stale.Count > 0:
                var stale = _stale[act.A % _stale.Count];
                var isHeld = _model.Messages.TryGetValue(stale.Offset, out var holding) && holding.Place == Place.Held && holding.Lease == stale.Lease;
                if (isHeld) break;
                var late = (Settlement)(act.B % 4);
                var counts = _model.IsLate(stale, Now) && late != Settlement.Reject;
                Equal(counts ? 1 : 0, _sim.Execute(() => _queue.SettleAsync(late, new[] { stale }).AsTask()).Count, "a lease that is over settles nothing that anybody has had since");
                if (counts && late == Settlement.Acknowledge) _model.Go(_model.Messages[stale.Offset], SettleReason.Acknowledged);
                break;
            case ActKind.Extend:
                Extend(act);
                break;
            case ActKind.SettleUpTo:
                SettleUpTo(act);
                break;
            case ActKind.Purge:
                Purge(act.A % 2 == 0);
                break;
            case ActKind.Seek:
                Seek(act);
                break;
            case ActKind.Advance:
                Advance(1 + act.A % 6);
                break;
            case ActKind.Checkpoint:
                _sim.Execute(() => _broker.Store.CheckpointAsync());
                break;
            case ActKind.Restart when _story.Settings.IsDurable:
                Restart();
                break;
            default:
                break;
        }
    }

    private ModelConsumer? At(int slot) => _consumers[slot % Slots];

    private void Publish(int count, int how)
    {
        var now = Now;
        var random = new SimRandom((ulong)how);
        var (texts, keys, filtered, all) = (new List<string>(), new List<string?>(), new List<bool>(), new List<MessageProperties>());
        var duplicates = new SortedDictionary<int, long>();
        using var headers = new Storage.Records.RecordHeadersWriter();
        var batch = MessageBatch.Rent();
        var within = new Dictionary<string, int>();
        for (var i = 0; i < count; i++)
        {
            var id = random.OneIn(3) ? $"d{random.Next(4)}" : null;
            var properties = new MessageProperties
            {
                Timestamp = now,
                Priority = (short)(random.OneIn(2) ? random.Next(5) : -1),
                ExpiresAt = random.OneIn(4) ? now + random.Between(1, 8) * 1000 + Story.OddMs : -1,
                DeliverAt = random.OneIn(5) ? now + random.Between(1, 8) * 1000 + Story.OddMs : -1,
                DeduplicationId = id,
            };
            // A message without a key has no order to keep, whatever the mode.
            var key = random.OneIn(4) ? null : $"k{random.Next(3)}";
            var isFiltered = Delivery.Filter is not null && random.OneIn(4);
            var text = string.Create(CultureInfo.InvariantCulture, $"m{++_published}{new string('.', random.Next(8))}");
            headers.Clear();
            if (isFiltered) headers.Add("skip"u8, "1"u8.ToArray());
            batch.Add(properties, key is null ? default : Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(text), headers.Headers);
            texts.Add(text);
            keys.Add(key);
            filtered.Add(isFiltered);
            all.Add(properties);
            if (id is null || _story.Settings.DeduplicationWindowMs <= 0) continue;
            if (_model.IsKnown(id, now, out var known)) duplicates.Add(i, known);
            else if (!within.TryAdd(id, i)) duplicates.Add(i, -1);
        }
        var accepted = _model.Room(texts, duplicates.Keys.ToHashSet(), now);
        var outcome = _sim.Execute(() => _queue.PublishAsync(batch, null, default).AsTask());
        Equal(accepted, outcome.Accepted, "messages accepted");
        Equal(accepted < count ? QueueStatus.QueueFull : QueueStatus.Ok, outcome.Status, "the answer to a publish");
        var said = outcome.Duplicates?.ToDictionary(d => d.Index, d => d.Offset) ?? [];
        var places = new long[count];
        for (var i = 0; i < count; i++)
        {
            if (i >= accepted)
            {
                if (_story.Settings.Overflow == Overflow.RejectDeadLetter && Delivery.DeadLetter is not null) _model.Bury(texts[i]);
                continue;
            }
            if (duplicates.TryGetValue(i, out var earlier))
            {
                Check(said.TryGetValue(i, out var at), $"message {i} is known for a duplicate");
                Equal(earlier >= 0 ? earlier : places[within[all[i].DeduplicationId!]], at, "the offset of a duplicate");
                continue;
            }
            places[i] = _end;
            _model.Publish(_end, texts[i], all[i], keys[i], filtered[i]);
            if (all[i].DeduplicationId is { } id && _story.Settings.DeduplicationWindowMs > 0) _model.Remember(id, _end, now);
            _end++;
        }
        Check(said.Keys.All(duplicates.ContainsKey), "only duplicates are taken for such");
    }

    private void Open(int slot, int how, int priority)
    {
        if (_consumers[slot] is not null) return;
        var consumer = new ModelConsumer
        {
            Number = ++_opened,
            Options = new ConsumerOptions { AutoAcknowledge = how % 5 == 0, IsExclusive = how % 13 == 0, Priority = priority % 3 },
        };
        var others = _consumers.Where(c => c is not null).ToList();
        var mayNot = others.Count > 0 && (consumer.Options.IsExclusive || Delivery.Dispatch == DispatchMode.Exclusive || others.Exists(c => c!.Options.IsExclusive));
        var answer = _sim.Execute(() => _queue.ConsumeAsync(consumer.Options, consumer, default).AsTask());
        Equal(mayNot ? QueueStatus.InUse : QueueStatus.Ok, answer.Status, "a consumer's welcome");
        if (mayNot) return;
        consumer.Consumer = answer.Consumer!;
        _consumers[slot] = consumer;
    }

    private void Close(Act act)
    {
        var consumer = act.B % 4 == 0 && _cancelled.Count > 0 ? _cancelled[act.A % _cancelled.Count] : At(act.A);
        if (consumer is null) return;
        _cancelled.Remove(consumer);
        for (var i = 0; i < Slots; i++)
            if (_consumers[i] == consumer) _consumers[i] = null;
        _sim.Execute(() => consumer.Consumer.DisposeAsync().AsTask());
        consumer.Credit = 0;
        consumer.IsCancelled = true;
        var now = Now;
        foreach (var message in HeldBy(consumer)) _model.Settle(message, Settlement.Return, -1, now);
    }

    private List<ModelMessage> HeldBy(ModelConsumer consumer) => [.. _model.Messages.Values.Where(m => m.Place == Place.Held && m.Holder == consumer)];

    private void Receive(int max, int how)
    {
        TimeSpan? lease = how % 2 == 0 ? null : TimeSpan.FromMilliseconds((1 + how % 5) * 1000 + Story.OddMs);
        var answer = _sim.Execute(() => _queue.ReceiveAsync(max, lease, TimeSpan.Zero, default).AsTask());
        Equal(QueueStatus.Ok, answer.Status, "the answer to a receive");
        var got = TestConsumer.ReadAll(answer.Deliveries);
        if (got.Count > 0) _received.Add((lease ?? TimeSpan.FromMilliseconds(Delivery.LeaseMs), got));
    }

    private void Settle(Act act)
    {
        var consumer = act.C % 4 == 0 && _cancelled.Count > 0 ? _cancelled[act.A % _cancelled.Count] : At(act.A);
        if (consumer is null) return;
        var settlement = act.B % 3 == 0 ? (Settlement)(act.B / 3 % 4) : Settlement.Acknowledge;
        var chosen = HeldBy(consumer).Where((_, i) => ((act.C >> i % 16) & 1) == 0).ToList();
        var offsets = chosen.Select(m => OffsetRange.Of(m.Offset)).ToList();
        // What it does not hold is passed over.
        if (act.C % 3 == 0) offsets.AddRange(_model.Messages.Values.Where(m => m.Place == Place.Held && m.Holder != consumer).Select(m => OffsetRange.Of(m.Offset)));
        var now = Now;
        var settled = _sim.Execute(() => consumer.Consumer.SettleAsync(settlement, offsets.ToArray()).AsTask());
        Equal(QueueStatus.Ok, settled.Status, "the answer to a settlement");
        Equal(chosen.Count, settled.Count, "messages settled");
        foreach (var message in chosen) _model.Settle(message, settlement, -1, now);
    }

    private (List<ModelMessage> Messages, LeaseToken[] Tokens) Timed(int mask)
    {
        var chosen = _model.Messages.Values.Where(m => m is { Place: Place.Held, Lease: > 0 }).Where((_, i) => ((mask >> i % 16) & 1) == 0).ToList();
        return (chosen, [.. chosen.Select(m => new LeaseToken(m.Offset, m.Lease))]);
    }

    private void SettleTimed(Act act)
    {
        var (chosen, tokens) = Timed(act.A);
        var settlement = act.B % 3 == 0 ? (Settlement)(act.B / 3 % 4) : Settlement.Acknowledge;
        TimeSpan? delay = act.C % 3 == 0 ? TimeSpan.FromMilliseconds(act.C % 2 == 0 ? 0 : (1 + act.C % 4) * 1000 + Story.OddMs) : null;
        var now = Now;
        Equal(chosen.Count, _sim.Execute(() => _queue.SettleAsync(settlement, tokens, delay).AsTask()).Count, "timed leases settled");
        foreach (var message in chosen) _model.Settle(message, settlement, delay is { } time ? (long)time.TotalMilliseconds : -1, now);
    }

    private void Extend(Act act)
    {
        var (chosen, tokens) = Timed(act.A);
        var time = (1 + act.B % 6) * 1000 + Story.OddMs;
        var now = Now;
        Equal(chosen.Count, _sim.Execute(() => _queue.ExtendAsync(tokens, TimeSpan.FromMilliseconds(time)).AsTask()).Count, "timed leases extended");
        foreach (var message in chosen) message.Deadline = now + time;
    }

    private void SettleUpTo(Act act)
    {
        if (_end == 0) return;
        var offset = _end - 1 - act.A % Math.Min(_end, 6);
        _sim.Execute(() => _queue.SettleUpToAsync(offset).AsTask());
        foreach (var message in _model.Messages.Values)
            if (message.Offset <= offset && message.Place != Place.Gone) _model.Go(message, SettleReason.Acknowledged);
    }

    private void Purge(bool everything)
    {
        var now = Now;
        _sim.Execute(() => _queue.PurgeAsync(everything).AsTask());
        if (everything) _model.ForgetIds();
        foreach (var message in _model.Messages.Values)
            if (message.Place != Place.Gone && (everything || QueueModel.IsReady(message, now))) _model.Go(message, SettleReason.Purged);
    }

    private void Seek(Act act)
    {
        if (_end == 0) return;
        var offset = Math.Max(0, _end - act.A % Math.Min(_end + 1, 20));
        var start = ((LocalQueue)_queue).Subscription.Log.StartOffset;
        if (Delivery.ReplayWindowMs > 0)
            foreach (var message in _model.Messages.Values) Check(message.Offset >= start || message.Timestamp + Delivery.ReplayWindowMs < Now, $"{message} is kept for replay");
        var status = _sim.Execute(() => _queue.SeekAsync(offset).AsTask()).Status;
        Equal(offset < start ? QueueStatus.OutOfRange : QueueStatus.Ok, status, "the answer to a seek");
        if (status == QueueStatus.Ok) _model.Seek(offset);
    }

    private void Advance(int seconds)
    {
        for (var i = 0; i < seconds; i++)
        {
            if (i > 0) Quieten();
            _stepStart = Now;
            _timePasses = true;
            PassTo(TimeSpan.FromMilliseconds(Math.Floor(_sim.Time.Elapsed.TotalSeconds) * 1000 + 1500));
        }
    }

    private void Restart()
    {
        _model.ForgetEndedLeases();
        _sim.Execute(async () => await _broker.DisposeAsync());
        foreach (var consumer in _consumers.Concat(_cancelled))
        {
            if (consumer is null) continue;
            Check(consumer.HasEnded || consumer.IsCancelled, $"{consumer} hears of the end");
            foreach (var message in HeldBy(consumer))
            {
                message.WasHeldAtExpiry |= message.ExpiresAt <= Now;
                message.Place = Place.Waiting;
                message.Holder = null;
                message.ReadyAt = 0;
            }
        }
        Array.Clear(_consumers);
        _cancelled.Clear();
        Start();
        _queue = _broker.Queues.Find(QueueName.InDefault("q"))!;
        _dead = _broker.Queues.Find(QueueName.InDefault("dead"));
    }

    private void TakeDeliveries()
    {
        foreach (var consumer in _consumers)
        {
            if (consumer is null || consumer.Arrived.Count == 0) continue;
            Check(consumer.Credit >= consumer.Arrived.Count, $"{consumer} has credit for what it gets");
            if (consumer.Credit != int.MaxValue) consumer.Credit -= consumer.Arrived.Count;
        }
        foreach (var consumer in _cancelled) Check(consumer.Arrived.Count == 0, $"{consumer}, which was cancelled, gets nothing");
        // What was settled as it was delivered has freed its key for what others got after it, perhaps likewise.
        _settledOnArrival.Clear();
        foreach (var consumer in _consumers)
            if (consumer is { Options.AutoAcknowledge: true }) _settledOnArrival.UnionWith(consumer.Arrived.Select(static r => r.Offset));
        foreach (var consumer in _consumers.OrderByDescending(c => c?.Options.AutoAcknowledge))
        {
            if (consumer is null || consumer.Arrived.Count == 0) continue;
            Check(Delivery.Dispatch is not (DispatchMode.Failover or DispatchMode.Exclusive) || consumer == Active(), $"{consumer} is the active one");
            if (!_model.IsByKey && consumer.Arrived.Count > 0)
                Check(!_consumers.Any(c => c is not null && c.Options.Priority > consumer.Options.Priority && c.Credit > 0 && IsEligible(c)), $"no consumer of higher priority than {consumer} has credit left");
            Take(consumer, consumer.Arrived, timed: null);
            consumer.Arrived.Clear();
        }
        foreach (var (holder, got) in _received)
        {
            if (holder is ModelConsumer consumer) Take(consumer, got, timed: null);
            else Take(new object(), got, timed: (TimeSpan)holder);
        }
        _received.Clear();
        VerifyOrder();
    }

    private ModelConsumer? Active() => _consumers.Where(c => c is not null).FirstOrDefault(c => c!.IsActive);

    private bool IsEligible(ModelConsumer consumer) =>
        !consumer.IsCancelled && (Delivery.Dispatch is not (DispatchMode.Failover or DispatchMode.Exclusive) || consumer.IsActive);

    private void Take(object holder, List<Received> got, TimeSpan? timed)
    {
        ModelMessage? last = null;
        foreach (var received in got)
        {
            Check(_model.Messages.TryGetValue(received.Offset, out var message), $"{received} was published");
            Equal(message!.Text, received.Text, $"the text of {received}");
            Check(message.Place == Place.Waiting, $"{message} is nobody's, when {holder} gets it");
            Check(message.ReadyAt <= Now, $"{message} is due, when {holder} gets it at {Now}");
            Check(message.ExpiresAt > _stepStart, $"{message} is not expired, when {holder} gets it at {_stepStart}");
            Check(!message.IsFiltered, $"{message} is not filtered out");
            Check(!_model.IsWornOut(message), $"{message} was not delivered too often");
            if (!_timePasses && last is not null && (!_model.IsOutOfOrder || (_model.IsByKey && last.Key == message.Key))) Check(QueueModel.Compare(last, message) < 0, $"{last} comes before {message}");
            last = message;
            if (_model.IsByKey && message.Key is { } key)
            {
                foreach (var other in _model.Messages.Values)
                {
                    if (other == message || other.Key != key) continue;
                    // One that came back is delivered although a later one of its key is held, where leases are timed.
                    var isEarlier = timed is not null && other.Offset > message.Offset;
                    Check(other.Place != Place.Held || other.Holder == holder || (isEarlier && other.Lease > 0), $"{message} goes to whoever holds {other}");
                    Check(other.Place != Place.Cooling || isEarlier, $"{message} waits for {other}");
                    Check(other.Offset > message.Offset || other.Place != Place.Waiting || _settledOnArrival.Contains(other.Offset) || other.Count == 0 && other.DeliverAt > _stepStart - 1000 || other.ExpiresAt <= Now || other.IsFiltered || _model.IsWornOut(other), $"{message} does not overtake {other}");
                }
            }
            QueueModel.Deliver(message, holder, received.Lease, timed is { } time ? Now + (long)time.TotalMilliseconds : 0);
            Equal(message.Count, received.Count, $"deliveries of {message}");
            Check(timed is not null == received.Lease > 0, "timed leases have numbers, others have none");
            if (received.Lease > 0) _stale.Add(new LeaseToken(received.Offset, received.Lease));
            _taken.Add(message);
            if (holder is ModelConsumer { Options.AutoAcknowledge: true }) _model.Go(message, SettleReason.Acknowledged);
        }
    }

    /// <summary>Nothing that could have been delivered was passed over.</summary>
    private void VerifyOrder()
    {
        if (_taken.Count > 0 && !_timePasses)
        {
            foreach (var left in _model.Messages.Values)
            {
                if (!_model.IsDeliverable(left, _stepStart) || _model.IsKeyTaken(left)) continue;
                foreach (var taken in _taken) Check(QueueModel.Compare(left, taken) > 0 || _model.IsOutOfOrder, $"{left} comes before {taken}, and was passed over");
            }
        }
        _taken.Clear();
    }

    private void Compare()
    {
        var now = Now;
        var there = _sim.Execute(async () => TestConsumer.ReadAll((await _queue.PeekAsync(0, 100_000)).Deliveries)).ToDictionary(r => r.Offset);
        var dead = new SortedDictionary<string, int>(StringComparer.Ordinal);
        if (_dead is not null)
            foreach (var text in _sim.Execute(async () => TestConsumer.ReadAll((await _dead.PeekAsync(0, 100_000)).Deliveries)).Select(r => r.Text)) dead[text] = dead.GetValueOrDefault(text) + 1;
        var dropped = new List<ModelMessage>();
        _isUnclear = false;
        foreach (var message in _model.Messages.Values)
        {
            var isThere = there.TryGetValue(message.Offset, out var seen);
            if (message.Place == Place.Gone)
            {
                Check(!isThere, $"{message} is settled");
                continue;
            }
            if (isThere)
            {
                Equal(message.Count, seen!.Count, $"deliveries of {message}");
                continue;
            }
            Check(message.Place == Place.Waiting, $"{message} is there, as it is held");
            Resolve(message, now, dead, dropped);
        }
        Check(there.Keys.All(_model.Messages.ContainsKey), "only what was published is there");
        Equal(string.Join(' ', _model.Dead), string.Join(' ', dead), "dead letters");
        VerifyLimit(now, dropped);
        VerifyNothingIsLeftUndone(now);
        VerifyCounts(now);
    }

    /// <summary>A message is gone that nobody took: there must be a reason.</summary>
    private void Resolve(ModelMessage message, long now, SortedDictionary<string, int> dead, List<ModelMessage> dropped)
    {
        var mayExpire = message.ExpiresAt <= now;
        var mayFilter = message.IsFiltered && QueueModel.IsReady(message, now);
        var isWorn = _model.IsWornOut(message) && QueueModel.IsReady(message, now);
        var mayDrop = _story.Settings.Overflow == Overflow.DropHead && (_story.Settings.MaxLength >= 0 || _story.Settings.MaxLengthBytes >= 0) && QueueModel.IsReady(message, now);
        Check(mayExpire || mayFilter || isWorn || mayDrop, $"{message} is there");
        if (mayDrop)
        {
            if (mayExpire || mayFilter || isWorn) _isUnclear = true;
            else dropped.Add(message);
        }
        var isDead = dead.GetValueOrDefault(message.Text) > _model.Dead.GetValueOrDefault(message.Text);
        if (mayFilter && !isDead) _model.Go(message, SettleReason.Filtered);
        else _model.Die(message, mayExpire && !isWorn ? SettleReason.Expired : SettleReason.Dropped);
    }

    private void VerifyLimit(long now, List<ModelMessage> dropped)
    {
        var settings = _story.Settings;
        if (settings.Overflow != Overflow.DropHead) return;
        // Those that wait for their keys are not dropped.
        if (_model.Messages.Values.Any(m => m.Place == Place.Waiting && _model.IsKeyTaken(m))) return;
        var (count, bytes) = (_model.ReadyCount(now), _model.WaitingBytes);
        Check(settings.MaxLength < 0 || count <= settings.MaxLength, $"{count} messages are no more than {settings.MaxLength}");
        Check(settings.MaxLengthBytes < 0 || bytes <= settings.MaxLengthBytes || count == 0, $"{bytes} bytes are no more than {settings.MaxLengthBytes}");
        if (dropped.Count == 0 || _timePasses || _isUnclear) return;
        dropped.Sort(QueueModel.Compare);
        var last = dropped[^1];
        foreach (var left in _model.Messages.Values)
            Check(!_model.IsDeliverable(left, now) || _model.IsOutOfOrder || QueueModel.Compare(last, left) < 0, $"{left} goes before {last} does");
        // Where keys take turns, the one that went last is not the last in order.
        Check(_model.IsOutOfOrder ? dropped.Exists(HadToGo) : HadToGo(last), $"{last} had to go, with {count} messages and {bytes} bytes left");

        bool HadToGo(ModelMessage message) =>
            (settings.MaxLength >= 0 && count + 1 > settings.MaxLength) || (settings.MaxLengthBytes >= 0 && bytes + message.Text.Length > settings.MaxLengthBytes);
    }

    private void VerifyNothingIsLeftUndone(long now)
    {
        var hasDemand = _consumers.Any(c => c is { Credit: > 0 } && IsEligible(c));
        var lanes = new HashSet<int>();
        foreach (var message in _model.Messages.Values)
        {
            if (hasDemand && !_model.IsKeyTaken(message)) Check(!_model.IsDeliverable(message, now), $"{message} is delivered, as somebody has credit");
            if (!QueueModel.IsReady(message, now) || _model.IsOutOfOrder) continue;
            if (Delivery.Expiry == ExpiryScope.Anywhere && message.ExpiresAt < message.Timestamp + (Delivery.MessageLifetimeMs < 0 ? long.MaxValue >> 1 : Delivery.MessageLifetimeMs) && !message.WasHeldAtExpiry)
                Check(message.ExpiresAt > now, $"{message} is taken out, its time being up");
            if (lanes.Add(message.Lane)) Check(message.ExpiresAt > now, $"{message} is taken out at the head, its time being up");
        }
        if (Delivery.Dispatch is DispatchMode.Failover or DispatchMode.Exclusive)
        {
            var open = _consumers.Where(c => c is not null).ToList();
            Check(open.Count == 0 || open.Count(c => c!.IsActive) == 1, "one consumer is active");
        }
    }

    private void VerifyCounts(long now)
    {
        var counts = _sim.Execute(() => _queue.GetCountsAsync().AsTask());
        var conservation = _sim.Execute(() => _queue.GetConservationAsync().AsTask());
        var ready = _model.ReadyCount(now);
        var delayed = _model.Messages.Values.LongCount(m => m.Place == Place.Waiting && m.ReadyAt > now);
        var held = _model.Messages.Values.LongCount(m => m.Place is Place.Held or Place.Cooling);
        Equal((ready, delayed, held), (counts.Ready, counts.Delayed, counts.Leased), "ready, delayed, leased");
        Equal((ready, delayed, held), (conservation.Ready, conservation.Delayed, conservation.Leased), "ready, delayed, leased, as counted one by one");
        Check(conservation.In == conservation.Out, $"nothing is lost or made: {conservation}");
        Equal((_model.Accepted, _model.Replayed), (conservation.Accepted, conservation.Replayed), "accepted, replayed");
        Equal(
            (_model.Settled(SettleReason.Acknowledged), _model.Settled(SettleReason.DeadLettered), _model.Settled(SettleReason.Purged)),
            (conservation.Acknowledged, conservation.DeadLettered, conservation.Purged), "acknowledged, dead-lettered, purged");
        // Of one to which several of these may happen the model does not know which did.
        Equal(
            _model.Settled(SettleReason.Expired) + _model.Settled(SettleReason.Dropped) + _model.Settled(SettleReason.Filtered),
            conservation.Expired + conservation.Dropped + conservation.Filtered, "expired, dropped and filtered");
        if (_story.Settings.MaxLengthBytes >= 0) Equal(_model.WaitingBytes, counts.ReadyBytes, "bytes that nobody holds");
        Equal(_consumers.Count(c => c is not null), counts.Consumers, "consumers");
    }

    private static void Check(bool condition, string rule)
    {
        if (!condition) throw new InvalidOperationException($"Broken: {rule}.");
    }

    private static void Equal<T>(T expected, T actual, string what)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual)) throw new InvalidOperationException($"{what}: {actual}, and not {expected}.");
    }
}

using Dragoman.Broker.Queues;

namespace Dragoman.Broker.Subscriptions;

/// <summary>Hands messages out.</summary>
internal sealed partial class Subscription
{
    private const int FillBytes = 64 << 10;
    private const int MaxDealt = 1024;
    private const int MaxRounds = 64;

    private readonly LogCursor _cursor;
    private readonly LogCursor _returnedCursor;
    private readonly List<Consumer> _outgoing = [];
    private readonly List<ReceiveRequest> _answered = [];

    /// <summary>What a round of a pass needs next.</summary>
    private enum Need
    {
        Nothing,
        Turn,
        Messages,
        ReturnedMessages,
    }

    private void Pass()
    {
        for (var round = 0; ; round++)
        {
            Need need;
            long from;
            long end;
            lock (Gate)
            {
                if (_isDeleted) return;
                need = Deal();
                end = End;
                from = need == Need.ReturnedMessages ? _returned.Peek().Offset : _next;
            }
            Push();
            if (need == Need.Nothing) break;
            if (round == MaxRounds)
            {
                Schedule();
                break;
            }
            if (need == Need.Turn) continue;
            if (need == Need.ReturnedMessages)
            {
                _returnedCursor.Fill(from, Math.Max(end, from + 1), 1);
                continue;
            }
            var found = _cursor.Fill(from, end, FillBytes);
            if (_cursor.TryMoveTo(from)) continue;
            // Nothing but the marks of transactions: they are no messages.
            lock (Gate)
            {
                if (_isDeleted || !found) break;
                SkipTo(_cursor.NextOffset);
            }
        }
        StartCommit();
    }

    /// <summary>Hands out messages that were read, until there is no demand, nothing more was read, or others wait for the lock.</summary>
    private Need Deal()
    {
        var end = End;
        for (var dealt = 0; dealt < MaxDealt; dealt++)
        {
            var request = _receives.Count > 0 ? _receives.Peek() : null;
            var consumer = request is null ? _ring.Current : request.Consumer;
            if (consumer is null) return Need.Nothing;
            if (_returned.TryPeek(out var returned, out _))
            {
                if (!_returnedCursor.TryMoveTo(returned.Offset)) return Need.ReturnedMessages;
                _returned.Dequeue();
                if (_returnedCursor.Current.Offset != returned.Offset)
                {
                    _pending.Add(SettleReason.Filtered, returned.Offset, returned.Offset + 1);
                    continue;
                }
                Hand(consumer, request, _returnedCursor, returned.Count);
                continue;
            }
            _next = _machine.Settled.NextOutside(_next);
            if (_next >= end)
            {
                AnswerReceives();
                return Need.Nothing;
            }
            if (!_cursor.TryMoveTo(_next)) return Need.Messages;
            var offset = _cursor.Current.Offset;
            if (offset > _next)
            {
                SkipTo(offset);
                continue;
            }
            _next++;
            Hand(consumer, request, _cursor, offset < _reached ? Math.Max(_machine.CountOf(offset), 1) : 0);
        }
        return Need.Turn;
    }

    /// <summary>Gives up offsets at which there is no message.</summary>
    private void SkipTo(long offset)
    {
        while (_next < offset)
        {
            var end = Math.Min(_machine.Settled.NextInside(_next), offset);
            if (end > _next) _pending.Add(SettleReason.Filtered, _next, end);
            _next = _machine.Settled.NextOutside(end);
        }
    }

    private void Hand(Consumer consumer, ReceiveRequest? request, LogCursor cursor, int deliveredBefore)
    {
        var record = cursor.Current;
        var count = deliveredBefore + 1;
        _reached = Math.Max(_reached, record.Offset + 1);
        if (consumer.Options.AutoAcknowledge)
        {
            _pending.Add(SettleReason.Acknowledged, record.Offset, record.Offset + 1);
        }
        else
        {
            _leases.Add(record.Offset, new Lease { Holder = consumer, Count = count, Size = record.Size });
            consumer.Held++;
            if (count > 1) _pending.Count(record.Offset, count);
        }
        var delivery = new Delivery(record.Offset, count, 0, record.Timestamp, record.Size);
        if (request is not null)
        {
            (request.Deliveries ??= DeliveryBatch.Rent()).Add(delivery, cursor.Buffer, record.Position);
            if (request.Deliveries.Count < request.MaxMessages) return;
            _receives.Dequeue();
            _answered.Add(request);
            return;
        }
        if (consumer.Outgoing is null)
        {
            consumer.Outgoing = DeliveryBatch.Rent();
            _outgoing.Add(consumer);
        }
        consumer.Outgoing.Add(delivery, cursor.Buffer, record.Position);
        consumer.Spend(record.Size);
        if (consumer.HasCredit) _ring.Turn();
        else _ring.Remove(consumer);
    }

    /// <summary>Nothing is ready: those who asked for what there is get what they have.</summary>
    private void AnswerReceives()
    {
        while (_receives.TryDequeue(out var request)) _answered.Add(request);
    }

    /// <summary>Lets the consumers have what was handed out to them, without the lock.</summary>
    private void Push()
    {
        foreach (var consumer in _outgoing)
        {
            var deliveries = consumer.Outgoing!;
            consumer.Outgoing = null;
            consumer.Sink.OnDeliveries(consumer, deliveries);
        }
        _outgoing.Clear();
        foreach (var request in _answered) request.Answer.TrySetResult(new ReceiveAnswer(QueueStatus.Ok, request.Deliveries));
        _answered.Clear();
    }
}

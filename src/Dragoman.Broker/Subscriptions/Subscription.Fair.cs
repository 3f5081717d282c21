using Dragoman.Broker.Messages;

namespace Dragoman.Broker.Subscriptions;

/// <summary>Hands out messages of keys of which little is held before those of others.</summary>
internal sealed partial class Subscription
{
    /// <summary>Messages of keys of which some are held that are passed over at most to find one of a quiet key; few where they are large.</summary>
    private const int FairLookAhead = 1000;
    private const int FairLookAheadLarge = 64;
    private const int LargeBytes = 16 << 10;

    /// <summary>A key of which so many messages are there is not quiet; and so many of quiet keys are known apart from the lanes at most.</summary>
    private const int QuietMessages = 100;
    private const int MostQuietlyKnown = 10_000;

    /// <summary>Messages of quiet keys that came in while others were before them. They are known apart once they are committed.</summary>
    private readonly Queue<(long Offset, UInt128 Key)> _arrivedQuietly = new();

    private bool IsFair => Delivery.Dispatch == DispatchMode.Fair && _queueSettings.MaxPriority == 0;

    /// <summary>
    /// Takes in messages of which some have keys. Where others wait already, those of quiet keys need not queue behind them: what
    /// one key has too many of is in the lane, and what others have few of is known apart.
    /// </summary>
    private void ArrivedFairly(long baseOffset, MessageBatch batch)
    {
        var lane = Lane(0);
        var end = baseOffset + batch.Count;
        if (ReadyUpTo(baseOffset) == 0)
        {
            lane.AddRange(baseOffset, end, isPlain: true);
            return;
        }
        if (Delivery.MessageLifetimeMs >= 0) _expiryApart = Math.Min(_expiryApart, batch.FirstTimestamp + Delivery.MessageLifetimeMs);
        var keys = _keys ??= new KeyTable(isFair: true);
        var offset = baseOffset;
        var start = baseOffset;
        batch.ForEach((in MessageView message) =>
        {
            if (!message.Key.IsNull && keys.Waiting + _arrivedQuietly.Count < MostQuietlyKnown && KeyTable.Hash(message.Key.Span) is var key && keys.KnownOf(key) < QuietMessages)
            {
                if (start < offset) lane.AddRange(start, offset, isPlain: true);
                start = offset + 1;
                _arrivedQuietly.Enqueue((offset, key));
            }
            offset++;
        });
        if (start < end) lane.AddRange(start, end, isPlain: true);
    }

    /// <summary>Takes in the messages of quiet keys that are committed.</summary>
    private void TakeArrivedQuietly(long end)
    {
        while (_arrivedQuietly.TryPeek(out var arrived) && arrived.Offset < end)
        {
            _arrivedQuietly.Dequeue();
            if (!_gone.Contains(arrived.Offset)) _keys!.SetAside(arrived.Key, arrived.Offset);
        }
    }

    /// <summary>
    /// Passes over the first message of the lanes, if much of its key is held and others may be quieter; or hands out one that
    /// was passed over, if it is the next. False if the first of the lanes is.
    /// </summary>
    private bool TryFair(ReadyLane? lane, long offset, bool isSingle, bool isPlain, long now, ReceiveRequest? request, Consumer? consumer, out Need need)
    {
        need = Need.Nothing;
        long held = 0;
        long best = -1;
        var hasTurn = _keys is not null && _keys.TryPeekTurn(out _, out held, out best);
        if (lane is null)
        {
            if (hasTurn) need = DealWaiting(best, request, consumer, now);
            return hasTurn;
        }
        if (_keys is null) return false;
        var cursor = isSingle ? _single : lane.Cursor;
        if (!cursor.TryMoveTo(offset))
        {
            need = new Need(cursor, offset);
            return true;
        }
        if (cursor.Current.Offset != offset) return false;
        var view = cursor.Read();
        var key = view.Key.IsNull ? default : KeyTable.Hash(view.Key.Span);
        var ofLane = view.Key.IsNull ? 0 : _keys.HeldOf(key);
        if (ofLane > 0 && _keys.Waiting < (cursor.Current.Size > LargeBytes ? FairLookAheadLarge : FairLookAhead))
        {
            lane.Take(isSingle);
            if (!ResolveLeave(cursor, isPlain, now)) SetAside(cursor, key);
            return true;
        }
        if (!hasTurn || ofLane < held || (ofLane == held && offset < best)) return false;
        need = DealWaiting(best, request, consumer, now);
        return true;
    }

    /// <summary>A message is about to be handed out: one more of its key is held.</summary>
    private void HoldFair(LogCursor cursor)
    {
        var view = cursor.Read();
        if (view.Key.IsNull) return;
        (_keys ??= new KeyTable(isFair: true)).Hold(KeyTable.Hash(view.Key.Span), view.Offset, this);
    }
}

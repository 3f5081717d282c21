using Dragoman.Storage.Records;

namespace Dragoman.Broker.Subscriptions;

/// <summary>Keeps the messages of a key in order: one holder at a time.</summary>
internal sealed partial class Subscription
{
    /// <summary>Messages of other keys that are known beforehand at most, while more of the key are sought for whoever has one.</summary>
    private const int KeyLookAhead = 1000;

    /// <summary>Bytes that are read at most while more messages of a key are sought.</summary>
    private const int KeyLookAheadBytes = 4 << 20;

    /// <summary>How long messages wait apart whose time of sending is not known, before they are looked at.</summary>
    private const int ApartCheckMs = 60_000;

    /// <summary>Holds the keys of messages that were leased before a restart.</summary>
    private static readonly object RecoveredHolder = new();

    private KeyTable? _keys;
    private LogCursor? _aside;

    /// <summary>When the first of the messages that wait apart from the lanes expires, or is to be looked at for that.</summary>
    private long _expiryApart = long.MaxValue;

    /// <summary>
    /// Finds whether the next message is one that waited for its key, or was set aside, rather than the first of the lanes.
    /// Whoever takes messages at once gets as many of one key as there are, and then those of the next one.
    /// </summary>
    /// <param name="request">Who asks, or null for the consumers.</param>
    /// <param name="laneOffset">The first message of the lanes; <see cref="long.MaxValue"/> for none.</param>
    /// <param name="isSingle">Whether that is there by itself: a message of any key that was delayed, say.</param>
    /// <param name="offset">The message that waited.</param>
    private bool TryTurn(ReceiveRequest? request, long laneOffset, bool isSingle, out long offset)
    {
        offset = -1;
        if (_keys is null) return false;
        if (request is { Key: { } current })
        {
            var first = _keys.FirstOf(current);
            if (first >= 0 && MayHold(current, first, request))
            {
                if (!isSingle || laneOffset > first)
                {
                    offset = first;
                    return true;
                }
                // It may be of the same key, and before what waits. Where enough is known already it is next, whoever's it is.
                if (_keys.WaitingWithTurn >= KeyLookAhead) request.Key = null;
                return false;
            }
            if (first < 0 && laneOffset != long.MaxValue && _keys.WaitingWithTurn < KeyLookAhead && request.MayLookAhead) return false;
            request.Key = null;
        }
        if (!_keys.TryPeekTurn(out var key, out var turn, out var next) || laneOffset < turn || (isSingle && laneOffset < next)) return false;
        if (request is { Consumer: null }) request.Key = key;
        offset = next;
        return true;
    }

    /// <summary>Hands out, or takes out, a message that waited for its key.</summary>
    private Need DealWaiting(long offset, ReceiveRequest? request, Consumer? consumer, long now)
    {
        // Not by the cursor for single messages: where a queue is fair that may have been at the first of a lane just now.
        var cursor = _aside ??= new LogCursor(Log);
        if (!cursor.TryMoveTo(offset)) return new Need(cursor, offset);
        var key = _keys!.Take(offset);
        if (cursor.Current.Offset != offset)
        {
            SettleGap(offset, offset + 1);
            _keys.GiveTurn(key);
        }
        else if (ResolveLeave(cursor, isPlain: false, now))
        {
            _keys.GiveTurn(key);
        }
        else if (IsFair)
        {
            HoldFair(cursor);
            Hand(consumer, request, cursor, Lane(0), now);
            _keys.GiveTurn(key);
        }
        else if (!TryKey(cursor, request, ref consumer))
        {
            // It waits for whoever holds its key.
            if (request is not null) request.Key = null;
        }
        else
        {
            Hand(consumer, request, cursor, Lane(0), now);
            // What else of the key waits may go to the same consumer.
            if (consumer is not null) _keys.GiveTurn(key);
        }
        return Need.Nothing;
    }

    /// <summary>
    /// Finds who may have the message on which the cursor stands: whoever holds its key, or whose turn it is. False if it
    /// has to wait: then it does.
    /// </summary>
    private bool TryKey(LogCursor cursor, ReceiveRequest? request, ref Consumer? consumer)
    {
        var view = cursor.Read();
        if (view.Key.IsNull) return true;
        var key = KeyTable.Hash(view.Key.Span);
        var keys = _keys ??= new KeyTable();
        if (request is { Key: { } current } && current != key)
        {
            SetAside(cursor, key);
            request.NotePassed(cursor.Current.Size);
            return false;
        }
        var first = keys.FirstOf(key);
        if ((first >= 0 && first < view.Offset) || !MayHold(key, view.Offset, request, ref consumer))
        {
            NoteApart(cursor);
            keys.Wait(key, view.Offset);
            return false;
        }
        keys.Hold(key, view.Offset, request is null ? consumer! : HolderFor(request));
        if (request is { Consumer: null }) request.Key = key;
        return true;
    }

    private bool MayHold(UInt128 key, long offset, ReceiveRequest request)
    {
        Consumer? consumer = null;
        return MayHold(key, offset, request, ref consumer);
    }

    /// <summary>
    /// Whether nobody else holds the key. Where leases are timed, an earlier message of it is what counts: one that came back
    /// while later ones are held is delivered again, as SQS does.
    /// </summary>
    private bool MayHold(UInt128 key, long offset, ReceiveRequest? request, ref Consumer? consumer)
    {
        var holder = _keys!.HolderOf(key);
        if (holder is null) return true;
        if (request is null)
        {
            if (_keys.IsCooling(key) || holder is not Consumer { IsInRing: true } other) return false;
            consumer = other;
            return true;
        }
        if (request.Consumer is not null) return ReferenceEquals(holder, request.Consumer) && !_keys.IsCooling(key);
        if (_keys.IsWithConsumer(key)) return false;
        var before = _keys.HolderBefore(key, offset);
        return before is null || ReferenceEquals(before, request);
    }

    private static object HolderFor(ReceiveRequest request) => request.Consumer is null ? request : request.Consumer;

    private void HoldKeyAfterRestart(long offset, NullableBytes key)
    {
        if (Delivery.Dispatch != DispatchMode.ByKey || key.IsNull) return;
        _keys ??= new KeyTable();
        if (!_keys.IsHeld(offset)) _keys.Hold(KeyTable.Hash(key.Span), offset, RecoveredHolder);
    }

    /// <summary>A message is no longer held, or is gone: the next one of its key may be tried.</summary>
    private void ReleaseKey(long offset) => _keys?.Release(offset);

    /// <summary>A message that was held waits for its key's turn; false if it has no key.</summary>
    private bool TryReturnToKey(long offset, in Lease lease)
    {
        if (_keys is null || Delivery.Dispatch != DispatchMode.ByKey || !_keys.IsHeld(offset)) return false;
        // A consumer's message is next where it stood. Where leases are timed, a key that comes back is behind the others.
        var turn = offset;
        if (lease.Holder is null)
        {
            turn = End;
            if (Top(turn, out var first, out _, out _) is not null) turn = Math.Min(turn, first + KeyLookAhead);
        }
        // Nobody knows when it was sent without reading it.
        if (MayExpire) _expiryApart = Math.Min(_expiryApart, _host.Now + ApartCheckMs);
        return _keys.TryReturn(offset, turn);
    }

    /// <summary>Passes over the message on which a cursor stands.</summary>
    private void SetAside(LogCursor cursor, UInt128 key)
    {
        NoteApart(cursor);
        _keys!.SetAside(key, cursor.Current.Offset);
    }

    /// <summary>A message is about to wait apart from the lanes, at whose heads alone it is looked for what has expired.</summary>
    private void NoteApart(LogCursor cursor)
    {
        if (MayExpire) _expiryApart = Math.Min(_expiryApart, ExpiryOf(cursor, isPlain: false));
    }

    /// <summary>Puts messages that wait apart back in the lanes, if one of them may have expired: there it is found.</summary>
    private void PutBackExpired(long now)
    {
        if (_expiryApart > now) return;
        _expiryApart = long.MaxValue;
        _keys?.PutBack(Lane(0));
    }
}

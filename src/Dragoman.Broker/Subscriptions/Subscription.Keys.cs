using Dragoman.Storage.Records;

namespace Dragoman.Broker.Subscriptions;

/// <summary>Keeps the messages of a key in order: one holder at a time.</summary>
internal sealed partial class Subscription
{
    /// <summary>Holds the keys of messages that were leased before a restart.</summary>
    private static readonly object RecoveredHolder = new();

    /// <summary>Holds the keys of messages that came back and wait: nobody gets what is behind them.</summary>
    private static readonly object CoolingHolder = new();

    private KeyTable? _keys;

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
        if (keys.HasEarlier(key, view.Offset))
        {
            keys.Block(key, view.Offset);
            return false;
        }
        var holder = keys.HolderOf(key);
        if (holder is not null)
        {
            if (request is null && holder is Consumer other && other.IsInRing) consumer = other;
            else if (request is null || !ReferenceEquals(holder, HolderFor(request)))
            {
                keys.Block(key, view.Offset);
                return false;
            }
        }
        keys.Hold(key, view.Offset, request is null ? consumer : HolderFor(request));
        return true;
    }

    private static object HolderFor(ReceiveRequest request) => request.Consumer is null ? request : request.Consumer;

    private void HoldKeyAfterRestart(long offset, NullableBytes key)
    {
        if (Delivery.Dispatch != DispatchMode.ByKey || key.IsNull) return;
        _keys ??= new KeyTable();
        if (!_keys.IsHeld(offset)) _keys.Hold(KeyTable.Hash(key.Span), offset, RecoveredHolder);
    }

    /// <summary>A message is no longer held, or is gone: the next one of its key may be tried.</summary>
    private void ReleaseKey(long offset)
    {
        if (_keys is null) return;
        for (var next = _keys.Release(offset); next >= 0; next = _keys.Release(next))
        {
            if (_gone.Contains(next)) continue;
            Lane(0).AddSingle(next);
            return;
        }
    }
}

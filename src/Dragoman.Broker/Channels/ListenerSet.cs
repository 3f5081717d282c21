namespace Dragoman.Broker.Channels;

/// <summary>
/// Who listens to one channel or pattern. Changed under the lock of its space; read without one, from a copy that is
/// made when the first message comes after a change, so that ten thousand who come one after the other cost no
/// ten thousand copies.
/// </summary>
internal sealed class ListenerSet(byte[] name, bool isPattern)
{
    private readonly List<ChannelSubscription> _subscriptions = [];
    private volatile ChannelSubscription[]? _copy;

    public byte[] Name { get; } = name;

    public bool IsPattern { get; } = isPattern;

    /// <summary>How many there are.</summary>
    public int Count => _subscriptions.Count;

    /// <summary>The subscriptions, if nothing has changed since they were last copied.</summary>
    public ChannelSubscription[]? Copy => _copy;

    public ChannelSubscription[] MakeCopy() => _copy ??= [.. _subscriptions];

    public ChannelSubscription Add(IChannelListener listener)
    {
        var added = new ChannelSubscription(listener, this) { Place = _subscriptions.Count };
        _subscriptions.Add(added);
        _copy = null;
        return added;
    }

    public void Remove(ChannelSubscription subscription)
    {
        var last = _subscriptions[^1];
        _subscriptions[subscription.Place] = last;
        last.Place = subscription.Place;
        _subscriptions.RemoveAt(_subscriptions.Count - 1);
        _copy = null;
    }
}

namespace Dragoman.Broker.Channels;

/// <summary>Hears what is published to channels while it listens.</summary>
public interface IChannelListener
{
    /// <summary>
    /// Messages were published. Called on the publisher's thread with no lock held: it must be quick and must neither
    /// block, throw nor publish. What the messages hold is valid during the call. A call that was under way when the
    /// subscription ended may still arrive: <see cref="ChannelSubscription.IsEnded"/> says so.
    /// </summary>
    /// <param name="subscription">The subscription that they match. A listener with several hears them once for each.</param>
    /// <param name="messages">The messages.</param>
    void OnMessages(ChannelSubscription subscription, in ChannelMessages messages);
}

/// <summary>That somebody listens to a channel, or to all channels that match a pattern.</summary>
public sealed class ChannelSubscription
{
    private volatile bool _ended;

    internal ChannelSubscription(IChannelListener listener, ListenerSet set)
    {
        Listener = listener;
        Set = set;
    }

    /// <summary>The channel's name, or the pattern.</summary>
    public ReadOnlyMemory<byte> Name => Set.Name;

    /// <summary>Whether it is to all channels that match a pattern.</summary>
    public bool IsPattern => Set.IsPattern;

    /// <summary>Who listens.</summary>
    public IChannelListener Listener { get; }

    /// <summary>Whether it has ended.</summary>
    public bool IsEnded
    {
        get => _ended;
        internal set => _ended = value;
    }

    internal ListenerSet Set { get; }

    /// <summary>Where it is in its set.</summary>
    internal int Place { get; set; }
}

using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Topics;

namespace Dragoman.Broker.Channels;

/// <summary>How a publish to a channel ended.</summary>
/// <param name="Heard">How many subscriptions heard it, or will when it is committed.</param>
/// <param name="Problem">What is wrong, for a person; null if nothing is.</param>
public readonly record struct ChannelAnswer(int Heard, string? Problem = null);

/// <summary>
/// Channels: topics as those hear them who listen at the moment. A topic without a log is heard when it is published to;
/// what a topic's log keeps is heard when it is committed, whoever published it.
/// </summary>
public interface IChannels
{
    /// <summary>Rises with every change that may make a <see cref="ChannelTarget"/> another.</summary>
    long Version { get; }

    /// <summary>Who listens to the topics of a namespace.</summary>
    ChannelSpace In(NamespaceName ns);

    /// <summary>Finds out what publishing to a channel means. The answer holds while <see cref="Version"/> stays.</summary>
    /// <param name="ns">The namespace.</param>
    /// <param name="channel">The channel's name.</param>
    ChannelTarget Resolve(NamespaceName ns, ReadOnlySpan<byte> channel);

    /// <summary>
    /// Publishes to a channel that somebody keeps messages of. The payload is copied before the call returns; calls by one
    /// caller take effect in the order in which they are made.
    /// </summary>
    /// <param name="target">The channel; not a transient one, which <see cref="ChannelSpace.Publish"/> is for.</param>
    /// <param name="payload">The message.</param>
    ValueTask<ChannelAnswer> PublishAsync(ChannelTarget target, ReadOnlySpan<byte> payload);

    /// <summary>Calls an observer from now on.</summary>
    void AddObserver(IChannelObserver observer);
}

/// <summary>What publishing to a channel means.</summary>
public sealed class ChannelTarget
{
    internal ChannelTarget(ChannelSpace space, ReadOnlyMemory<byte> channel, Routing.RouteResult? route, long version)
    {
        Space = space;
        Channel = channel;
        Version = version;
        if (route is null) return;
        Logs = [.. route.Logs];
        Queues = [.. route.Queues];
        Routes = [.. route.Routes];
        Channels = [.. route.Channels];
    }

    /// <summary>The channel's name.</summary>
    public ReadOnlyMemory<byte> Channel { get; }

    /// <summary>Whether nobody keeps the messages: they are heard, or not, and that is all.</summary>
    public bool IsTransient => Logs.Length == 0 && Queues.Length == 0 && Routes.Length == 0 && Channels.Length <= 1;

    /// <summary>The version that this holds for.</summary>
    public long Version { get; }

    internal ChannelSpace Space { get; }

    internal ITopicHandle[] Logs { get; } = [];

    internal Queues.IQueueHandle[] Queues { get; } = [];

    internal Routing.Rules.RuledRoute[] Routes { get; } = [];

    /// <summary>The topics without a log that the message passes, this one first.</summary>
    internal TopicName[] Channels { get; } = [];
}

using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;
using Dragoman.Broker.Topics;

namespace Dragoman.Broker.Routing.Rules;

/// <summary>A message on its way from a topic along a <see cref="RuledRoute"/>.</summary>
public readonly ref struct RoutedMessage
{
    internal RoutedMessage(TopicName topic, Guid id, long now, MessageView message, QueueSettings target)
    {
        Target = target;
        Topic = topic;
        Id = id;
        Now = now;
        Message = message;
    }

    /// <summary>The topic that the route begins at.</summary>
    public TopicName Topic { get; }

    /// <summary>
    /// What tells the message from all others, the same on all of its ways: the message's own id if that is such a one, else one
    /// that follows from where the message lies in a log, or is made when it is published.
    /// </summary>
    public Guid Id { get; }

    /// <summary>The time, in milliseconds since 1970: what comes to a queue counts from then.</summary>
    public long Now { get; }

    /// <summary>The settings of the queue that it goes to.</summary>
    public QueueSettings Target { get; }

    /// <summary>The message.</summary>
    public MessageView Message { get; }
}

/// <summary>Why a message went to a route's dead letters, for whoever looks at it there.</summary>
/// <param name="Code">A short name.</param>
/// <param name="Text">What is wrong, for a person.</param>
public sealed record Undeliverable(string Code, string Text);

/// <summary>
/// Makes of what is published to a topic what a route's target gets. A front end registers it under a name; the broker knows
/// nothing of what it does. It must be quick, must not throw, and is called with no lock held, by several threads at once.
/// </summary>
public interface IRouteTransformation
{
    /// <summary>The name that routes have it by.</summary>
    string Name { get; }

    /// <summary>Adds what the target gets to a batch.</summary>
    /// <param name="message">The message.</param>
    /// <param name="route">The route that it takes.</param>
    /// <param name="reason">Why it goes to the route's dead letters and not to its target; null if it does not.</param>
    /// <param name="batch">Takes it.</param>
    void Add(in RoutedMessage message, RuledRoute route, Undeliverable? reason, MessageBatch batch);
}

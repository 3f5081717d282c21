using System.Text.Json.Nodes;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing;
using Dragoman.Protocols.Authentication;

namespace Dragoman.Protocols.RabbitMq;

/// <summary>Who acts in a virtual host.</summary>
/// <param name="Identity">What the client may do.</param>
/// <param name="User">The name that it goes by.</param>
/// <param name="Space">The namespace that the virtual host is.</param>
/// <param name="VirtualHost">The virtual host's name.</param>
public sealed record AmqpCaller(ClientIdentity Identity, string User, NamespaceName Space, string VirtualHost);

/// <summary>What AMQP refuses, with the code and the text that an AMQP client would get.</summary>
/// <param name="code">The reply code, such as 404.</param>
/// <param name="name">The code's name, such as <c>NOT_FOUND</c>.</param>
/// <param name="text">What is wrong, without the code's name.</param>
public sealed class AmqpRefusalException(int code, string name, string text) : Exception(text)
{
    /// <summary>The code's name.</summary>
    public string Name { get; } = name;

    /// <summary>The reply code.</summary>
    public int Code { get; } = code;
}

/// <summary>A queue as AMQP declares queues.</summary>
/// <param name="Type"><c>classic</c>, <c>quorum</c> or <c>stream</c>.</param>
/// <param name="IsDurable">Whether it is there after a restart.</param>
/// <param name="IsExclusive">Whether it belongs to a connection.</param>
/// <param name="AutoDelete">Whether it goes with its last consumer.</param>
/// <param name="Arguments">The arguments that it was declared with.</param>
public sealed record AmqpQueue(string Type, bool IsDurable, bool IsExclusive, bool AutoDelete, JsonObject Arguments);

/// <summary>A message to be published.</summary>
/// <param name="Exchange">The exchange; empty for the default one.</param>
/// <param name="RoutingKey">The routing key.</param>
/// <param name="Properties">The properties, by AMQP's names with underscores.</param>
/// <param name="Body">The body.</param>
public sealed record AmqpMessage(string Exchange, string RoutingKey, JsonObject Properties, ReadOnlyMemory<byte> Body);

/// <summary>A message that was got from a queue.</summary>
/// <param name="Message">The message.</param>
/// <param name="IsRedelivered">Whether it had been delivered before.</param>
/// <param name="Left">Messages that are ready in the queue behind it.</param>
public sealed record AmqpGot(AmqpMessage Message, bool IsRedelivered, long Left);

/// <summary>What becomes of messages that were got.</summary>
public enum AmqpGetMode
{
    /// <summary>They are done with.</summary>
    Acknowledge,

    /// <summary>They go back.</summary>
    Requeue,

    /// <summary>They are dead-lettered.</summary>
    Reject,
}

/// <summary>
/// AMQP's view of queues, exchanges and bindings, in JSON's terms, for RabbitMQ's management API: what AMQP 0-9-1 can do,
/// with its checks, permissions and texts. The AMQP front end implements it.
/// </summary>
public interface IAmqpTopology
{
    /// <summary>What AMQP says of a queue.</summary>
    AmqpQueue Describe(QueueSettings settings);

    /// <summary>The arguments that an exchange was declared with.</summary>
    JsonObject ArgumentsOf(ExchangeFacet facet);

    /// <summary>Who declared an exchange; null if that was not AMQP.</summary>
    string? UserOf(ExchangeFacet facet);

    /// <summary>The arguments of a binding.</summary>
    JsonObject ArgumentsOf(Route route);

    /// <summary>Makes sure that a queue is there.</summary>
    /// <returns>Whether it was made now.</returns>
    /// <exception cref="AmqpRefusalException">It cannot be, or is another one.</exception>
    ValueTask<bool> DeclareQueueAsync(AmqpCaller caller, string queue, bool isDurable, bool autoDelete, JsonObject arguments);

    /// <summary>Deletes a queue.</summary>
    /// <exception cref="AmqpRefusalException">The client may not, or it is in use.</exception>
    ValueTask DeleteQueueAsync(AmqpCaller caller, IQueueHandle queue, bool ifUnused, bool ifEmpty);

    /// <summary>Drops the messages that wait in a queue.</summary>
    /// <exception cref="AmqpRefusalException">The client may not, or the queue is a stream.</exception>
    ValueTask PurgeAsync(AmqpCaller caller, IQueueHandle queue);

    /// <summary>Makes sure that an exchange is there.</summary>
    /// <returns>Whether it was made now.</returns>
    /// <exception cref="AmqpRefusalException">It cannot be, or is another one.</exception>
    ValueTask<bool> DeclareExchangeAsync(AmqpCaller caller, string exchange, string type, bool isDurable, bool autoDelete, bool isInternal, JsonObject arguments);

    /// <summary>Deletes an exchange.</summary>
    /// <exception cref="AmqpRefusalException">The client may not, or it is in use.</exception>
    ValueTask DeleteExchangeAsync(AmqpCaller caller, string exchange, bool ifUnused);

    /// <summary>Makes a binding.</summary>
    /// <returns>The arguments as the broker keeps them.</returns>
    /// <exception cref="AmqpRefusalException">The client may not, or an end is not there.</exception>
    ValueTask<JsonObject> BindAsync(AmqpCaller caller, string source, RouteTargetKind kind, string destination, string routingKey, JsonObject arguments);

    /// <summary>Ends a binding.</summary>
    /// <exception cref="AmqpRefusalException">The client may not.</exception>
    ValueTask UnbindAsync(AmqpCaller caller, Route route);

    /// <summary>Publishes a message, and waits until it is safe.</summary>
    /// <returns>Whether it reached a queue or a log.</returns>
    /// <exception cref="AmqpRefusalException">It cannot be published.</exception>
    ValueTask<bool> PublishAsync(AmqpCaller caller, AmqpMessage message);

    /// <summary>Gets messages that are ready.</summary>
    /// <exception cref="AmqpRefusalException">The client may not, or the queue gives none this way.</exception>
    ValueTask<IReadOnlyList<AmqpGot>> GetAsync(AmqpCaller caller, IQueueHandle queue, int count, AmqpGetMode mode);
}

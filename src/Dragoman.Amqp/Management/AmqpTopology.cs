using System.Text.Json.Nodes;
using Dragoman.Amqp.Access;
using Dragoman.Amqp.Topology;
using Dragoman.Amqp.Wire;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Amqp.Management;

/// <summary>What AMQP clients can do to queues, exchanges and bindings, for the management API.</summary>
internal sealed class AmqpTopology(AmqpFrontEnd frontEnd) : IAmqpTopology
{
    private Broker.Broker Broker => frontEnd.Broker;

    public AmqpQueue Describe(QueueSettings settings)
    {
        var declaration = QueueDeclaration.Of(settings);
        var type = declaration.Type;
        // A stream that another protocol made says so by what it keeps.
        if (settings.Retention is not null) type = StreamArguments.QueueType;
        return new AmqpQueue(type, declaration.IsDurable, declaration.IsExclusive, declaration.AutoDelete, JsonTable.Write(declaration.Arguments));
    }

    public JsonObject ArgumentsOf(ExchangeFacet facet) => JsonTable.Write(ExchangeDeclaration.ArgumentsOf(facet));

    public string? UserOf(ExchangeFacet facet) => ExchangeDeclaration.UserOf(facet);

    public JsonObject ArgumentsOf(Route route)
    {
        ArgumentNullException.ThrowIfNull(route);
        return JsonTable.Write(Attributes.ToTable(route.Arguments));
    }

    public ValueTask<bool> DeclareQueueAsync(AmqpCaller caller, string queue, bool isDurable, bool autoDelete, JsonObject arguments) => Translate(async () =>
    {
        var name = new QueueName(caller.Space, queue);
        var text = Text(caller, "queue", queue);
        Require(caller, Operations.Configure, ResourceKind.Queue, queue);
        var declaration = new QueueDeclaration { IsDurable = isDurable, AutoDelete = autoDelete, Arguments = JsonTable.Read(arguments) }.In(Broker, caller.Space);
        var settings = declaration.ToSettings(text);
        if (settings.Subscription.DeadLetter is { Topic: { } exchange })
        {
            Require(caller, Operations.Read, ResourceKind.Queue, queue);
            if (exchange.Length > 0) Require(caller, Operations.Write, ResourceKind.Topic, exchange);
        }
        for (var attempt = 0; ; attempt++)
        {
            if (Broker.Queues.Find(name) is { } known)
            {
                var existing = QueueDeclaration.Of(known.Settings);
                if (existing.IsExclusive) throw ExclusiveQueues.Locked(text);
                declaration.CheckSame(existing, text);
                return false;
            }
            if (queue.StartsWith("amq.", StringComparison.Ordinal)) throw Errors.Refused($"queue name '{queue}' contains reserved prefix 'amq.*'");
            Occupancy.RequireQueue(Broker, name, caller.VirtualHost);
            var answer = await Broker.Queues.DeclareAsync(name, settings).ConfigureAwait(false);
            if (answer.Status == QueueStatus.Ok) return true;
            if (answer.Status != QueueStatus.AlreadyExists || attempt == 100) throw Handlers.Queues.Failed(answer, text);
            // Somebody else was quicker, and may be about to finish.
            if (answer.Queue is null) await Task.Delay(10).ConfigureAwait(false);
        }
    });

    public async ValueTask DeleteQueueAsync(AmqpCaller caller, IQueueHandle queue, bool ifUnused, bool ifEmpty) => await Translate(async () =>
    {
        var text = Text(caller, "queue", queue.Name.Name);
        Require(caller, Operations.Configure, ResourceKind.Queue, queue.Name.Name);
        if (QueueDeclaration.Of(queue.Settings).IsExclusive) throw ExclusiveQueues.Locked(text);
        var conditions = (ifUnused ? DeleteConditions.IfUnused : 0) | (ifEmpty ? DeleteConditions.IfEmpty : 0);
        var answer = await Broker.Queues.DeleteAsync(queue, conditions).ConfigureAwait(false);
        if (answer.Status == QueueStatus.InUse) throw Errors.Precondition($"{text} in use");
        if (answer.Status == QueueStatus.NotEmpty) throw Errors.Precondition($"{text} not empty");
        if (answer.Status is not (QueueStatus.Ok or QueueStatus.NotFound)) throw Handlers.Queues.Failed(answer, text);
        return true;
    }).ConfigureAwait(false);

    public async ValueTask PurgeAsync(AmqpCaller caller, IQueueHandle queue) => await Translate(async () =>
    {
        var text = Text(caller, "queue", queue.Name.Name);
        Require(caller, Operations.Read, ResourceKind.Queue, queue.Name.Name);
        if (queue.Settings.Retention is not null) throw Errors.NotImplemented($"queue.purge not supported by stream queues {text}");
        if (QueueDeclaration.Of(queue.Settings).IsExclusive) throw ExclusiveQueues.Locked(text);
        var answer = await queue.PurgeAsync().ConfigureAwait(false);
        if (answer.Status != QueueStatus.Ok) throw Handlers.Queues.Failed(new QueueAnswer(answer.Status, null, Message: answer.Message), text);
        return true;
    }).ConfigureAwait(false);

    public ValueTask<bool> DeclareExchangeAsync(AmqpCaller caller, string exchange, string type, bool isDurable, bool autoDelete, bool isInternal, JsonObject arguments) => Translate(async () =>
    {
        var name = new TopicName(caller.Space, exchange);
        var text = Text(caller, "exchange", exchange);
        Handlers.Exchanges.RefuseDefault(exchange);
        if (!ExchangeTypes.IsKnown(type)) throw Errors.Precondition($"unknown exchange type '{type}'");
        Require(caller, Operations.Configure, ResourceKind.Topic, exchange);
        var facet = ExchangeDeclaration.ToFacet(type, isDurable, autoDelete, isInternal, JsonTable.Read(arguments), text);
        if (facet.AlternateTopic is { } alternate)
        {
            Require(caller, Operations.Read, ResourceKind.Topic, exchange);
            Require(caller, Operations.Write, ResourceKind.Topic, alternate);
        }
        var existing = Broker.Routing.Find(name);
        if (existing is { IsDeclared: false } && exchange.StartsWith("amq.", StringComparison.Ordinal))
        {
            ExchangeDeclaration.CheckSame(existing.Value.Facet, facet, text);
            return false;
        }
        if (existing is not { IsDeclared: true } && exchange.StartsWith("amq.", StringComparison.Ordinal)) throw Errors.Refused($"exchange name '{exchange}' contains reserved prefix 'amq.*'");
        var answer = await Broker.Routing.DeclareAsync(name, ExchangeDeclaration.By(facet, caller.User)).ConfigureAwait(false);
        Handlers.Exchanges.Check(answer);
        if (answer.Existing is not { } known) return true;
        ExchangeDeclaration.CheckSame(known, facet, text);
        return false;
    });

    public async ValueTask DeleteExchangeAsync(AmqpCaller caller, string exchange, bool ifUnused) => await Translate(async () =>
    {
        var text = Text(caller, "exchange", exchange);
        Handlers.Exchanges.RefuseDefault(exchange);
        Require(caller, Operations.Configure, ResourceKind.Topic, exchange);
        if (exchange.StartsWith("amq.", StringComparison.Ordinal)) throw Errors.Refused($"deletion of system {text} not allowed");
        var answer = await Broker.Routing.DeleteAsync(new TopicName(caller.Space, exchange), ifUnused).ConfigureAwait(false);
        if (answer.Status == RoutingStatus.InUse) throw Errors.Precondition($"{text} in use");
        if (answer.Status != RoutingStatus.NotFound) Handlers.Exchanges.Check(answer);
        return true;
    }).ConfigureAwait(false);

    public ValueTask<JsonObject> BindAsync(AmqpCaller caller, string source, RouteTargetKind kind, string destination, string routingKey, JsonObject arguments) => Translate(async () =>
    {
        var kept = Attributes.ToArguments(JsonTable.Read(arguments));
        Handlers.Exchanges.RefuseDefault(source);
        RoutingAnswer answer;
        if (kind == RouteTargetKind.Queue)
        {
            Require(caller, Operations.Write, ResourceKind.Queue, destination);
            Require(caller, Operations.Read, ResourceKind.Topic, source);
            var from = FindExchange(caller, source);
            RequireKey(caller, Operations.Read, from, routingKey);
            if (Broker.Queues.Find(new QueueName(caller.Space, destination)) is not { } queue) throw Errors.NoQueue(destination, caller.VirtualHost);
            if (QueueDeclaration.Of(queue.Settings).IsExclusive) throw ExclusiveQueues.Locked(Text(caller, "queue", destination));
            answer = await Broker.Routing.BindAsync(from.Name, queue, routingKey, kept).ConfigureAwait(false);
        }
        else
        {
            Handlers.Exchanges.RefuseDefault(destination);
            Require(caller, Operations.Write, ResourceKind.Topic, destination);
            Require(caller, Operations.Read, ResourceKind.Topic, source);
            var from = FindExchange(caller, source);
            RequireKey(caller, Operations.Read, from, routingKey);
            answer = await Broker.Routing.BindAsync(from.Name, FindExchange(caller, destination).Name, routingKey, kept).ConfigureAwait(false);
        }
        if (answer.Status == RoutingStatus.NotFound) throw Errors.NoExchange(source, caller.VirtualHost);
        Handlers.Exchanges.Check(answer);
        return JsonTable.Write(Attributes.ToTable(kept));
    });

    public async ValueTask UnbindAsync(AmqpCaller caller, Route route) => await Translate(async () =>
    {
        var kind = route.Target.Kind == RouteTargetKind.Queue ? ResourceKind.Queue : ResourceKind.Topic;
        Require(caller, Operations.Write, kind, route.Target.Name);
        Require(caller, Operations.Read, ResourceKind.Topic, route.Source.Name);
        RequireKey(caller, Operations.Read, FindExchange(caller, route.Source.Name), route.Key);
        if (kind == ResourceKind.Topic)
        {
            Handlers.Exchanges.Check(await Broker.Routing.UnbindAsync(route.Source, new TopicName(route.Source.Namespace, route.Target.Name), route.Key, route.Arguments).ConfigureAwait(false));
        }
        else if (Broker.Queues.Find(route.Target.Id) is { } queue)
        {
            Handlers.Exchanges.Check(await Broker.Routing.UnbindAsync(route.Source, queue, route.Key, route.Arguments).ConfigureAwait(false));
        }
        return true;
    }).ConfigureAwait(false);

    public ValueTask<bool> PublishAsync(AmqpCaller caller, AmqpMessage message) => Translate(() => DirectPublish.RunAsync(frontEnd, caller, message));

    public ValueTask<IReadOnlyList<AmqpGot>> GetAsync(AmqpCaller caller, IQueueHandle queue, int count, AmqpGetMode mode) => Translate(() => DirectGet.RunAsync(caller, queue, count, mode));

    /// <summary>Checks that the client may, in RabbitMQ's words.</summary>
    internal static void Require(AmqpCaller caller, Operations operation, ResourceKind kind, string name)
    {
        if (caller.Identity.Allows(operation, kind, caller.Space, name)) return;
        var access = operation switch { Operations.Configure => "configure", Operations.Write => "write", _ => "read" };
        var thing = kind == ResourceKind.Queue ? "queue" : "exchange";
        throw Errors.Refused($"{access} access to {thing} '{name}' in vhost '{caller.VirtualHost}' refused for user '{caller.User}'");
    }

    /// <summary>Checks that the client may use a routing key at an exchange whose routing keys have permissions.</summary>
    internal static void RequireKey(AmqpCaller caller, Operations operation, RoutingTopic exchange, string routingKey)
    {
        if (exchange.Facet.Type != ExchangeTypes.Topic || caller.Identity.AllowsKey(operation, exchange.Name, routingKey)) return;
        throw Errors.KeyRefused(operation, routingKey, exchange.Name.Name, caller.VirtualHost, caller.User);
    }

    /// <summary>A thing as error texts name it.</summary>
    internal static string Text(AmqpCaller caller, string kind, string name) => $"{kind} '{name}' in vhost '{caller.VirtualHost}'";

    private RoutingTopic FindExchange(AmqpCaller caller, string exchange) =>
        Broker.Routing.Find(new TopicName(caller.Space, exchange)) ?? throw Errors.NoExchange(exchange, caller.VirtualHost);

    /// <summary>Runs something, and tells what AMQP would say if it fails.</summary>
    private static async ValueTask<T> Translate<T>(Func<ValueTask<T>> act)
    {
        try
        {
            return await act().ConfigureAwait(false);
        }
        catch (ChannelException refused)
        {
            throw new AmqpRefusalException((int)refused.Code, refused.Code.Name(), refused.Message);
        }
        catch (ConnectionException refused)
        {
            throw new AmqpRefusalException((int)refused.Code, refused.Code.Name(), refused.Message);
        }
        catch (AmqpWireException malformed)
        {
            throw new AmqpRefusalException((int)malformed.Code, malformed.Code.Name(), malformed.Message);
        }
    }
}

using Dragoman.Amqp.Sessions;
using Dragoman.Amqp.Topology;
using Dragoman.Amqp.Wire.Methods;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;

namespace Dragoman.Amqp.Handlers;

/// <summary>Makes sure that an exchange is there.</summary>
internal sealed class ExchangeDeclareHandler : ChannelMethod<ExchangeDeclare>
{
    protected override async ValueTask HandleAsync(Channel channel, ExchangeDeclare method)
    {
        var session = channel.Session;
        var routing = session.FrontEnd.Broker.Routing;
        var name = new TopicName(session.Namespace, method.Exchange);
        var exchange = Exchanges.Describe(session, method.Exchange);
        if (method.Passive)
        {
            Exchanges.RefuseDefault(method.Exchange);
            if (routing.Find(name) is null) throw Errors.NoExchange(method.Exchange, session.VirtualHost);
        }
        else
        {
            Exchanges.RefuseDefault(method.Exchange);
            if (!ExchangeTypes.IsKnown(method.Type)) throw Errors.Precondition($"unknown exchange type '{method.Type}'");
            session.Require(Operations.Configure, ResourceKind.Topic, method.Exchange);
            var facet = ExchangeDeclaration.ToFacet(method.Type, method.Durable, method.AutoDelete, method.Internal, method.Arguments, exchange);
            if (facet.AlternateTopic is { } alternate)
            {
                session.Require(Operations.Read, ResourceKind.Topic, method.Exchange);
                session.Require(Operations.Write, ResourceKind.Topic, alternate);
            }
            if (routing.Find(name) is not { IsDeclared: true } && method.Exchange.StartsWith("amq.", StringComparison.Ordinal))
                throw Errors.Refused($"exchange name '{method.Exchange}' contains reserved prefix 'amq.*'");
            var answer = await routing.DeclareAsync(name, ExchangeDeclaration.By(facet, session.User.Name)).ConfigureAwait(false);
            Exchanges.Check(answer);
            if (answer.Existing is { } existing) ExchangeDeclaration.CheckSame(existing, facet, exchange);
        }
        if (!method.NoWait) channel.Send(default(ExchangeDeclareOk));
    }
}

/// <summary>Deletes an exchange and its bindings.</summary>
internal sealed class ExchangeDeleteHandler : ChannelMethod<ExchangeDelete>
{
    protected override async ValueTask HandleAsync(Channel channel, ExchangeDelete method)
    {
        var session = channel.Session;
        Exchanges.RefuseDefault(method.Exchange);
        session.Require(Operations.Configure, ResourceKind.Topic, method.Exchange);
        if (method.Exchange.StartsWith("amq.", StringComparison.Ordinal))
            throw Errors.Refused($"deletion of system {Exchanges.Describe(session, method.Exchange)} not allowed");
        var answer = await session.FrontEnd.Broker.Routing.DeleteAsync(new TopicName(session.Namespace, method.Exchange), method.IfUnused).ConfigureAwait(false);
        if (answer.Status == RoutingStatus.InUse) throw Errors.Precondition($"{Exchanges.Describe(session, method.Exchange)} in use");
        // That it is not there is what was asked for.
        if (answer.Status != RoutingStatus.NotFound) Exchanges.Check(answer);
        if (!method.NoWait) channel.Send(default(ExchangeDeleteOk));
    }
}

/// <summary>Carries messages from one exchange to another.</summary>
internal sealed class ExchangeBindHandler : ChannelMethod<ExchangeBind>
{
    protected override async ValueTask HandleAsync(Channel channel, ExchangeBind method)
    {
        var (source, target) = Exchanges.Ends(channel.Session, method.Source, method.Destination);
        var routing = channel.Session.FrontEnd.Broker.Routing;
        if (routing.Find(source) is null) throw Errors.NoExchange(method.Source, channel.Session.VirtualHost);
        if (routing.Find(target) is null) throw Errors.NoExchange(method.Destination, channel.Session.VirtualHost);
        Exchanges.RequireKey(channel.Session, source, method.RoutingKey);
        var answer = await routing.BindAsync(source, target, method.RoutingKey, Attributes.ToArguments(method.Arguments)).ConfigureAwait(false);
        Exchanges.Check(answer, channel.Session, method.Source);
        if (!method.NoWait) channel.Send(default(ExchangeBindOk));
    }
}

/// <summary>Ends that.</summary>
internal sealed class ExchangeUnbindHandler : ChannelMethod<ExchangeUnbind>
{
    protected override async ValueTask HandleAsync(Channel channel, ExchangeUnbind method)
    {
        var (source, target) = Exchanges.Ends(channel.Session, method.Source, method.Destination);
        Exchanges.RequireKey(channel.Session, source, method.RoutingKey);
        var routing = channel.Session.FrontEnd.Broker.Routing;
        // Where one of the two is not there, no binding is, as was asked for.
        if (routing.Find(source) is not null && routing.Find(target) is not null)
            Exchanges.Check(await routing.UnbindAsync(source, target, method.RoutingKey, Attributes.ToArguments(method.Arguments)).ConfigureAwait(false));
        if (!method.NoWait) channel.Send(default(ExchangeUnbindOk));
    }
}

/// <summary>What methods of exchanges share.</summary>
internal static class Exchanges
{
    /// <summary>An exchange as error texts name it.</summary>
    public static string Describe(AmqpSession session, string exchange) => $"exchange '{exchange}' in vhost '{session.VirtualHost}'";

    /// <summary>The default exchange is the queues themselves, and cannot be changed.</summary>
    public static void RefuseDefault(string exchange)
    {
        if (exchange.Length == 0) throw Errors.Refused("operation not permitted on the default exchange");
    }

    /// <summary>The two ends of a binding between exchanges.</summary>
    public static (TopicName Source, TopicName Target) Ends(AmqpSession session, string source, string target)
    {
        RefuseDefault(source);
        RefuseDefault(target);
        session.Require(Operations.Write, ResourceKind.Topic, target);
        session.Require(Operations.Read, ResourceKind.Topic, source);
        return (new TopicName(session.Namespace, source), new TopicName(session.Namespace, target));
    }

    /// <summary>The topic that an exchange is, which must be there.</summary>
    public static TopicName Find(AmqpSession session, string exchange)
    {
        var name = new TopicName(session.Namespace, exchange);
        return session.FrontEnd.Broker.Routing.Find(name) is null ? throw Errors.NoExchange(exchange, session.VirtualHost) : name;
    }

    /// <summary>Checks that the user may bind with a routing key.</summary>
    public static void RequireKey(AmqpSession session, TopicName source, string routingKey)
    {
        if (session.FrontEnd.Broker.Routing.Find(source) is { } found) session.RequireKey(Operations.Read, found, routingKey);
    }

    /// <summary>Tells the client if something could not be done.</summary>
    public static void Check(in RoutingAnswer answer)
    {
        if (answer.Status == RoutingStatus.Invalid) throw Errors.Precondition(answer.Message!);
        if (answer.Status != RoutingStatus.Ok) throw Errors.Internal(answer.Message ?? answer.Status.ToString());
    }

    /// <inheritdoc cref="Check(in RoutingAnswer)"/>
    public static void Check(in RoutingAnswer answer, AmqpSession session, string exchange)
    {
        if (answer.Status == RoutingStatus.NotFound) throw Errors.NoExchange(exchange, session.VirtualHost);
        Check(answer);
    }
}

using System.Security.Cryptography;
using Dragoman.Amqp.Access;
using Dragoman.Amqp.Sessions;
using Dragoman.Amqp.Topology;
using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;

namespace Dragoman.Amqp.Handlers;

/// <summary>Makes sure that a queue is there.</summary>
internal sealed class QueueDeclareHandler : ChannelMethod<QueueDeclare>
{
    protected override async ValueTask HandleAsync(Channel channel, QueueDeclare method)
    {
        var session = channel.Session;
        if (method.Passive && DirectReplies.IsQueue(method.Queue))
        {
            Reply(channel, method, method.Queue, default, 1);
            return;
        }
        var queue = method.Passive ? Queues.FindNamed(channel.Session, method.Queue) : await DeclareAsync(channel, method).ConfigureAwait(false);
        channel.LastQueue = queue.Name.Name;
        if (method.NoWait) return;
        var counts = await queue.GetCountsAsync().ConfigureAwait(false);
        Reply(channel, method, queue.Name.Name, counts.Ready, counts.Consumers);
    }

    private static void Reply(Channel channel, in QueueDeclare method, string name, long messages, int consumers)
    {
        if (!method.NoWait) channel.Send(new QueueDeclareOk { Queue = name, MessageCount = (uint)Math.Min(messages, uint.MaxValue), ConsumerCount = (uint)consumers });
    }

    private static async ValueTask<IQueueHandle> DeclareAsync(Channel channel, QueueDeclare method)
    {
        var session = channel.Session;
        var queues = session.FrontEnd.Broker.Queues;
        var isNamedHere = method.Queue.Length == 0;
        var name = new QueueName(session.Namespace, isNamedHere ? NewName() : method.Queue);
        var text = Queues.Describe(session, name.Name);
        session.Require(Operations.Configure, ResourceKind.Queue, name.Name);
        if (!isNamedHere && name.Name.StartsWith("amq.", StringComparison.Ordinal) && queues.Find(name) is null)
            throw Errors.Refused($"queue name '{name.Name}' contains reserved prefix 'amq.*'");
        var declaration = new QueueDeclaration { IsDurable = method.Durable, IsExclusive = method.Exclusive, AutoDelete = method.AutoDelete, Arguments = method.Arguments }.In(session.FrontEnd.Broker, session.Namespace);
        var settings = declaration.ToSettings(text);
        if (settings.Subscription.DeadLetter is { Topic: { } exchange })
        {
            session.Require(Operations.Read, ResourceKind.Queue, name.Name);
            if (exchange.Length > 0) session.Require(Operations.Write, ResourceKind.Topic, exchange);
        }
        for (var attempt = 0; ; attempt++)
        {
            if (queues.Find(name) is { } known)
            {
                Check(session, known, declaration, text);
                return known;
            }
            Occupancy.RequireQueue(session.FrontEnd.Broker, name, session.VirtualHost);
            var answer = await queues.DeclareAsync(name, settings).ConfigureAwait(false);
            switch (answer.Status)
            {
                case QueueStatus.Ok:
                    if (method.Exclusive) session.FrontEnd.Exclusive.Own(session, answer.Queue!);
                    return answer.Queue!;
                case QueueStatus.AlreadyExists when attempt < 100:
                    // Somebody else was quicker, and may be about to finish.
                    if (answer.Queue is null) await Task.Delay(10).ConfigureAwait(false);
                    continue;
                default:
                    throw Queues.Failed(answer, text);
            }
        }
    }

    private static void Check(AmqpSession session, IQueueHandle queue, QueueDeclaration declaration, string text)
    {
        var existing = QueueDeclaration.Of(queue.Settings);
        session.FrontEnd.Exclusive.Check(session, queue, text);
        if (existing.IsExclusive != declaration.IsExclusive) throw ExclusiveQueues.Locked(text);
        declaration.CheckSame(existing, text);
    }

    private static string NewName() => $"amq.gen-{Convert.ToBase64String(RandomNumberGenerator.GetBytes(16)).Replace('+', '-').Replace('/', '_').TrimEnd('=')}";
}

/// <summary>Carries messages from an exchange to a queue.</summary>
internal sealed class QueueBindHandler : ChannelMethod<QueueBind>
{
    protected override async ValueTask HandleAsync(Channel channel, QueueBind method)
    {
        var session = channel.Session;
        Queues.RequireBinding(session, Queues.NameOf(channel, method.Queue), method.Exchange);
        var source = Exchanges.Find(session, method.Exchange);
        var queue = Queues.FindOpen(channel, method.Queue);
        var key = Queues.RoutingKey(channel, method.Queue, method.RoutingKey);
        Exchanges.RequireKey(session, source, key);
        var answer = await session.FrontEnd.Broker.Routing.BindAsync(source, queue, key, Attributes.ToArguments(method.Arguments)).ConfigureAwait(false);
        Exchanges.Check(answer, session, method.Exchange);
        if (!method.NoWait) channel.Send(default(QueueBindOk));
    }
}

/// <summary>Ends that.</summary>
internal sealed class QueueUnbindHandler : ChannelMethod<QueueUnbind>
{
    protected override async ValueTask HandleAsync(Channel channel, QueueUnbind method)
    {
        var session = channel.Session;
        var name = Queues.NameOf(channel, method.Queue);
        Queues.RequireBinding(session, name, method.Exchange);
        var source = new TopicName(session.Namespace, method.Exchange);
        // Where one of the two is not there, no binding is, as was asked for.
        if (session.FrontEnd.Broker.Routing.Find(source) is null || session.FrontEnd.Broker.Queues.Find(new QueueName(session.Namespace, name)) is null)
        {
            channel.Send(default(QueueUnbindOk));
            return;
        }
        var queue = Queues.FindOpen(channel, method.Queue);
        var key = Queues.RoutingKey(channel, method.Queue, method.RoutingKey);
        Exchanges.RequireKey(session, source, key);
        Exchanges.Check(await session.FrontEnd.Broker.Routing.UnbindAsync(source, queue, key, Attributes.ToArguments(method.Arguments)).ConfigureAwait(false));
        channel.Send(default(QueueUnbindOk));
    }
}

/// <summary>Drops the messages that wait in a queue.</summary>
internal sealed class QueuePurgeHandler : ChannelMethod<QueuePurge>
{
    protected override async ValueTask HandleAsync(Channel channel, QueuePurge method)
    {
        var queue = Queues.FindOpen(channel, method.Queue);
        channel.Session.Require(Operations.Read, ResourceKind.Queue, queue.Name.Name);
        if (queue.Settings.Retention is not null)
            throw Errors.NotImplemented($"queue.purge not supported by stream queues {Queues.Describe(channel.Session, queue.Name.Name)}");
        // What this connection has published before is in the queue, or it would survive.
        await channel.Session.Publishes.WaitForAllAsync().ConfigureAwait(false);
        var answer = await queue.PurgeAsync().ConfigureAwait(false);
        if (answer.Status != QueueStatus.Ok) throw Queues.Failed(new QueueAnswer(answer.Status, null, Message: answer.Message), Queues.Describe(channel.Session, queue.Name.Name));
        if (!method.NoWait) channel.Send(new QueuePurgeOk { MessageCount = (uint)Math.Min(answer.Count, uint.MaxValue) });
    }
}

/// <summary>Deletes a queue.</summary>
internal sealed class QueueDeleteHandler : ChannelMethod<QueueDelete>
{
    protected override async ValueTask HandleAsync(Channel channel, QueueDelete method)
    {
        var session = channel.Session;
        var name = Queues.NameOf(channel, method.Queue);
        session.Require(Operations.Configure, ResourceKind.Queue, name);
        var text = Queues.Describe(session, name);
        var deleted = 0L;
        if (session.FrontEnd.Broker.Queues.Find(new QueueName(session.Namespace, name)) is { } queue)
        {
            session.FrontEnd.Exclusive.Check(session, queue, text);
            await session.Publishes.WaitForAllAsync().ConfigureAwait(false);
            var conditions = (method.IfUnused ? DeleteConditions.IfUnused : 0) | (method.IfEmpty ? DeleteConditions.IfEmpty : 0);
            var answer = await session.FrontEnd.Broker.Queues.DeleteAsync(queue, conditions).ConfigureAwait(false);
            if (answer.Status == QueueStatus.InUse) throw Errors.Precondition($"{text} in use");
            if (answer.Status == QueueStatus.NotEmpty) throw Errors.Precondition($"{text} not empty");
            // That it is not there is what was asked for.
            if (answer.Status is not (QueueStatus.Ok or QueueStatus.NotFound)) throw Queues.Failed(answer, text);
            deleted = answer.Messages;
        }
        if (!method.NoWait) channel.Send(new QueueDeleteOk { MessageCount = (uint)Math.Min(deleted, uint.MaxValue) });
    }
}

/// <summary>What methods of queues share.</summary>
internal static class Queues
{
    /// <summary>A queue as error texts name it.</summary>
    public static string Describe(AmqpSession session, string queue) => $"queue '{queue}' in vhost '{session.VirtualHost}'";

    /// <summary>A queue's name; an empty one is that of the queue that was declared last.</summary>
    public static string NameOf(Channel channel, string queue)
    {
        if (queue.Length > 0) return queue;
        return channel.LastQueue.Length > 0 ? channel.LastQueue : throw new ChannelException(ReplyCode.NotFound, "no previously declared queue");
    }

    /// <summary>A routing key; an empty one beside an empty queue is the name of the queue that was declared last.</summary>
    public static string RoutingKey(Channel channel, string queue, string routingKey) => queue.Length == 0 && routingKey.Length == 0 ? channel.LastQueue : routingKey;

    /// <summary>A queue that the connection may use.</summary>
    /// <exception cref="ChannelException">There is none, or it is another connection's.</exception>
    public static IQueueHandle FindOpen(Channel channel, string queue) => FindNamed(channel.Session, NameOf(channel, queue));

    /// <inheritdoc cref="FindOpen"/>
    public static IQueueHandle FindNamed(AmqpSession session, string name)
    {
        if (session.FrontEnd.Broker.Queues.Find(new QueueName(session.Namespace, name)) is not { } found) throw Errors.NoQueue(name, session.VirtualHost);
        session.FrontEnd.Exclusive.Check(session, found, Describe(session, name));
        return found;
    }

    /// <summary>Checks that the user may bind a queue to an exchange.</summary>
    public static void RequireBinding(AmqpSession session, string queue, string exchange)
    {
        Exchanges.RefuseDefault(exchange);
        session.Require(Operations.Write, ResourceKind.Queue, queue);
        session.Require(Operations.Read, ResourceKind.Topic, exchange);
    }

    /// <summary>An answer that says that something could not be done.</summary>
    public static Exception Failed(in QueueAnswer answer, string text) => answer.Status switch
    {
        QueueStatus.NotFound => new ChannelException(ReplyCode.NotFound, $"no {text}"),
        QueueStatus.InvalidName or QueueStatus.InvalidSettings => Errors.Precondition(answer.Message ?? $"{text} cannot be declared"),
        _ => Errors.Internal(answer.Message ?? $"{text}: {answer.Status}"),
    };
}

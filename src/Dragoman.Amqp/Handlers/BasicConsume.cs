using System.Security.Cryptography;
using Dragoman.Amqp.Messages;
using Dragoman.Amqp.Sessions;
using Dragoman.Amqp.Topology;
using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Security;
using Dragoman.Broker.Subscriptions;

namespace Dragoman.Amqp.Handlers;

/// <summary>Begins deliveries from a queue.</summary>
internal sealed class BasicConsumeHandler : ChannelMethod<BasicConsume>
{
    protected override async ValueTask HandleAsync(Channel channel, BasicConsume method)
    {
        var tag = method.ConsumerTag.Length > 0 ? method.ConsumerTag : $"amq.ctag-{Convert.ToBase64String(RandomNumberGenerator.GetBytes(16)).Replace('+', '-').Replace('/', '_').TrimEnd('=')}";
        if (channel.Consumers.ContainsKey(tag) || channel.Replies?.Tag == tag) throw Errors.NotAllowed($"attempt to reuse consumer tag '{tag}'");
        if (DirectReplies.IsQueue(method.Queue))
        {
            TakeReplies(channel, method, tag);
            return;
        }
        var session = channel.Session;
        var queue = Queues.FindOpen(channel, method.Queue);
        var text = Queues.Describe(session, queue.Name.Name);
        session.Require(Operations.Read, ResourceKind.Queue, queue.Name.Name);
        var options = new ConsumerOptions
        {
            Name = tag,
            AutoAcknowledge = method.NoAck,
            IsExclusive = method.Exclusive,
            Priority = Priority(method.Arguments, text),
        };
        if (queue.Settings.Retention is not null) options = ForStream(options, channel, method, text);
        var isQuorum = QueueDeclaration.Of(queue.Settings).Type == "quorum";
        var consumer = new ConsumerSource(channel, queue, tag, method.NoAck, channel.ConsumerPrefetch, tellsDeliveryCount: isQuorum) { Arguments = FieldJson.Write(method.Arguments) };
        var answer = await queue.ConsumeAsync(options, consumer).ConfigureAwait(false);
        switch (answer.Status)
        {
            case QueueStatus.Ok:
                break;
            case QueueStatus.InUse:
                throw Errors.Refused($"{text} in exclusive use");
            case QueueStatus.NotFound:
                throw Errors.NoQueue(queue.Name.Name, session.VirtualHost);
            default:
                throw Errors.Internal($"{text}: {answer.Status}");
        }
        channel.AddConsumer(consumer);
        if (!method.NoWait) channel.Send(new BasicConsumeOk { ConsumerTag = tag });
        consumer.Start(answer.Consumer!);
    }

    /// <summary>What a consumer of a stream needs: its acknowledgements ask for more, so it must acknowledge, and say how much.</summary>
    private static ConsumerOptions ForStream(ConsumerOptions options, Channel channel, in BasicConsume method, string queue)
    {
        if (method.NoAck) throw Errors.NotImplemented($"automatic acknowledgement not supported by stream queues {queue}");
        if (channel.ConsumerPrefetch == 0) throw Errors.Precondition($"consumer prefetch count is not set for '{queue}'");
        if (channel.Shared.IsLimited) throw Errors.NotImplemented($"{queue} does not support global qos");
        var now = channel.Session.FrontEnd.Broker.Time.GetUtcNow().ToUnixTimeMilliseconds();
        return options with { From = StreamArguments.ReadFrom(method.Arguments, queue, now), Filter = StreamArguments.ReadFilter(method.Arguments, queue) };
    }

    private static void TakeReplies(Channel channel, in BasicConsume method, string tag)
    {
        if (!method.NoAck) throw Errors.Precondition("reply consumer cannot acknowledge");
        if (channel.Replies is not null) throw Errors.Precondition("reply consumer already set");
        channel.Replies = new DirectReplies(channel, tag);
        if (!method.NoWait) channel.Send(new BasicConsumeOk { ConsumerTag = tag });
    }

    private static int Priority(FieldTable arguments, string queue)
    {
        if (!arguments.TryGet("x-priority", out var value)) return 0;
        if (value.Class != FieldClass.Integer) throw Errors.Precondition($"invalid arg 'x-priority' for {queue}: {{unacceptable_type,{value.TypeName}}}");
        return (int)Math.Clamp(value.Bits, int.MinValue, int.MaxValue);
    }
}

/// <summary>Ends deliveries.</summary>
internal sealed class BasicCancelHandler : ChannelMethod<BasicCancel>
{
    protected override async ValueTask HandleAsync(Channel channel, BasicCancel method)
    {
        if (channel.Replies is { } replies && replies.Tag == method.ConsumerTag)
        {
            replies.Dispose();
            channel.Replies = null;
        }
        // That there is no such consumer any more is what was asked for.
        else if (channel.TakeConsumer(method.ConsumerTag) is { } consumer)
        {
            await channel.CancelAsync(consumer).ConfigureAwait(false);
        }
        if (!method.NoWait) channel.Send(new BasicCancelOk { ConsumerTag = method.ConsumerTag });
    }
}

/// <summary>The client has understood that its consumer has ended.</summary>
internal sealed class BasicCancelOkHandler : ChannelMethod<BasicCancelOk>
{
    protected override ValueTask HandleAsync(Channel channel, BasicCancelOk method) => default;
}

/// <summary>
/// Limits what is delivered and not settled: for consumers that are yet to come, each for itself; or, global, for all of
/// the channel together.
/// </summary>
internal sealed class BasicQosHandler : ChannelMethod<BasicQos>
{
    protected override ValueTask HandleAsync(Channel channel, BasicQos method)
    {
        if (method.PrefetchSize != 0) throw Errors.NotImplemented($"prefetch_size!=0 ({method.PrefetchSize})");
        if (method.Global) channel.LimitAll(method.PrefetchCount);
        else channel.ConsumerPrefetch = method.PrefetchCount;
        channel.Send(default(BasicQosOk));
        return default;
    }
}

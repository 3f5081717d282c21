using Dragoman.Amqp.Sessions;
using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;
using Dragoman.Broker.Subscriptions;

namespace Dragoman.Amqp.Handlers;

/// <summary>The client is done with messages.</summary>
internal sealed class BasicAckHandler : MethodHandler
{
    public override MethodId Id => BasicAck.Id;

    public override bool Gathers => true;

    public override ValueTask Handle(AmqpSession session, Channel? channel, ReadOnlySpan<byte> arguments)
    {
        var reader = new WireReader(arguments);
        var tag = reader.LongLong();
        channel!.Settle(Settlement.Acknowledge, tag, multiple: (reader.Octet() & 1) != 0);
        return default;
    }
}

/// <summary>The client cannot do with messages: they come again, or are dead-lettered.</summary>
internal sealed class BasicNackHandler : ChannelMethod<BasicNack>
{
    public override bool Gathers => true;

    protected override ValueTask HandleAsync(Channel channel, BasicNack method)
    {
        channel.Settle(method.Requeue ? Settlement.Return : Settlement.Reject, method.DeliveryTag, method.Multiple);
        return default;
    }
}

/// <summary>The same for one message, as AMQP had it first.</summary>
internal sealed class BasicRejectHandler : ChannelMethod<BasicReject>
{
    public override bool Gathers => true;

    protected override ValueTask HandleAsync(Channel channel, BasicReject method)
    {
        channel.Settle(method.Requeue ? Settlement.Return : Settlement.Reject, method.DeliveryTag, multiple: false);
        return default;
    }
}

/// <summary>The client asks for all that it has not settled once more; RabbitMQ lets it go back to the queue, whatever is asked.</summary>
internal sealed class BasicRecoverHandler : ChannelMethod<BasicRecover>
{
    protected override ValueTask HandleAsync(Channel channel, BasicRecover method)
    {
        if (!method.Requeue) throw Errors.NotImplemented("requeue=false");
        channel.Recover();
        channel.Session.Flush();
        channel.Send(default(BasicRecoverOk));
        return default;
    }
}

/// <summary>The same without an answer.</summary>
internal sealed class BasicRecoverAsyncHandler : ChannelMethod<BasicRecoverAsync>
{
    protected override ValueTask HandleAsync(Channel channel, BasicRecoverAsync method)
    {
        if (!method.Requeue) throw Errors.NotImplemented("requeue=false");
        channel.Recover();
        return default;
    }
}

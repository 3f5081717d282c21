using Dragoman.Amqp.Sessions;
using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;

namespace Dragoman.Amqp.Handlers;

/// <summary>Opens a channel.</summary>
internal sealed class ChannelOpenHandler : ChannelMethod<ChannelOpen>
{
    /// <summary>Opens the channel of a number: the one method of channels that comes before there is one.</summary>
    public static ValueTask Open(AmqpSession session, ushort number, Channel? existing)
    {
        if (existing is not null) throw new ConnectionException(ReplyCode.ChannelError, "second 'channel.open' seen");
        if (number > session.ChannelMax || session.Channels.Count >= session.ChannelMax)
            throw Errors.NotAllowed($"number of channels opened ({session.Channels.Count}) has reached the negotiated channel_max ({session.ChannelMax})");
        session.AddChannel(number);
        session.Output.Send(number, default(ChannelOpenOk));
        return default;
    }

    protected override ValueTask HandleAsync(Channel channel, ChannelOpen method) => throw new ConnectionException(ReplyCode.ChannelError, "second 'channel.open' seen");
}

/// <summary>Asks the server to stop deliveries, which RabbitMQ has not done for years: clients cancel or limit instead.</summary>
internal sealed class ChannelFlowHandler : ChannelMethod<ChannelFlow>
{
    protected override ValueTask HandleAsync(Channel channel, ChannelFlow method)
    {
        if (!method.Active) throw Errors.NotImplemented("active=false");
        channel.Send(new ChannelFlowOk { Active = true });
        return default;
    }
}

/// <summary>Answers a question that is never asked.</summary>
internal sealed class ChannelFlowOkHandler : ChannelMethod<ChannelFlowOk>
{
    protected override ValueTask HandleAsync(Channel channel, ChannelFlowOk method) => default;
}

/// <summary>The client closes a channel.</summary>
internal sealed class ChannelCloseHandler : ChannelMethod<ChannelClose>
{
    protected override async ValueTask HandleAsync(Channel channel, ChannelClose method)
    {
        var wasClosing = channel.IsClosing;
        await channel.ReleaseAsync().ConfigureAwait(false);
        // If both sides close at once, ours still waits for its answer, and the number is taken until it comes.
        if (!wasClosing) channel.Session.RemoveChannel(channel);
        channel.Session.Output.Send(channel.Number, default(ChannelCloseOk));
    }
}

/// <summary>The client has understood that a channel is closed.</summary>
internal sealed class ChannelCloseOkHandler : ChannelMethod<ChannelCloseOk>
{
    protected override ValueTask HandleAsync(Channel channel, ChannelCloseOk method)
    {
        if (channel.IsClosing) channel.Session.RemoveChannel(channel);
        return default;
    }
}

/// <summary>Grants the ticket that AMQP 0-8 clients ask for; nobody looks at it.</summary>
internal sealed class AccessRequestHandler : ChannelMethod<AccessRequest>
{
    protected override ValueTask HandleAsync(Channel channel, AccessRequest method)
    {
        channel.Send(new AccessRequestOk { Ticket = 1 });
        return default;
    }
}

using Dragoman.Amqp.Sessions;
using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;

namespace Dragoman.Amqp.Handlers;

/// <summary>Begins a message: its content follows in frames of its own.</summary>
internal sealed class BasicPublishHandler : MethodHandler
{
    public override MethodId Id => BasicPublish.Id;

    public override bool Gathers => true;

    public override ValueTask Handle(AmqpSession session, Channel? channel, ReadOnlySpan<byte> arguments)
    {
        channel!.BeginContent(arguments);
        return default;
    }
}

/// <summary>Numbers the channel's publishes from now on, and says when they are safe.</summary>
internal sealed class ConfirmSelectHandler : ChannelMethod<ConfirmSelect>
{
    protected override ValueTask HandleAsync(Channel channel, ConfirmSelect method)
    {
        if (channel.Transaction is not null) throw Errors.Precondition("cannot switch from tx to confirm mode");
        channel.Confirms ??= new ConfirmSource(channel);
        if (!method.NoWait) channel.Send(default(ConfirmSelectOk));
        return default;
    }
}

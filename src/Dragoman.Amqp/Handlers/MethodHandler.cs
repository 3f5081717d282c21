using Dragoman.Amqp.Sessions;
using Dragoman.Amqp.Wire;

namespace Dragoman.Amqp.Handlers;

/// <summary>Does what one method asks for.</summary>
internal abstract class MethodHandler
{
    /// <summary>The method.</summary>
    public abstract MethodId Id { get; }

    /// <summary>Whether it belongs to channels, as all do but the connection's own.</summary>
    public virtual bool NeedsChannel => true;

    /// <summary>
    /// Whether it only adds to what a read gathers. Before any other method, what was gathered is handed over, so that
    /// everything takes effect in the order in which it was sent.
    /// </summary>
    public virtual bool Gathers => false;

    /// <summary>Handles the method. The bytes are valid until the first wait.</summary>
    public abstract ValueTask Handle(AmqpSession session, Channel? channel, ReadOnlySpan<byte> arguments);
}

/// <summary>A method of the connection.</summary>
internal abstract class ConnectionMethod<T> : MethodHandler
    where T : struct, IMethod<T>
{
    public sealed override MethodId Id => T.Id;

    public sealed override bool NeedsChannel => false;

    public sealed override ValueTask Handle(AmqpSession session, Channel? channel, ReadOnlySpan<byte> arguments) => HandleAsync(session, MethodCodec.Read<T>(arguments));

    protected abstract ValueTask HandleAsync(AmqpSession session, T method);
}

/// <summary>A method of a channel.</summary>
internal abstract class ChannelMethod<T> : MethodHandler
    where T : struct, IMethod<T>
{
    public sealed override MethodId Id => T.Id;

    public sealed override ValueTask Handle(AmqpSession session, Channel? channel, ReadOnlySpan<byte> arguments) => HandleAsync(channel!, MethodCodec.Read<T>(arguments));

    protected abstract ValueTask HandleAsync(Channel channel, T method);
}

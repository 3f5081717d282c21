using System.Collections.Frozen;
using Dragoman.Amqp.Sessions;
using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;

namespace Dragoman.Amqp.Handlers;

/// <summary>Which handler does which method, and which methods may come when.</summary>
internal sealed class HandlerTable
{
    private readonly FrozenDictionary<uint, MethodHandler> _handlers;

    private HandlerTable(IEnumerable<MethodHandler> handlers) => _handlers = handlers.ToFrozenDictionary(h => h.Id.Number);

    /// <summary>The table of all handlers.</summary>
    public static HandlerTable Create() => new(
    [
        new ConnectionStartOkHandler(), new ConnectionSecureOkHandler(), new ConnectionTuneOkHandler(), new ConnectionOpenHandler(),
        new ConnectionCloseHandler(), new ConnectionCloseOkHandler(), new ConnectionUpdateSecretHandler(),
        new ChannelOpenHandler(), new ChannelFlowHandler(), new ChannelFlowOkHandler(), new ChannelCloseHandler(), new ChannelCloseOkHandler(),
        new AccessRequestHandler(),
        new ExchangeDeclareHandler(), new ExchangeDeleteHandler(), new ExchangeBindHandler(), new ExchangeUnbindHandler(),
        new QueueDeclareHandler(), new QueueBindHandler(), new QueueUnbindHandler(), new QueuePurgeHandler(), new QueueDeleteHandler(),
        new BasicPublishHandler(), new ConfirmSelectHandler(), new BasicQosHandler(), new BasicConsumeHandler(), new BasicCancelHandler(), new BasicCancelOkHandler(),
        new BasicGetHandler(), new BasicAckHandler(), new BasicNackHandler(), new BasicRejectHandler(), new BasicRecoverHandler(), new BasicRecoverAsyncHandler(),
        new TxSelectHandler(), new TxCommitHandler(), new TxRollbackHandler(),
    ]);

    /// <summary>Hands a method to its handler, unless it may not come now.</summary>
    /// <param name="session">The connection.</param>
    /// <param name="number">The channel's number.</param>
    /// <param name="channel">The channel, if it is open.</param>
    /// <param name="id">The method.</param>
    /// <param name="arguments">Its encoded fields.</param>
    /// <exception cref="ConnectionException">It may not come now.</exception>
    public ValueTask Dispatch(AmqpSession session, ushort number, Channel? channel, MethodId id, ReadOnlySpan<byte> arguments)
    {
        // After a close only the answer to it, or the other side's own close, means anything.
        if (session.State == SessionState.Closing && id != ConnectionCloseOk.Id && id != ConnectionClose.Id) return default;
        if (channel is { IsClosing: true } && id != ChannelCloseOk.Id && id != ChannelClose.Id) return default;
        if (!_handlers.TryGetValue(id.Number, out var handler)) throw new ConnectionException(ReplyCode.CommandInvalid, $"unknown method {id.Class}.{id.Method}");
        if (!handler.NeedsChannel)
        {
            if (number != 0) throw new ConnectionException(ReplyCode.CommandInvalid, $"method {id.Class}.{id.Method} belongs to channel 0");
            return handler.Handle(session, null, arguments);
        }
        if (number == 0 || session.State != SessionState.Open)
            throw new ConnectionException(ReplyCode.ChannelError, $"unexpected method in connection state {StateName(session.State)}");
        if (id == ChannelOpen.Id) return ChannelOpenHandler.Open(session, number, channel);
        if (channel is null)
        {
            // The close that crossed ours on the way needs no channel any more.
            if (id == ChannelCloseOk.Id) return default;
            throw new ConnectionException(ReplyCode.ChannelError, "expected 'channel.open'");
        }
        if (channel.ExpectsContent)
            throw new ConnectionException(ReplyCode.UnexpectedFrame, "expected content header for class 60, got non content header frame instead");
        if (!handler.Gathers) session.Flush();
        return handler.Handle(session, channel, arguments);
    }

    private static string StateName(SessionState state) => state switch
    {
        SessionState.Starting => "starting",
        SessionState.Tuning => "tuning",
        SessionState.Opening => "opening",
        _ => "running",
    };
}

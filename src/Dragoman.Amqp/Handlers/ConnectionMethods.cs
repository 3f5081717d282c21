using Dragoman.Amqp.Sessions;
using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;
using Dragoman.Protocols;
using Dragoman.Protocols.RabbitMq;
using Microsoft.Extensions.Logging;

namespace Dragoman.Amqp.Handlers;

/// <summary>The client logs in.</summary>
internal sealed class ConnectionStartOkHandler : ConnectionMethod<ConnectionStartOk>
{
    protected override ValueTask HandleAsync(AmqpSession session, ConnectionStartOk method)
    {
        ConnectionStates.Require(session, SessionState.Starting);
        session.ClientProperties = method.ClientProperties;
        if (Handshake.Authenticate(session, method.Mechanism, method.Response) is not { } user)
        {
            Refuse(session, method.Mechanism);
            return default;
        }
        session.User = user;
        session.Live.User = user.Name;
        session.Live.Mechanism = method.Mechanism;
        session.Live.State = "tuning";
        session.State = SessionState.Tuning;
        session.Output.Send(0, new ConnectionTune { ChannelMax = session.ChannelMax, FrameMax = (uint)session.FrameMax, Heartbeat = (ushort)session.FrontEnd.Options.HeartbeatSeconds });
        return default;
    }

    private static void Refuse(AmqpSession session, string mechanism)
    {
        // Clients that do not know the extension take a closed socket for a refusal, as AMQP says.
        if (session.Announces("authentication_failure_close"))
            session.BeginClose(ReplyCode.AccessRefused, $"Login was refused using authentication mechanism {mechanism}. For details see the broker logfile.", default);
        else
            throw new ConnectionFailedException($"The log-in by {mechanism} was refused.");
    }
}

/// <summary>No mechanism here asks twice.</summary>
internal sealed class ConnectionSecureOkHandler : ConnectionMethod<ConnectionSecureOk>
{
    protected override ValueTask HandleAsync(AmqpSession session, ConnectionSecureOk method) =>
        throw new ConnectionException(ReplyCode.ChannelError, "unexpected method 'connection.secure_ok'");
}

/// <summary>The client settles the limits, downwards only.</summary>
internal sealed class ConnectionTuneOkHandler : ConnectionMethod<ConnectionTuneOk>
{
    protected override ValueTask HandleAsync(AmqpSession session, ConnectionTuneOk method)
    {
        ConnectionStates.Require(session, SessionState.Tuning);
        if (method.FrameMax is > 0 and < FrameHeader.MinFrameMax)
            throw Errors.NotAllowed($"negotiated frame_max = {method.FrameMax} is lower than the minimum allowed value ({FrameHeader.MinFrameMax})");
        if (method.FrameMax > session.FrameMax)
            throw Errors.NotAllowed($"negotiated frame_max = {method.FrameMax} is higher than the maximum allowed value ({session.FrameMax})");
        if (method.ChannelMax > session.ChannelMax)
            throw Errors.NotAllowed($"negotiated channel_max = {method.ChannelMax} is higher than the maximum allowed value ({session.ChannelMax})");
        // Nothing said is no limit, and then the server's own counts.
        if (method.FrameMax > 0) session.FrameMax = (int)method.FrameMax;
        if (method.ChannelMax > 0) session.ChannelMax = method.ChannelMax;
        session.AgreeOnHeartbeat(method.Heartbeat);
        session.State = SessionState.Opening;
        session.Live.State = "opening";
        return default;
    }
}

/// <summary>The client chooses a virtual host.</summary>
internal sealed class ConnectionOpenHandler : ConnectionMethod<ConnectionOpen>
{
    protected override ValueTask HandleAsync(AmqpSession session, ConnectionOpen method)
    {
        ConnectionStates.Require(session, SessionState.Opening);
        if (VirtualHosts.ToNamespace(method.VirtualHost) is not { } space || !session.FrontEnd.Broker.Namespaces.Exists(space)) throw Errors.NotAllowed($"vhost {method.VirtualHost} not found");
        if (!session.FrontEnd.Login.MayEnter(session.User, space))
            throw Errors.NotAllowed($"access to vhost '{method.VirtualHost}' refused for user '{session.User.Name}'");
        session.EnterHost(method.VirtualHost, space);
        session.OnOpened();
        session.Output.Send(0, default(ConnectionOpenOk));
        return default;
    }
}

/// <summary>The client says goodbye.</summary>
internal sealed class ConnectionCloseHandler : ConnectionMethod<ConnectionClose>
{
    protected override async ValueTask HandleAsync(AmqpSession session, ConnectionClose method)
    {
        session.Flush();
        await session.Publishes.WaitForAllAsync().ConfigureAwait(false);
        await session.ReleaseChannelsAsync().ConfigureAwait(false);
        await session.FrontEnd.OnSessionEndedAsync(session).ConfigureAwait(false);
        session.Output.Send(0, default(ConnectionCloseOk));
        // Both sides may close at once; ours still waits for its answer then.
        if (session.State != SessionState.Closing) session.OnClientClosed();
    }
}

/// <summary>The client has understood the server's goodbye.</summary>
internal sealed class ConnectionCloseOkHandler : ConnectionMethod<ConnectionCloseOk>
{
    protected override ValueTask HandleAsync(AmqpSession session, ConnectionCloseOk method)
    {
        if (session.State != SessionState.Closing) throw new ConnectionException(ReplyCode.ChannelError, "unexpected method 'connection.close_ok'");
        session.OnClosed();
        return default;
    }
}

/// <summary>The client renews its token. Passwords do not end, so another one than at log-in changes nothing, as in RabbitMQ.</summary>
internal sealed class ConnectionUpdateSecretHandler : ConnectionMethod<ConnectionUpdateSecret>
{
    protected override ValueTask HandleAsync(AmqpSession session, ConnectionUpdateSecret method)
    {
        ConnectionStates.Require(session, SessionState.Open);
        var secret = System.Text.Encoding.UTF8.GetString(method.NewSecret);
        if (session.User.HasToken)
            session.User = session.FrontEnd.Login.Check(session.User.Name, secret, session.Remote) ?? throw Errors.NotAllowed("New secret was refused by one of the backends");
        session.FrontEnd.Log.LogDebug("AMQP connection {Connection} has renewed its secret: {Reason}", session.Name, method.Reason);
        session.Output.Send(0, default(ConnectionUpdateSecretOk));
        return default;
    }
}

/// <summary>What may come when.</summary>
internal static class ConnectionStates
{
    public static void Require(AmqpSession session, SessionState state)
    {
        if (session.State != state) throw new ConnectionException(ReplyCode.ChannelError, $"unexpected method in connection state {session.State}");
    }
}

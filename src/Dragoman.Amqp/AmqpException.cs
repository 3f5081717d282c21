using Dragoman.Amqp.Wire;
using Dragoman.Broker.Security;
using Dragoman.Protocols;

namespace Dragoman.Amqp;

/// <summary>A request that cannot be done: AMQP answers by closing the channel, and the connection stays good.</summary>
internal sealed class ChannelException : RequestFailedException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="code">A code that closes a channel.</param>
    /// <param name="text">What is wrong, in RabbitMQ's words: libraries and people know them. Without the code's name.</param>
    public ChannelException(ReplyCode code, string text)
        : base(text) => Code = code;

    /// <summary>The code.</summary>
    public ReplyCode Code { get; }
}

/// <summary>An error after which the connection cannot go on; AMQP tells the client why before it closes.</summary>
internal sealed class ConnectionException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="code">A code that closes a connection.</param>
    /// <param name="text">What is wrong, without the code's name.</param>
    public ConnectionException(ReplyCode code, string text)
        : base(text) => Code = code;

    /// <summary>The code.</summary>
    public ReplyCode Code { get; }
}

/// <summary>Makes errors that are thrown in more than one place.</summary>
internal static class Errors
{
    public static ChannelException NoQueue(string queue, string virtualHost) => new(ReplyCode.NotFound, $"no queue '{queue}' in vhost '{virtualHost}'");

    public static ChannelException NoExchange(string exchange, string virtualHost) => new(ReplyCode.NotFound, $"no exchange '{exchange}' in vhost '{virtualHost}'");

    public static ChannelException Precondition(string text) => new(ReplyCode.PreconditionFailed, text);

    public static ChannelException Refused(string text) => new(ReplyCode.AccessRefused, text);

    public static ChannelException KeyRefused(Operations operation, string routingKey, string exchange, string virtualHost, string user) =>
        Refused($"{(operation == Operations.Write ? "write" : "read")} access to topic '{routingKey}' in exchange '{exchange}' in vhost '{virtualHost}' refused for user '{user}'");

    public static ConnectionException NotAllowed(string text) => new(ReplyCode.NotAllowed, text);

    public static ConnectionException NotImplemented(string text) => new(ReplyCode.NotImplemented, text);

    public static ConnectionException Internal(string text) => new(ReplyCode.InternalError, text);
}

namespace Dragoman.Amqp.Wire;

/// <summary>Why a channel or a connection was closed (AMQP 0-9-1, "Reply Code Definitions").</summary>
internal enum ReplyCode : ushort
{
    /// <summary>Nothing is wrong.</summary>
    Success = 200,

    /// <summary>A message is larger than the server takes. Closes the channel.</summary>
    ContentTooLarge = 311,

    /// <summary>A mandatory message reached no queue: the code of <c>basic.return</c>.</summary>
    NoRoute = 312,

    /// <summary>An operator closed the connection, or the server stops.</summary>
    ConnectionForced = 320,

    /// <summary>There is no such virtual host.</summary>
    InvalidPath = 402,

    /// <summary>The user may not do that. Closes the channel.</summary>
    AccessRefused = 403,

    /// <summary>There is no such exchange or queue. Closes the channel.</summary>
    NotFound = 404,

    /// <summary>The queue belongs to another connection or consumer. Closes the channel.</summary>
    ResourceLocked = 405,

    /// <summary>The request contradicts what is there. Closes the channel.</summary>
    PreconditionFailed = 406,

    /// <summary>A frame is malformed.</summary>
    FrameError = 501,

    /// <summary>A method's fields are malformed.</summary>
    SyntaxError = 502,

    /// <summary>There is no such method, or not there.</summary>
    CommandInvalid = 503,

    /// <summary>A channel is used that is not open.</summary>
    ChannelError = 504,

    /// <summary>A frame came that cannot come now.</summary>
    UnexpectedFrame = 505,

    /// <summary>The server has no room for it.</summary>
    ResourceError = 506,

    /// <summary>The client does something that it may not.</summary>
    NotAllowed = 530,

    /// <summary>The server does not do that.</summary>
    NotImplemented = 540,

    /// <summary>The server failed.</summary>
    InternalError = 541,
}

/// <summary>What reply codes mean to those who send them.</summary>
internal static class ReplyCodes
{
    /// <summary>The constant's name as it begins every reply text: client libraries look for it.</summary>
    public static string Name(this ReplyCode code) => code switch
    {
        ReplyCode.Success => "OK",
        ReplyCode.ContentTooLarge => "CONTENT_TOO_LARGE",
        ReplyCode.NoRoute => "NO_ROUTE",
        ReplyCode.ConnectionForced => "CONNECTION_FORCED",
        ReplyCode.InvalidPath => "INVALID_PATH",
        ReplyCode.AccessRefused => "ACCESS_REFUSED",
        ReplyCode.NotFound => "NOT_FOUND",
        ReplyCode.ResourceLocked => "RESOURCE_LOCKED",
        ReplyCode.PreconditionFailed => "PRECONDITION_FAILED",
        ReplyCode.FrameError => "FRAME_ERROR",
        ReplyCode.SyntaxError => "SYNTAX_ERROR",
        ReplyCode.CommandInvalid => "COMMAND_INVALID",
        ReplyCode.ChannelError => "CHANNEL_ERROR",
        ReplyCode.UnexpectedFrame => "UNEXPECTED_FRAME",
        ReplyCode.ResourceError => "RESOURCE_ERROR",
        ReplyCode.NotAllowed => "NOT_ALLOWED",
        ReplyCode.NotImplemented => "NOT_IMPLEMENTED",
        _ => "INTERNAL_ERROR",
    };

    /// <summary>Whether it closes the connection; other errors close one channel (AMQP's hard and soft errors).</summary>
    public static bool ClosesConnection(this ReplyCode code) =>
        code is ReplyCode.ConnectionForced or ReplyCode.InvalidPath or (>= ReplyCode.FrameError);
}

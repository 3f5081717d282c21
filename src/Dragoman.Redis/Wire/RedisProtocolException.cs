namespace Dragoman.Redis.Wire;

/// <summary>What a client sent is no request. The text is Redis' own, which is sent before the connection is closed.</summary>
internal sealed class RedisProtocolException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What follows "Protocol error: ".</param>
    public RedisProtocolException(string message)
        : base(message)
    {
    }
}

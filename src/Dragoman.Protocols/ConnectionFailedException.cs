namespace Dragoman.Protocols;

/// <summary>
/// A connection that cannot be used any further: what the peer sent is no message of the protocol, breaks a limit, or
/// the protocol answers such an error by closing. Whoever owns the connection logs the message, once, and closes it.
/// </summary>
public sealed class ConnectionFailedException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What happened and what a person can do about it.</param>
    /// <param name="inner">What led to it.</param>
    public ConnectionFailedException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>
/// A request that cannot be done while its connection stays good. Each protocol derives its own, which carries the
/// error in that protocol's terms.
/// </summary>
public abstract class RequestFailedException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is wrong with the request, for the person who wrote the client.</param>
    protected RequestFailedException(string message)
        : base(message)
    {
    }
}

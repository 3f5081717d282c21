namespace Dragoman.Amqp.Wire;

/// <summary>The one exception that decoding bytes throws, whatever they are.</summary>
internal sealed class AmqpWireException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="code">The code that tells the client: <see cref="ReplyCode.FrameError"/> or <see cref="ReplyCode.SyntaxError"/>.</param>
    /// <param name="message">What is wrong.</param>
    public AmqpWireException(ReplyCode code, string message)
        : base(message) => Code = code;

    /// <summary>The code.</summary>
    public ReplyCode Code { get; }
}

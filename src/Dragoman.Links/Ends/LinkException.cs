namespace Dragoman.Links.Ends;

/// <summary>A link cannot go on now; it is tried again.</summary>
internal sealed class LinkException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">Why, for a person.</param>
    public LinkException(string message)
        : base(message)
    {
    }

    /// <inheritdoc cref="LinkException(string)"/>
    public LinkException(string message, Exception inner)
        : base(message, inner)
    {
    }
}

/// <summary>A link has nothing to do any more: what it was to carry is carried.</summary>
internal sealed class LinkCompletedException : Exception;

namespace Dragoman.Amqp.Sessions;

/// <summary>Hears what became of publishes that it has numbered.</summary>
internal interface IPublishOutcome
{
    /// <summary>Publishes that follow each other are as safe as they asked to be, or were refused. Called by any thread.</summary>
    /// <param name="first">The number of the first.</param>
    /// <param name="count">How many.</param>
    /// <param name="isRefused">Whether they were refused.</param>
    void Settle(ulong first, int count, bool isRefused = false);
}

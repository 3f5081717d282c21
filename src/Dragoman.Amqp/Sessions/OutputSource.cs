using System.IO.Pipelines;

namespace Dragoman.Amqp.Sessions;

/// <summary>
/// Something of a connection that has frames to send when the connection is ready to take them: confirms of a channel,
/// deliveries of a consumer. It is asked, and writes into the connection's own memory; nothing is queued in between.
/// </summary>
internal abstract class OutputSource
{
    /// <summary>Whether it waits to be asked. Guarded by the output's lock.</summary>
    internal bool IsQueued { get; set; }

    /// <summary>
    /// Called before the methods that were sent so far are written: what it takes in here, it may say after them. So a
    /// returned message precedes its confirm.
    /// </summary>
    public virtual void Prepare()
    {
    }

    /// <summary>Writes frames, about as many bytes as the budget says.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="budget">Bytes that may be written; a message that has been begun is written whole.</param>
    /// <param name="written">Bytes that were written.</param>
    /// <returns>Whether there is more.</returns>
    public abstract bool Produce(PipeWriter writer, int budget, out int written);
}

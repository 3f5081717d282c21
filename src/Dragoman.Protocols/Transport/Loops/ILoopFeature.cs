using System.IO.Pipelines;

namespace Dragoman.Protocols.Transport.Loops;

/// <summary>
/// A connection that a loop serves: see <see cref="LoopTransport"/>. Whoever waits for it to be read, or for a flush that
/// the client was slow to take, goes on on the loop's thread.
/// </summary>
public interface ILoopFeature
{
    /// <summary>
    /// Runs work on the thread that serves the connection, when the sockets that are ready now have been served: what is
    /// sent then takes all that has gathered. Work must not block.
    /// </summary>
    PipeScheduler Loop { get; }

    /// <summary>
    /// As <see cref="Loop"/>, when no more sockets are ready, or a few turns later: for what gains by gathering longer and
    /// that nobody waits for an answer to.
    /// </summary>
    PipeScheduler Later { get; }
}

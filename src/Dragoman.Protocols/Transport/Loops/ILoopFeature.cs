using System.IO.Pipelines;

namespace Dragoman.Protocols.Transport.Loops;

/// <summary>A connection that a loop serves: see <see cref="LoopTransport"/>.</summary>
public interface ILoopFeature
{
    /// <summary>
    /// Runs work on the thread that serves the connection, when the sockets that are ready now have been served: what is
    /// sent then takes all that has gathered. Work must not block.
    /// </summary>
    PipeScheduler Loop { get; }
}

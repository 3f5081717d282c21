using System.Net;

namespace Dragoman.Protocols.Transport.Loops;

/// <summary>An address whose connections the loops are to serve.</summary>
internal sealed class LoopEndPoint(IPAddress address, int port) : IPEndPoint(address, port)
{
    /// <summary>Whether what arrives is handled on the thread pool: see <see cref="IFrontEnd.LeavesLoops"/>.</summary>
    public bool HandlesOnPool { get; init; }
}

using System.Net;
using Dragoman.Protocols.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Dragoman.Protocols;

/// <summary>A protocol that clients reach the broker through. It has one listener.</summary>
public interface IFrontEnd
{
    /// <summary>The listener's name, as in the options of <c>serve</c> and in what it prints.</summary>
    string Name { get; }

    /// <summary>
    /// Whether its connections are served by the threads of <see cref="Transport.Loops.LoopTransport"/>, where there are
    /// such: for protocols of small requests whose handling never blocks a thread.
    /// </summary>
    bool UsesLoops => false;

    /// <summary>
    /// Whether what arrives is handled on the thread pool, and not on the loop's own thread: for handlers that may run long
    /// or read from the disk, which would hold up the other connections of the loop.
    /// </summary>
    bool LeavesLoops => false;

    /// <summary>What its connections are listed as; null if they are not.</summary>
    string? ListedAs => Name;

    /// <summary>Makes what its listener accepts TLS with where the server was given no certificate; null if it then accepts none.</summary>
    Func<TlsSettings>? OwnTls => null;

    /// <summary>Says what happens with a connection that the listener accepts.</summary>
    void ConfigureListener(ListenOptions listener);

    /// <summary>Tells where the listener ended up, before the first connection is served; the port may have been chosen by the system.</summary>
    void OnBound(IPEndPoint endpoint);
}

/// <summary>A front end that speaks HTTP.</summary>
public interface IHttpFrontEnd : IFrontEnd
{
    /// <summary>Builds the pipeline for the requests of this listener.</summary>
    void ConfigureApplication(IApplicationBuilder application);
}

/// <summary>A front end and where it shall listen.</summary>
/// <param name="FrontEnd">The front end.</param>
/// <param name="Address">The address.</param>
/// <param name="Port">The port; 0 for a free one.</param>
/// <param name="SocketPath">The path of a Unix domain socket, in the place of address and port; null for none.</param>
public sealed record FrontEndBinding(IFrontEnd FrontEnd, IPAddress Address, int Port, string? SocketPath = null);

namespace Dragoman.Clients.Tests.Reporting;

/// <summary>A client that the broker is proved with: somebody else's, as it is published.</summary>
internal interface IForeignClient
{
    /// <summary>Its name, as in docs/conformance.md.</summary>
    static abstract string Name { get; }

    /// <summary>Its version, as the installed client itself says. Throws if it is not installed.</summary>
    static abstract Task<string> VersionAsync();
}

namespace Dragoman.TestKit;

/// <summary>How a <see cref="DragomanServer"/> is started.</summary>
public sealed record ServerOptions
{
    /// <summary>The listeners to have, by the names of their options without dashes; all others are off.</summary>
    public IReadOnlyList<string> Listeners { get; init; } = DragomanServer.AllListeners;

    /// <summary>More arguments for <c>serve</c>, such as <c>--commit-mode written</c>.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Variables for the process, such as <c>DOTNET_gcServer</c>.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    /// <summary>The data directory; null for a temporary one that goes with the server.</summary>
    public string? Data { get; init; }

    /// <summary>The executable; see <see cref="PublishedBuild"/> for one as users install it.</summary>
    public string Executable { get; init; } = TestKit.Executable.Built;
}

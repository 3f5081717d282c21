namespace Dragoman.TestKit;

/// <summary>A directory for one test, deleted with all that is in it.</summary>
public sealed class Workspace : IDisposable
{
    /// <summary>The directory.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("dragoman-test-").FullName;

    /// <summary>Where a broker may keep its data; nothing is there yet.</summary>
    public string Data => System.IO.Path.Join(Path, "data");

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

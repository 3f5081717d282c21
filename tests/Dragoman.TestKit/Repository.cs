namespace Dragoman.TestKit;

/// <summary>The source tree that these tests were built from.</summary>
public static class Repository
{
    /// <summary>Its root directory.</summary>
    public static string Root { get; } = Find();

    /// <summary>A file or directory of it.</summary>
    public static string PathOf(params string[] parts) => Path.Join([Root, .. parts]);

    private static string Find()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Join(directory.FullName, "Dragoman.slnx"))) return directory.FullName;
        }
        throw new InvalidOperationException($"There is no Dragoman.slnx above {AppContext.BaseDirectory}.");
    }
}

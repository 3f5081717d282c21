namespace Dragoman.Architecture.Tests;

/// <summary>The working copy that the tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find(AppContext.BaseDirectory);

    /// <summary>The projects under <c>src</c>, by name.</summary>
    public static IReadOnlyList<string> Projects { get; } =
        [.. Directory.GetFiles(Path.Join(Root, "src"), "*.csproj", SearchOption.AllDirectories).Select(Path.GetFileNameWithoutExtension).OfType<string>().Order(StringComparer.Ordinal)];

    public static string ProjectFile(string project) => Path.Join(Root, "src", project, project + ".csproj");

    private static string Find(string from)
    {
        for (var at = new DirectoryInfo(from); at is not null; at = at.Parent)
            if (File.Exists(Path.Join(at.FullName, "Dragoman.slnx"))) return at.FullName;
        throw new InvalidOperationException($"{from} is not inside a working copy.");
    }
}

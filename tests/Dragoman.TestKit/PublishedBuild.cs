namespace Dragoman.TestKit;

/// <summary>The executable as users install it: published, with native code.</summary>
public static class PublishedBuild
{
    private static readonly Lazy<Task<string>> s_executable = new(PublishAsync);

    /// <summary>Path of the published executable, which is made when it is first asked for.</summary>
    public static Task<string> ExecutableAsync() => s_executable.Value;

    private static async Task<string> PublishAsync()
    {
        var target = Repository.PathOf("artifacts", "published");
        var result = await ForeignProcess.RunAsync(
            "dotnet", ["publish", Repository.PathOf("src", "Dragoman"), "-c", "Release", "-o", target, "--nologo", "-v", "quiet"], directory: Repository.Root, limit: TimeSpan.FromMinutes(5));
        result.Succeeded();
        return Path.Join(target, Path.GetFileName(Executable.Built));
    }
}

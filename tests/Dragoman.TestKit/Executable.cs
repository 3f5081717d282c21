namespace Dragoman.TestKit;

/// <summary>The <c>dragoman</c> executable, and runs of its commands.</summary>
public static class Executable
{
    /// <summary>The executable that was built with these tests.</summary>
    public static string Built => Path.Join(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "dragoman.exe" : "dragoman");

    /// <summary>Runs a command to its end, which may take a minute.</summary>
    public static Task<ProcessResult> RunAsync(string directory, IReadOnlyDictionary<string, string?>? environment, byte[]? input, params IEnumerable<string> arguments) =>
        ForeignProcess.RunAsync(Built, arguments, input, directory, environment, TimeSpan.FromSeconds(60));
}

namespace Dragoman.TestKit;

/// <summary>
/// Runs clients in other languages: programs of the system and scripts that lie in the source tree. Scripts write their
/// results to standard output, and end with another code than zero when something fails.
/// </summary>
public static class Scripts
{
    /// <summary>Debian's Python, which has Debian's packages, whatever else is on PATH.</summary>
    public const string Python = "/usr/bin/python3";

    /// <summary>Runs a Python script to its end.</summary>
    /// <param name="script">Path of the script, from the root of the repository.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="input">Its standard input.</param>
    /// <param name="limit">How long it may take; null for two minutes.</param>
    public static Task<ProcessResult> PythonAsync(string script, IEnumerable<string> arguments, ReadOnlyMemory<byte>? input = null, TimeSpan? limit = null) =>
        ForeignProcess.RunAsync(Python, PythonArguments(script, arguments), input, environment: s_pythonEnvironment, limit: limit);

    /// <summary>Starts a Python script, to be read from and written to while it runs.</summary>
    public static ForeignProcess StartPython(string script, params IEnumerable<string> arguments) =>
        ForeignProcess.Start(Python, PythonArguments(script, arguments), environment: s_pythonEnvironment);

    /// <summary>Runs a Node.js script to its end. It finds the packages that are installed in its directory.</summary>
    /// <param name="script">Path of the script, from the root of the repository.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="input">Its standard input.</param>
    /// <param name="limit">How long it may take; null for two minutes.</param>
    public static Task<ProcessResult> NodeAsync(
        string script, IEnumerable<string> arguments, ReadOnlyMemory<byte>? input = null, TimeSpan? limit = null, IReadOnlyDictionary<string, string?>? environment = null) =>
        ForeignProcess.RunAsync("node", [Repository.PathOf(script), .. arguments], input, environment: environment, limit: limit);

    /// <summary>Starts a Node.js script, to be read from and written to while it runs.</summary>
    public static ForeignProcess StartNode(string script, params IEnumerable<string> arguments) =>
        ForeignProcess.Start("node", [Repository.PathOf(script), .. arguments]);

    // Whatever Python environment the caller is in is not Debian's.
    private static readonly Dictionary<string, string?> s_pythonEnvironment = new() { ["PYTHONPATH"] = null, ["PYTHONHOME"] = null, ["PYTHONDONTWRITEBYTECODE"] = "1" };

    private static string[] PythonArguments(string script, IEnumerable<string> arguments) => ["-u", Repository.PathOf(script), .. arguments];
}

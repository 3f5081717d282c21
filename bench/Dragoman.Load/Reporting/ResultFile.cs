using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Dragoman.Load.Reporting;

/// <summary>Keeps a run's results, with what is needed to compare them: commit, machine, parameters.</summary>
internal static class ResultFile
{
    private static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>Writes the file; returns its path.</summary>
    /// <param name="directory">Where; null for <c>bench/results</c> of the repository, or the current directory outside of one.</param>
    /// <param name="kind">What was measured: the beginning of the file's name.</param>
    /// <param name="parameters">What was asked for.</param>
    /// <param name="results">What was found.</param>
    public static async Task<string> WriteAsync(string? directory, string kind, object parameters, object results)
    {
        // The sources that this program was built from, wherever it is started.
        var root = await GitAsync("rev-parse --show-toplevel");
        directory ??= root is null ? "." : Path.Join(root, "bench", "results");
        Directory.CreateDirectory(directory);
        var commit = await GitAsync("rev-parse HEAD");
        var changes = await GitAsync("status --porcelain --untracked-files=no");
        var now = DateTimeOffset.UtcNow;
        var path = Path.Join(directory, $"{kind}-{now.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}-{commit?[..10] ?? "unknown"}.json");
        var document = new
        {
            kind,
            time = now,
            commit = commit ?? "unknown",
            uncommittedChanges = !string.IsNullOrEmpty(changes),
            machine = new
            {
                cores = Environment.ProcessorCount,
                memoryBytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
                os = RuntimeInformation.OSDescription,
                runtime = RuntimeInformation.FrameworkDescription,
            },
            parameters,
            results,
        };
        await File.WriteAllTextAsync(path, JsonSerializer.Serialize(document, Format) + "\n");
        return path;
    }

    private static async Task<string?> GitAsync(string arguments)
    {
        try
        {
            using var git = Process.Start(new ProcessStartInfo("git", arguments) { WorkingDirectory = AppContext.BaseDirectory, RedirectStandardOutput = true, RedirectStandardError = true });
            if (git is null) return null;
            var output = await git.StandardOutput.ReadToEndAsync();
            await git.WaitForExitAsync();
            return git.ExitCode == 0 ? output.Trim() : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // No git here: the commit stays unknown, and the file says so.
            return null;
        }
    }
}

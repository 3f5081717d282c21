using System.Diagnostics;
using System.Text;

namespace Dragoman.Cli.Tests;

/// <summary>What a run of the executable left.</summary>
public sealed record CliResult(int ExitCode, byte[] OutputBytes, string Error)
{
    public string Output => Encoding.UTF8.GetString(OutputBytes);
}

/// <summary>Runs the executable.</summary>
public static class Cli
{
    public static string Executable => Path.Join(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "dragoman.exe" : "dragoman");

    public static ProcessStartInfo StartInfo(string directory, IReadOnlyDictionary<string, string>? environment, params IEnumerable<string> arguments)
    {
        var info = new ProcessStartInfo(Executable, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = directory };
        foreach (var name in info.Environment.Keys.Where(k => k.StartsWith("DRAGOMAN_", StringComparison.Ordinal)).ToList()) info.Environment.Remove(name);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) info.Environment[name] = value;
        return info;
    }

    public static async Task<CliResult> RunAsync(string directory, IReadOnlyDictionary<string, string>? environment, byte[]? input, params IEnumerable<string> arguments)
    {
        using var process = Process.Start(StartInfo(directory, environment, arguments))!;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        try
        {
            var output = new MemoryStream();
            var reading = process.StandardOutput.BaseStream.CopyToAsync(output, limit.Token);
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            await process.StandardInput.BaseStream.WriteAsync(input ?? [], limit.Token);
            process.StandardInput.Close();
            await reading;
            await process.WaitForExitAsync(limit.Token);
            return new CliResult(process.ExitCode, output.ToArray(), await errors);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }
}

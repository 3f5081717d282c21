using System.Text;
using System.Text.RegularExpressions;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Clients;

/// <summary>Debian's kcat, the command-line client over librdkafka.</summary>
internal sealed partial class Kcat : IForeignClient
{
    public static string Name => "kcat";

    public static async Task<string> VersionAsync()
    {
        var text = (await ForeignProcess.RunAsync("kcat", ["-V"])).Succeeded().Output;
        var match = Version().Match(text);
        return match.Success ? $"{match.Groups[1].Value} (librdkafka {match.Groups[2].Value})" : throw new InvalidOperationException($"kcat -V said: {text}");
    }

    /// <summary>Runs kcat against a broker, to its end.</summary>
    public static Task<ProcessResult> RunAsync(string broker, byte[]? input, params IEnumerable<string> arguments) =>
        ForeignProcess.RunAsync("kcat", ["-b", broker, .. arguments], input);

    /// <summary>Runs kcat against a broker with a text on its standard input.</summary>
    public static Task<ProcessResult> RunAsync(string broker, string input, params IEnumerable<string> arguments) =>
        RunAsync(broker, Encoding.UTF8.GetBytes(input), arguments);

    /// <summary>Produces lines to a topic; fails if kcat does.</summary>
    public static async Task ProduceAsync(string broker, string topic, string lines, params IEnumerable<string> arguments) =>
        (await RunAsync(broker, lines, ["-P", "-t", topic, .. arguments])).Succeeded();

    /// <summary>Reads a topic up to its end and returns what kcat prints; fails if kcat does.</summary>
    public static async Task<string> ConsumeAsync(string broker, string topic, params IEnumerable<string> arguments) =>
        (await RunAsync(broker, (byte[]?)null, ["-C", "-t", topic, "-e", "-q", .. arguments])).Succeeded().Output;

    [GeneratedRegex(@"Version (\S+) .*librdkafka ([0-9.]+)", RegexOptions.Singleline)]
    private static partial Regex Version();
}

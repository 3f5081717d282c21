using System.Text.RegularExpressions;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Clients;

/// <summary>Debian's amqp-tools, the command-line client over rabbitmq-c.</summary>
internal sealed partial class AmqpTools : IForeignClient
{
    public static string Name => "amqp-tools";

    public static async Task<string> VersionAsync()
    {
        var text = (await ForeignProcess.RunAsync("dpkg-query", ["-W", "-f", "${Version}", "amqp-tools"])).Succeeded().Output;
        return Version().Match(text).Groups[1].Value;
    }

    /// <summary>Runs one of the tools to its end.</summary>
    public static Task<ProcessResult> RunAsync(string tool, int port, byte[]? input, params IEnumerable<string> arguments) =>
        ForeignProcess.RunAsync(tool, ["--server", "127.0.0.1", "--port", $"{port}", .. arguments], input);

    [GeneratedRegex(@"^([0-9.]+)")]
    private static partial Regex Version();
}

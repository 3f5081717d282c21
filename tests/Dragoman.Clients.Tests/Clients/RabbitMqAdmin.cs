using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Clients;

/// <summary>RabbitMQ's <c>rabbitmqadmin</c>, as Debian's rabbitmq-server brings it.</summary>
internal sealed partial class RabbitMqAdmin : IForeignClient
{
    private const string Script = "/usr/bin/rabbitmqadmin";

    public static string Name => "rabbitmqadmin";

    public static async Task<string> VersionAsync()
    {
        var text = (await ForeignProcess.RunAsync("dpkg-query", ["-W", "-f", "${Version}", "rabbitmq-server"])).Succeeded().Output;
        return Version().Match(text).Groups[1].Value;
    }

    /// <summary>Runs a command, and returns what it writes.</summary>
    /// <param name="port">The port of the management API.</param>
    /// <param name="arguments">The command and its arguments.</param>
    public static async Task<string> RunAsync(int port, params IEnumerable<string> arguments) => (await TryAsync(port, arguments)).Succeeded().Output.Trim();

    /// <summary>Runs a command that may fail.</summary>
    public static Task<ProcessResult> TryAsync(int port, params IEnumerable<string> arguments) =>
        ForeignProcess.RunAsync("/usr/bin/python3", [Script, "--host", "127.0.0.1", "--port", $"{port}", .. arguments]);

    /// <summary>Lists things, with some of their columns.</summary>
    public static async Task<JsonArray> ListAsync(int port, string what, params IEnumerable<string> columns) =>
        JsonNode.Parse(await RunAsync(port, ["-f", "raw_json", "list", what, .. columns]))!.AsArray();

    [GeneratedRegex(@"^([0-9.]+)")]
    private static partial Regex Version();
}

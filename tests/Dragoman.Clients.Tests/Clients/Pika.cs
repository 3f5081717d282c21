using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Clients;

/// <summary>Debian's pika, the Python client.</summary>
internal sealed class Pika : IForeignClient
{
    private const string Script = "tests/Dragoman.Clients.Tests/scripts/python/amqp/pika_client.py";

    public static string Name => "pika";

    public static async Task<string> VersionAsync() => (await RunAsync("version", 0)).Trim();

    /// <summary>Runs one of the script's stories; fails if it does.</summary>
    public static async Task<string> RunAsync(string story, int port) => (await Scripts.PythonAsync(Script, [story, $"{port}"])).Succeeded().Output;
}

using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Clients;

/// <summary>CloudAMQP's client, from npm.</summary>
internal sealed class CloudAmqpClient : IForeignClient
{
    public static string Name => "@cloudamqp/amqp-client";

    public static Task<string> VersionAsync() => NodePackages.VersionAsync("@cloudamqp/amqp-client");

    /// <summary>Runs one of the script's stories; fails if it does.</summary>
    public static async Task RunAsync(string story, int port) => (await Scripts.NodeAsync("tests/Dragoman.Clients.Tests/scripts/node/amqp/amqp-client.mjs", [story, $"{port}"])).Succeeded();
}

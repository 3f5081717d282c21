using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Clients;

/// <summary>amqplib, from npm.</summary>
internal sealed class AmqpLib : IForeignClient
{
    public static string Name => "amqplib";

    public static Task<string> VersionAsync() => NodePackages.VersionAsync("amqplib");

    /// <summary>Runs one of the script's stories; fails if it does.</summary>
    public static async Task RunAsync(string story, int port) => (await Scripts.NodeAsync("tests/Dragoman.Clients.Tests/scripts/node/amqp/amqplib.js", [story, $"{port}"])).Succeeded();
}

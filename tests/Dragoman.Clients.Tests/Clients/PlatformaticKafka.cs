using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Clients;

/// <summary>@platformatic/kafka, from npm: a client with codecs of its own, newest versions included.</summary>
internal sealed class PlatformaticKafka : IForeignClient
{
    public static string Name => "@platformatic/kafka";

    public static Task<string> VersionAsync() => NodePackages.VersionAsync("@platformatic/kafka");

    /// <summary>Runs one of the client's stories; fails if it does.</summary>
    public static async Task RunAsync(string story, string broker) =>
        (await Scripts.NodeAsync("tests/Dragoman.Clients.Tests/scripts/node/kafka/platformatic.mjs", [story, broker])).Succeeded();
}

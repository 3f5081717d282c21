using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Clients;

/// <summary>kafkajs, from npm.</summary>
internal sealed class KafkaJs : IKafkaScript
{
    public static string Name => "kafkajs";

    public static IReadOnlyList<string> Writes => ["none", "gzip", "snappy"];

    public static IReadOnlyList<string> Reads => Writes;

    public static async Task<string> VersionAsync() => await NodePackages.VersionAsync("kafkajs");

    public static Task<ProcessResult> RunAsync(IEnumerable<string> arguments, byte[]? input) =>
        Scripts.NodeAsync("tests/Dragoman.Clients.Tests/scripts/node/kafka/kafkajs.js", arguments, input);
}

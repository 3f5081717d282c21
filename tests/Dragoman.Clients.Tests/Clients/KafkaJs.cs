using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Clients;

/// <summary>kafkajs, from npm.</summary>
internal sealed class KafkaJs : IKafkaScript
{
    private const string Script = "tests/Dragoman.Clients.Tests/scripts/node/kafka/kafkajs.js";

    public static string Name => "kafkajs";

    public static IReadOnlyList<string> Writes => ["none", "gzip", "snappy"];

    public static IReadOnlyList<string> Reads => Writes;

    public static async Task<string> VersionAsync() => await NodePackages.VersionAsync("kafkajs");

    public static Task<ProcessResult> RunAsync(IEnumerable<string> arguments, byte[]? input) =>
        Scripts.NodeAsync(Script, arguments, input);

    public static ForeignProcess Start(IEnumerable<string> arguments) => Scripts.StartNode(Script, arguments);
}

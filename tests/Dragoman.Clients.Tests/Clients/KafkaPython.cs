using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Clients;

/// <summary>Debian's python3-kafka, the client that is all Python.</summary>
internal sealed class KafkaPython : IKafkaScript
{
    private const string Script = "tests/Dragoman.Clients.Tests/scripts/python/kafka_python.py";

    public static string Name => "python3-kafka";

    public static IReadOnlyList<string> Writes => ["none", "gzip", "snappy", "lz4", "zstd"];

    // It fetches with version 4, and since Kafka 2.1 no broker gives zstd to versions below 10 (KIP-110).
    public static IReadOnlyList<string> Reads => ["none", "gzip", "snappy", "lz4"];

    public static async Task<string> VersionAsync() =>
        (await ForeignProcess.RunAsync(Scripts.Python, ["-c", "import kafka; print(kafka.__version__)"])).Succeeded().Output.Trim();

    public static Task<ProcessResult> RunAsync(IEnumerable<string> arguments, byte[]? input) =>
        Scripts.PythonAsync(Script, arguments, input);

    public static ForeignProcess Start(IEnumerable<string> arguments) => Scripts.StartPython(Script, arguments);
}

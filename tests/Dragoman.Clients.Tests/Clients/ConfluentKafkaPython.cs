using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Clients;

/// <summary>Debian's python3-confluent-kafka, over Debian's librdkafka.</summary>
internal sealed class ConfluentKafkaPython : IKafkaScript
{
    private const string Script = "tests/Dragoman.Clients.Tests/scripts/python/confluent_kafka_python.py";

    public static string Name => "python3-confluent-kafka";

    public static IReadOnlyList<string> Writes => ["none", "gzip", "snappy", "lz4", "zstd"];

    public static IReadOnlyList<string> Reads => Writes;

    public static async Task<string> VersionAsync() =>
        (await ForeignProcess.RunAsync(Scripts.Python, ["-c", "import confluent_kafka as c; print(f'{c.version()[0]} (librdkafka {c.libversion()[0]})')"])).Succeeded().Output.Trim();

    public static Task<ProcessResult> RunAsync(IEnumerable<string> arguments, byte[]? input) =>
        Scripts.PythonAsync(Script, arguments, input);

    public static ForeignProcess Start(IEnumerable<string> arguments) => Scripts.StartPython(Script, arguments);
}

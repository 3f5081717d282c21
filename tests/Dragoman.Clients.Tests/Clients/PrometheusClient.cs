using System.Text.Json.Nodes;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Clients;

/// <summary>Debian's python3-prometheus-client, whose parser reads what Prometheus does.</summary>
internal sealed class PrometheusClient : IForeignClient
{
    private const string Script = "tests/Dragoman.Clients.Tests/scripts/python/prometheus_metrics.py";

    public static string Name => "prometheus-client";

    public static async Task<string> VersionAsync() => (await Scripts.PythonAsync(Script, ["version"])).Succeeded().Output.Trim();

    /// <summary>Collects metrics.</summary>
    public static async Task<Metrics> CollectAsync(string address) => new(JsonNode.Parse((await Scripts.PythonAsync(Script, [address])).Succeeded().Output)!);
}

/// <summary>What was collected.</summary>
internal sealed class Metrics(JsonNode parsed)
{
    /// <summary>The types of the metrics, by names without the suffix of counters.</summary>
    public JsonObject Types => parsed["types"]!.AsObject();

    /// <summary>Metrics without a word on what they are.</summary>
    public JsonArray Undocumented => parsed["undocumented"]!.AsArray();

    /// <summary>The value of the one sample of a name with some labels.</summary>
    public double this[string name, params (string Name, string Value)[] labels] => (double)Assert.Single(
        parsed["samples"]!.AsArray(), s => (string)s![0]! == name && labels.All(l => (string?)s[1]![l.Name] == l.Value))![2]!;
}

using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dragoman.Clients.Tests.Kafka;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Clients;

/// <summary>A Kafka client of another language, behind a script in <c>scripts</c>. All of these scripts take the same commands.</summary>
internal interface IKafkaScript : IForeignClient
{
    /// <summary>The codecs that the client can write.</summary>
    static abstract IReadOnlyList<string> Writes { get; }

    /// <summary>The codecs that the client can read.</summary>
    static abstract IReadOnlyList<string> Reads { get; }

    /// <summary>Runs the script.</summary>
    static abstract Task<ProcessResult> RunAsync(IEnumerable<string> arguments, byte[]? input);

    /// <summary>Starts the script, to be read from while it runs.</summary>
    static abstract ForeignProcess Start(IEnumerable<string> arguments);
}

/// <summary>What can be done with such a client.</summary>
internal static class KafkaScript<TClient>
    where TClient : IKafkaScript
{
    /// <summary>Sends records; returns the client's answers: partition, offset and timestamp, or an error.</summary>
    public static async Task<JsonNode[]> ProduceAsync(string broker, IEnumerable<KafkaRecord> records, object options)
    {
        var lines = string.Concat(records.Select(r => r.ToLine() + "\n"));
        return Answers(await TClient.RunAsync(["produce", broker, JsonSerializer.Serialize(options)], Encoding.UTF8.GetBytes(lines)));
    }

    /// <summary>Sends records, all of which must succeed.</summary>
    public static async Task SendAsync(string broker, IEnumerable<KafkaRecord> records, object options)
    {
        var answers = await ProduceAsync(broker, records, options);
        Assert.NotEmpty(answers);
        Assert.All(answers, a => Assert.Null(a["error"]));
    }

    /// <summary>Reads partitions (0 unless the options name others) to their ends.</summary>
    public static async Task<List<KafkaRecord>> ConsumeAsync(string broker, object options) =>
        [.. (await TClient.RunAsync(["consume", broker, JsonSerializer.Serialize(options)], null)).Succeeded().OutputLines.Select(KafkaRecord.Parse)];

    /// <summary>Sends records in one transaction, with offsets of a group if the options name one, and ends it as they say.</summary>
    public static async Task TransactAsync(string broker, IEnumerable<KafkaRecord> records, object options)
    {
        var lines = string.Concat(records.Select(r => r.ToLine() + "\n"));
        Assert.Single(Answers(await TClient.RunAsync(["transact", broker, JsonSerializer.Serialize(options)], Encoding.UTF8.GetBytes(lines))));
    }

    /// <summary>Asks for the first and the last offset and those at times.</summary>
    public static async Task<(long Beginning, long End, long?[] Times)> OffsetsAsync(string broker, string topic, params long[] times)
    {
        var answer = Assert.Single(Answers(await TClient.RunAsync(["offsets", broker, JsonSerializer.Serialize(new { topic, times })], null)));
        return ((long)answer["beginning"]!, (long)answer["end"]!, [.. answer["times"]!.AsArray().Select(t => (long?)t)]);
    }

    /// <summary>Administers a topic.</summary>
    public static async Task<JsonNode> AdminAsync(string broker, object options) =>
        Assert.Single(Answers(await TClient.RunAsync(["admin", broker, JsonSerializer.Serialize(options)], null)));

    private static JsonNode[] Answers(ProcessResult result) => [.. result.Succeeded().OutputLines.Select(l => JsonNode.Parse(l)!)];
}

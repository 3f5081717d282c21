using System.Text.Json;
using System.Text.Json.Serialization;
using Dragoman.Broker.Inspection;
using Dragoman.Storage.Inspection;

namespace Dragoman.Commands;

/// <summary>What <c>storage inspect --json</c> prints.</summary>
internal sealed record InspectionModel
{
    public required string Directory { get; init; }

    public required bool Damaged { get; init; }

    public required bool EndedClean { get; init; }

    public required string Tail { get; init; }

    public required IReadOnlyList<InspectionFinding> Findings { get; init; }

    public required ManifestInspection? Manifest { get; init; }

    public required IReadOnlyList<JournalFileInspection> Journal { get; init; }

    public required IReadOnlyList<SegmentInspection> Segments { get; init; }

    public required IReadOnlyList<TopicTotals> Topics { get; init; }

    public required IReadOnlyList<LogInspection> Logs { get; init; }

    public required long NextProducerId { get; init; }

    public IReadOnlyList<InspectedRound>? Rounds { get; init; }

    public static InspectionModel From(BrokerInspection found, IReadOnlyList<InspectedRound> rounds) => new()
    {
        Directory = found.Store.Directory,
        Damaged = found.Store.IsDamaged,
        EndedClean = found.Store.EndedClean,
        Tail = found.Store.Tail,
        Findings = found.Store.Findings,
        Manifest = found.Store.Manifest,
        Journal = found.Store.Journal,
        Segments = found.Store.Segments,
        Topics = TopicTotals.Of(found),
        Logs = found.Store.Logs,
        NextProducerId = found.NextProducerId,
        Rounds = rounds.Count == 0 ? null : rounds,
    };
}

/// <summary>A partition of a topic on disk.</summary>
internal sealed record PartitionTotals(int Partition, long LogId, long StartOffset, long EndOffset, long SegmentBytes, long JournalBytes);

/// <summary>A topic on disk.</summary>
internal sealed record TopicTotals(string Namespace, string Name, Guid Id, string CommitMode, IReadOnlyList<PartitionTotals> Partitions)
{
    public static IReadOnlyList<TopicTotals> Of(BrokerInspection found)
    {
        var logs = found.Store.Logs.ToDictionary(l => l.Id);
        return [.. found.Topics.Select(t => new TopicTotals(
            t.Name.Namespace.ToString(), t.Name.Name, t.Id, t.Settings.CommitMode.ToString().ToLowerInvariant(),
            [.. t.LogIds.Select((id, i) => logs.TryGetValue(id, out var log)
                ? new PartitionTotals(i, id, log.StartOffset, log.EndOffset, log.SegmentBytes, log.JournalBytes)
                : new PartitionTotals(i, id, 0, 0, 0, 0))]))];
    }
}

/// <summary>The JSON of it, made at compile time.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(InspectionModel))]
internal sealed partial class InspectionJson : JsonSerializerContext;

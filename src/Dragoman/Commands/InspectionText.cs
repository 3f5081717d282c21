using Dragoman.Broker.Inspection;
using Dragoman.Storage.Inspection;
using Dragoman.Storage.Log;

namespace Dragoman.Commands;

/// <summary>Prints an inspection for people.</summary>
internal static class InspectionText
{
    // A file shared by ten thousand logs is described by its largest.
    private const int ShownShares = 8;

    public static void Print(BrokerInspection found, IReadOnlyList<InspectedRound> rounds)
    {
        var store = found.Store;
        var names = Names(found);
        Summary(found);
        Topics(found);
        Journal(store, names);
        Segments(store, names);
        if (rounds.Count > 0) Rounds(rounds, names, found.StateNames);
        Findings(store);
    }

    private static Dictionary<long, string> Names(BrokerInspection found)
    {
        var names = new Dictionary<long, string>();
        foreach (var topic in found.Topics)
            for (var i = 0; i < topic.LogIds.Count; i++) names[topic.LogIds[i]] = $"{topic.Name}/{i}";
        return names;
    }

    private static string Name(Dictionary<long, string> names, long log) => names.TryGetValue(log, out var name) ? name : $"log {log} (deleted)";

    private static void Summary(BrokerInspection found)
    {
        var store = found.Store;
        Output.Fields(
            ("Directory", store.Directory),
            ("Store id", store.Manifest?.StoreId.ToString() ?? "unknown"),
            ("State", store.IsDamaged ? $"DAMAGED ({store.Findings.Count(f => f.IsDamage)} findings, below)" : store.EndedClean ? "whole; stopped in good order" : "whole; not stopped in good order"),
            ("Journal's end", store.Tail),
            ("Manifest", store.Manifest is { } m ? $"{m.Number}: replay starts at round {m.FirstRound} in file {m.JournalFile}; {m.Logs} logs; epoch {m.Epoch}; commits through {m.LastSequence}" : "none that can be read"),
            ("Snapshots", store.Manifest is { States.Count: > 0 } s ? string.Join(", ", s.States.Select(x => $"{(found.StateNames.TryGetValue(x.Id, out var name) ? name : $"state {x.Id}")} ({ByteSize.Format(x.SnapshotBytes)}, commit {x.Sequence})")) : "none"));
        Output.Line();
    }

    private static void Topics(BrokerInspection found)
    {
        Output.Heading("Topics");
        var logs = found.Store.Logs.ToDictionary(l => l.Id);
        var rows = new List<IReadOnlyList<string>>();
        foreach (var topic in found.Topics)
        {
            for (var i = 0; i < topic.LogIds.Count; i++)
            {
                logs.TryGetValue(topic.LogIds[i], out var log);
                rows.Add([i == 0 ? topic.Name.ToString() : "", $"{i}", $"{topic.LogIds[i]}", log?.Kind == LogKind.Memory ? "memory" : $"{log?.StartOffset}", log?.Kind == LogKind.Memory ? "" : $"{log?.EndOffset}", ByteSize.Format(log?.SegmentBytes ?? 0), ByteSize.Format(log?.JournalBytes ?? 0)]);
            }
        }
        if (rows.Count == 0) Output.Line("none");
        else Output.Table([new("TOPIC"), new("PARTITION", true), new("LOG", true), new("START", true), new("END", true), new("IN SEGMENTS", true), new("IN JOURNAL", true)], rows);
        Output.Line();
    }

    private static void Journal(StoreInspection store, Dictionary<long, string> names)
    {
        Output.Heading("Journal");
        Output.Table(
            [new("FILE", true), new("ROLE"), new("EPOCH", true), new("ROUNDS", true), new("COMMITS", true), new("USED", true), new("SIZE", true), new("LOGS")],
            [.. store.Journal.Select(f => new[]
            {
                $"{f.Number}", f.Role.ToString().ToLowerInvariant(), f.Epoch < 0 ? "" : $"{f.Epoch}",
                f.Rounds == 0 ? "0" : $"{f.FirstRound}-{f.FirstRound + f.Rounds - 1}", Output.Count(f.Commits), ByteSize.Format(f.UsedBytes), ByteSize.Format(f.FileBytes), Shares(f.Logs, names),
            })]);
        Output.Line();
    }

    private static void Segments(StoreInspection store, Dictionary<long, string> names)
    {
        Output.Heading("Segments");
        if (store.Segments.Count == 0)
        {
            Output.Line("none");
            Output.Line();
            return;
        }
        var rows = new List<IReadOnlyList<string>>();
        foreach (var segment in store.Segments)
        {
            if (segment.Regions.Count == 0) rows.Add([$"{segment.Number}", ByteSize.Format(segment.FileBytes), segment.IsReferenced ? "unreadable" : "leftover", "", "", ""]);
            for (var i = 0; i < segment.Regions.Count; i++)
            {
                var region = segment.Regions[i];
                rows.Add([i == 0 ? $"{segment.Number}" : "", i == 0 ? ByteSize.Format(segment.FileBytes) : "", Name(names, region.LogId), $"{region.FirstOffset}-{region.EndOffset - 1}", region.Batches < 0 ? "" : Output.Count(region.Batches), ByteSize.Format(region.Bytes)]);
            }
        }
        Output.Table([new("FILE", true), new("SIZE", true), new("REGION"), new("OFFSETS"), new("BATCHES", true), new("BYTES", true)], rows);
        Output.Line();
    }

    private static string Shares(IReadOnlyList<LogShare> shares, Dictionary<long, string> names)
    {
        var text = string.Join(", ", shares.Take(ShownShares).Select(s => $"{Name(names, s.LogId)} {s.FirstOffset}-{s.EndOffset - 1} ({ByteSize.Format(s.Bytes)})"));
        return shares.Count > ShownShares ? $"{text}, and {shares.Count - ShownShares} more" : text;
    }

    private static void Rounds(IReadOnlyList<InspectedRound> rounds, Dictionary<long, string> names, IReadOnlyDictionary<long, string> states)
    {
        Output.Heading("Rounds");
        foreach (var round in rounds)
        {
            Output.Line($"round {round.Number}  file {round.File} at {round.Position}  {ByteSize.Format(round.Bytes)}  synced through {round.SyncedThrough}");
            foreach (var commit in round.Commits)
            {
                Output.Line($"  commit {commit.Sequence}  {commit.Mode.ToString().ToLowerInvariant()}");
                foreach (var entry in commit.Entries)
                {
                    var what = entry.Kind switch
                    {
                        "event" => states.TryGetValue(entry.Id, out var state) ? state : $"state {entry.Id}",
                        "clean-stop" => "",
                        _ => Name(names, entry.Id),
                    };
                    var where = entry.Offset < 0 ? "" : entry.Records > 0 ? $"  offset {entry.Offset}, {entry.Records} records" : $"  offset {entry.Offset}";
                    Output.Line($"    {entry.Kind}  {what}{where}{(entry.Bytes > 0 ? $"  {ByteSize.Format(entry.Bytes)}" : "")}".TrimEnd());
                }
            }
        }
        Output.Line();
    }

    private static void Findings(StoreInspection store)
    {
        foreach (var finding in store.Findings)
            Output.Line($"{(finding.IsDamage ? "DAMAGE" : "note")}: {finding.Path}{(finding.Position < 0 ? "" : $" at {finding.Position}")}: {finding.Message}");
        if (!store.IsDamaged) Output.Line("No damage found.");
    }
}

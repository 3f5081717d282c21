using System.CommandLine;
using Dragoman.Admin.Model;

namespace Dragoman.Commands;

/// <summary><c>dragoman queue</c>: which queues there are, each of them, and their messages.</summary>
internal static class QueueCommand
{
    public static Command Create() => new("queue", "Lists, creates, describes and deletes queues; looks at, publishes, receives, moves and replays their messages.")
    {
        List(), QueueCreateCommand.Create(), Describe(), Delete(), Purge(),
        QueuePeekCommand.Create(), QueuePublishCommand.Create(), QueueReceiveCommand.Create(), Replay(),
        QueueMoveCommand.Create(), QueueMoveCommand.List(), QueueMoveCommand.Cancel(),
    };

    /// <summary>The path of a queue, or of something of it.</summary>
    public static string Path(string queue, string? part, string? ns) => ClientOptions.Query(AdminClient.Path("queues", queue, part), ("namespace", ns));

    private static Command List()
    {
        var server = ClientOptions.Server();
        var ns = ClientOptions.OnlyNamespace("queues");
        var json = ClientOptions.Json();
        var command = new Command("list", "Lists queues.") { server, ns, json };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var queues = new List<QueueOverview>();
            for (string? after = null; ;)
            {
                var page = await client.GetAsync(ClientOptions.Query("queues", ("namespace", parsed.GetValue(ns)), ("limit", "10000"), ("after", after)), AdminJson.Default.QueueList, cancellation);
                queues.AddRange(page.Queues);
                after = page.Next;
                if (after is null) break;
            }
            if (parsed.GetValue(json)) Output.Json(new QueueList(queues), AdminJson.Default.QueueList);
            else if (queues.Count == 0 && !Console.IsOutputRedirected) Output.Line("There are no queues. Create one with: dragoman queue create NAME");
            else
            {
                Output.Table(
                    [new("QUEUE"), new("TYPE"), new("READY", true), new("LEASED", true), new("DELAYED", true), new("CONSUMERS", true), new("COMMIT MODE")],
                    [.. queues.Select(q => new[] { Output.Name(q.Namespace, q.Name), q.Type, Output.Count(q.Ready), Output.Count(q.Leased), Output.Count(q.Delayed), Output.Count(q.Consumers), q.Durable ? q.CommitMode : "memory (transient)" })]);
            }
            return ExitCode.Ok;
        }));
        return command;
    }

    private static Command Describe()
    {
        var server = ClientOptions.Server();
        var ns = ClientOptions.Namespace("queue");
        var json = ClientOptions.Json();
        var queue = ClientOptions.Queue();
        var command = new Command("describe", "Shows a queue's messages in numbers, its settings and the bindings that lead to it.") { queue, server, ns, json };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var details = await client.GetAsync(Path(parsed.GetValue(queue)!, null, parsed.GetValue(ns)), AdminJson.Default.QueueDetails, cancellation);
            if (parsed.GetValue(json)) Output.Json(details, AdminJson.Default.QueueDetails);
            else Show(details);
            return ExitCode.Ok;
        }));
        return command;
    }

    private static void Show(QueueDetails queue)
    {
        Output.Fields([
            ("Queue", Output.Name(queue.Namespace, queue.Name)),
            ("Created", Output.Time(queue.CreatedAt)),
            ("Ready", Output.Count(queue.Ready)),
            ("Leased", $"{Output.Count(queue.Leased)} (delivered and not settled)"),
            ("Delayed", Output.Count(queue.Delayed)),
            ("Consumers", Output.Count(queue.Consumers)),
            ("Keeps", queue.StartOffset == queue.EndOffset ? $"nothing before offset {queue.EndOffset}, its end" : $"offsets {queue.StartOffset} to {queue.EndOffset - 1}, the first from {Output.Time(queue.OldestAt!.Value)}"),
            .. Settings(queue.Settings),
        ]);
        var totals = queue.Totals;
        (string Name, long Count)[] ways = [
            ("replayed", totals.Replayed), ("acknowledged", totals.Acknowledged), ("expired", totals.Expired), ("dead-lettered", totals.DeadLettered),
            ("moved elsewhere", totals.MovedOut), ("purged", totals.Purged), ("filtered out", totals.Filtered), ("dropped", totals.Dropped),
        ];
        Output.Line();
        Output.Line($"Since it was made {Output.Things(totals.Accepted, "message")} came{string.Concat(ways.Where(w => w.Count > 0).Select(w => $", {Output.Count(w.Count)} {(w.Count == 1 ? "was" : "were")} {w.Name}"))}.");
        if (queue.Bindings.Count == 0) return;
        Output.Line();
        BindCommand.Show(queue.Bindings);
    }

    private static IEnumerable<(string, string)> Settings(QueueSettingsModel settings)
    {
        yield return ("Durable", settings.Durable == false ? "no: it is gone after a restart" : "yes");
        yield return ("Commit mode", settings.CommitMode!);
        if (settings.RetentionMs is { } age)
        {
            yield return ("Retention", $"{Durations.Format(age)}, {(settings.RetentionBytes < 0 ? "any size" : $"at least {ByteSize.Format(settings.RetentionBytes!.Value)}")}, whoever has read it (a stream)");
            yield break;
        }
        yield return ("Dispatch", settings.Dispatch == "byKey" ? "by key" : settings.Dispatch!);
        yield return ("Lease", Durations.Format(settings.LeaseMs!.Value));
        if (settings.MaxDeliveries >= 0) yield return ("Deliveries", $"{settings.MaxDeliveries} at most");
        if (settings.DeadLetterQueue is { } dead) yield return ("Dead letters", $"to queue {dead}");
        else if (settings.DeadLetterExchange is { } exchange) yield return ("Dead letters", $"{(exchange.Length == 0 ? "to the queue of their routing key" : $"through exchange {exchange}")}{(settings.DeadLetterKey is { } key ? $", with key {key}" : "")}");
        if (settings.MessageLifetimeMs >= 0) yield return ("Messages live", Durations.Format(settings.MessageLifetimeMs.Value));
        if (settings.DelayMs > 0) yield return ("Delay", Durations.Format(settings.DelayMs.Value));
        if (settings.MaxPriority > 0) yield return ("Priorities", $"0 to {settings.MaxPriority}");
        if (settings.MaxLength >= 0 || settings.MaxLengthBytes >= 0)
        {
            var limits = new List<string>();
            if (settings.MaxLength >= 0) limits.Add(Output.Things(settings.MaxLength.Value, "message"));
            if (settings.MaxLengthBytes >= 0) limits.Add(ByteSize.Format(settings.MaxLengthBytes.Value));
            yield return ("Longest", $"{string.Join(", ", limits)}; then {settings.Overflow switch { "reject" => "new ones are refused", "rejectDeadLetter" => "new ones are refused and dead-lettered", _ => "the oldest make room" }}");
        }
        if (settings.DeduplicationWindowMs > 0) yield return ("Copies known for", Durations.Format(settings.DeduplicationWindowMs.Value));
        if (settings.ReplayWindowMs > 0) yield return ("Replay window", $"{Durations.Format(settings.ReplayWindowMs.Value)}{(settings.ReplayWindowBytes >= 0 ? $", {ByteSize.Format(settings.ReplayWindowBytes.Value)} at most" : "")}");
        if (settings.ExpiresAfterMs >= 0) yield return ("Goes", $"if nobody uses it for {Durations.Format(settings.ExpiresAfterMs.Value)}");
        if (settings.AutoDelete == true) yield return ("Goes", "with its last consumer");
    }

    private static Command Delete()
    {
        var server = ClientOptions.Server();
        var ns = ClientOptions.Namespace("queue");
        var queue = ClientOptions.Queue();
        var ifUnused = new Option<bool>("--if-unused") { Description = "Only if it has no consumers." };
        var ifEmpty = new Option<bool>("--if-empty") { Description = "Only if it holds no messages." };
        var command = new Command("delete", "Deletes a queue and all that it holds.") { queue, ifUnused, ifEmpty, server, ns };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var path = ClientOptions.Query(
                AdminClient.Path("queues", parsed.GetValue(queue)!), ("namespace", parsed.GetValue(ns)), ("ifUnused", parsed.GetValue(ifUnused) ? "true" : null), ("ifEmpty", parsed.GetValue(ifEmpty) ? "true" : null));
            await client.DeleteAsync(path, cancellation);
            Output.Line($"Deleted queue {parsed.GetValue(queue)}.");
            return ExitCode.Ok;
        }));
        return command;
    }

    private static Command Purge()
    {
        var server = ClientOptions.Server();
        var ns = ClientOptions.Namespace("queue");
        var queue = ClientOptions.Queue();
        var everything = new Option<bool>("--everything") { Description = "Also messages that are delayed, or held by consumers." };
        var command = new Command("purge", "Drops all messages that wait in a queue.") { queue, everything, server, ns };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var name = parsed.GetValue(queue)!;
            var result = await client.SendAsync(HttpMethod.Post, Path(name, "purge", parsed.GetValue(ns)), new PurgeRequest(parsed.GetValue(everything)), AdminJson.Default.PurgeRequest, AdminJson.Default.PurgeResult, cancellation);
            Output.Line($"Purged {Output.Things(result.Purged, "message")} of queue {name}.");
            return ExitCode.Ok;
        }));
        return command;
    }

    private static Command Replay()
    {
        var server = ClientOptions.Server();
        var ns = ClientOptions.Namespace("queue");
        var json = ClientOptions.Json();
        var queue = ClientOptions.Queue();
        var to = new Option<string>("--to") { Description = "Where to go on: earliest, latest, an offset, a time (2026-01-31T12:00:00Z) or an age (15m).", HelpName = "POSITION", Required = true };
        var command = new Command("replay", "Delivers messages of a queue once more, from a place on; what lies before it is skipped. Settled messages are kept for the queue's replay window.") { queue, to, server, ns, json };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var name = parsed.GetValue(queue)!;
            var result = await client.SendAsync(HttpMethod.Post, Path(name, "replay", parsed.GetValue(ns)), new ReplayRequest(parsed.GetValue(to)!), AdminJson.Default.ReplayRequest, AdminJson.Default.ReplayResult, cancellation);
            if (parsed.GetValue(json)) Output.Json(result, AdminJson.Default.ReplayResult);
            else Output.Line($"Brought {Output.Things(result.Replayed, "settled message")} back to queue {name}: {Output.Count(result.Ready)} can be delivered now.");
            return ExitCode.Ok;
        }));
        return command;
    }
}

using System.CommandLine;
using Dragoman.Admin.Model;

namespace Dragoman.Commands;

/// <summary><c>dragoman queue create</c>.</summary>
internal static class QueueCreateCommand
{
    public static Command Create()
    {
        var server = ClientOptions.Server();
        var ns = ClientOptions.Namespace("queue");
        var json = ClientOptions.Json();
        var queue = ClientOptions.Queue();
        var transient = new Option<bool>("--transient") { Description = "It is gone after a restart, and keeps its messages in memory." };
        var commitMode = new Option<string?>("--commit-mode") { Description = "What an acknowledgement means: fsync, written or memory. [default: fsync]", HelpName = "MODE" };
        var dispatch = new Option<string?>("--dispatch") { Description = "Who gets a message: shared, failover, exclusive, by-key or fair. [default: shared]", HelpName = "HOW" };
        var lease = new Option<string?>("--lease") { Description = "How long a message that was received is held for its receiver. [default: 30s]", HelpName = "TIME" };
        var maxDeliveries = new Option<int?>("--max-deliveries") { Description = "After so many deliveries a message that comes back is dead-lettered.", HelpName = "N" };
        var deadLetterQueue = new Option<string?>("--dead-letter-queue") { Description = "The queue that dead letters go to.", HelpName = "QUEUE" };
        var deadLetterExchange = new Option<string?>("--dead-letter-exchange") { Description = "The exchange that dead letters go through, instead.", HelpName = "EXCHANGE" };
        var deadLetterKey = new Option<string?>("--dead-letter-key") { Description = "What they are routed by. [default: what they were published with]", HelpName = "KEY" };
        var lifetime = new Option<string?>("--ttl") { Description = "How long messages live, such as 7d.", HelpName = "TIME" };
        var maxLength = new Option<long?>("--max-length") { Description = "The most messages that wait.", HelpName = "N" };
        var maxBytes = new Option<string?>("--max-length-bytes") { Description = "The most bytes of values that wait, such as 1GiB.", HelpName = "SIZE" };
        var overflow = new Option<string?>("--overflow") { Description = "What happens then: drop-head, reject or reject-dead-letter. [default: drop-head]", HelpName = "HOW" };
        var expires = new Option<string?>("--expires") { Description = "Delete the queue if nobody uses it for so long.", HelpName = "TIME" };
        var autoDelete = new Option<bool>("--auto-delete") { Description = "Delete the queue with its last consumer." };
        var maxPriority = new Option<int?>("--max-priority") { Description = "The highest priority that makes a difference, up to 255.", HelpName = "N" };
        var delay = new Option<string?>("--delay") { Description = "How long messages wait before they can be delivered.", HelpName = "TIME" };
        var deduplication = new Option<string?>("--deduplication-window") { Description = "For how long a second message of one deduplication id is taken for a copy.", HelpName = "TIME" };
        var replay = new Option<string?>("--replay-window") { Description = "For how long settled messages are kept for 'queue replay'.", HelpName = "TIME" };
        var replayBytes = new Option<string?>("--replay-window-bytes") { Description = "How many bytes of them at most.", HelpName = "SIZE" };
        var command = new Command("create", "Creates a queue.")
        {
            queue, server, ns, transient, commitMode, dispatch, lease, maxDeliveries, deadLetterQueue, deadLetterExchange, deadLetterKey, lifetime, maxLength, maxBytes, overflow,
            expires, autoDelete, maxPriority, delay, deduplication, replay, replayBytes, json,
        };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            long? Time(Option<string?> option) => parsed.GetValue(option) is { } text ? Durations.Parse(text, option.Name) : null;
            long? Size(Option<string?> option) => parsed.GetValue(option) is { } text
                ? ByteSize.TryParse(text, out var bytes) ? bytes : throw new CommandException($"{option.Name} is '{text}'; it should be a size such as 10MiB.", ExitCode.Usage)
                : null;
            var settings = new QueueSettingsModel
            {
                Durable = parsed.GetValue(transient) ? false : null,
                CommitMode = parsed.GetValue(commitMode),
                Dispatch = Camel(parsed.GetValue(dispatch)),
                LeaseMs = Time(lease),
                MaxDeliveries = parsed.GetValue(maxDeliveries),
                DeadLetterQueue = parsed.GetValue(deadLetterQueue),
                DeadLetterExchange = parsed.GetValue(deadLetterExchange),
                DeadLetterKey = parsed.GetValue(deadLetterKey),
                MessageLifetimeMs = Time(lifetime),
                MaxLength = parsed.GetValue(maxLength),
                MaxLengthBytes = Size(maxBytes),
                Overflow = Camel(parsed.GetValue(overflow)),
                ExpiresAfterMs = Time(expires),
                AutoDelete = parsed.GetValue(autoDelete) ? true : null,
                MaxPriority = parsed.GetValue(maxPriority),
                DelayMs = Time(delay),
                DeduplicationWindowMs = Time(deduplication),
                ReplayWindowMs = Time(replay),
                ReplayWindowBytes = Size(replayBytes),
            };
            using var client = new AdminClient(parsed.GetValue(server));
            var details = await client.SendAsync(
                HttpMethod.Post, ClientOptions.Query("queues", ("namespace", parsed.GetValue(ns))), new CreateQueueRequest(parsed.GetValue(queue)!, settings),
                AdminJson.Default.CreateQueueRequest, AdminJson.Default.QueueDetails, cancellation);
            if (parsed.GetValue(json)) Output.Json(details, AdminJson.Default.QueueDetails);
            else Output.Line($"Created queue {Output.Name(details.Namespace, details.Name)}.");
            return ExitCode.Ok;
        }));
        return command;
    }

    /// <summary>A name as the API has it: <c>by-key</c> is <c>byKey</c>.</summary>
    private static string? Camel(string? text)
    {
        if (text is null) return null;
        var parts = text.Split('-');
        return parts[0] + string.Concat(parts.Skip(1).Where(static p => p.Length > 0).Select(static p => char.ToUpperInvariant(p[0]) + p[1..]));
    }
}

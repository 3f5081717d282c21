using System.CommandLine;
using System.Globalization;
using Dragoman.Admin.Model;

namespace Dragoman.Commands;

/// <summary><c>dragoman queue peek</c>: shows messages and leaves them.</summary>
internal static class QueuePeekCommand
{
    private const int ShownCharacters = 60;
    private const int MaxPage = 1000;

    public static Command Create()
    {
        var server = ClientOptions.Server();
        var ns = ClientOptions.Namespace("queue");
        var json = ClientOptions.Json();
        var queue = ClientOptions.Queue();
        var limit = new Option<int>("--limit") { Description = "How many messages to show.", HelpName = "N", DefaultValueFactory = _ => 10 };
        var from = new Option<long>("--from") { Description = "The offset to begin at.", HelpName = "OFFSET", DefaultValueFactory = _ => 0 };
        var command = new Command("peek", "Shows messages of a queue that are not settled, in the order of their offsets. It takes nothing, and counts as no delivery.") { queue, limit, from, server, ns, json };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var name = parsed.GetValue(queue)!;
            var wanted = parsed.GetValue(limit);
            if (wanted < 1) throw new CommandException($"--limit is {wanted}; it should be at least 1.", ExitCode.Usage);
            var messages = new List<QueueMessage>();
            long? next = parsed.GetValue(from);
            while (next is { } offset && messages.Count < wanted)
            {
                var path = ClientOptions.Query(
                    AdminClient.Path("queues", name, "messages"), ("namespace", parsed.GetValue(ns)), ("from", offset.ToString(CultureInfo.InvariantCulture)),
                    ("limit", Math.Min(MaxPage, wanted - messages.Count).ToString(CultureInfo.InvariantCulture)));
                var page = await client.GetAsync(path, AdminJson.Default.QueueMessageList, cancellation);
                messages.AddRange(page.Messages);
                next = page.Next;
            }
            if (parsed.GetValue(json)) Output.Json(new QueueMessageList(messages, next), AdminJson.Default.QueueMessageList);
            else if (messages.Count == 0 && !Console.IsOutputRedirected) Output.Line($"Queue {name} holds no messages.");
            else Show(messages, next);
            return ExitCode.Ok;
        }));
        return command;
    }

    private static void Show(List<QueueMessage> messages, long? next)
    {
        var withDeaths = messages.Exists(static m => m.Deaths is not null);
        var columns = new List<Output.Column> { new("OFFSET", true), new("PUBLISHED"), new("DELIVERIES", true), new("KEY"), new("VALUE") };
        if (withDeaths) columns.Add(new("DEAD-LETTERED"));
        Output.Table(columns, [.. messages.Select(m =>
        {
            var row = new List<string> { $"{m.Offset}", Output.Time(DateTimeOffset.FromUnixTimeMilliseconds(m.Timestamp ?? 0)), $"{m.Deliveries}", Text(m.Key, m.KeyBase64), Text(m.Value, m.ValueBase64) };
            if (withDeaths) row.Add(Death(m));
            return row;
        })]);
        if (next is { } offset && !Console.IsOutputRedirected) Output.Line($"There are more: --limit shows more of them, --from {offset} the next.");
    }

    private static string Death(QueueMessage message) =>
        message.Deaths is [var last, ..]
            ? $"{last.Reason switch { "maxLength" => "too many", "deliveryLimit" => "delivered too often", var other => other }} in {last.Queue}{(last.Count > 1 ? $", {last.Count} times" : "")}"
            : "";

    /// <summary>Bytes on one line: what is no text is told by its length, and what is long is cut.</summary>
    private static string Text(string? text, byte[]? bytes)
    {
        if (bytes is not null) return $"({Output.Things(bytes.Length, "byte")})";
        if (text is null) return "-";
        var line = string.Concat(text.Take(ShownCharacters).Select(static c => char.IsControl(c) ? ' ' : c));
        return text.Length > ShownCharacters ? line + "..." : line;
    }
}

using System.CommandLine;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Dragoman.Admin.Model;

namespace Dragoman.Commands;

/// <summary><c>dragoman queue publish</c>: puts a message, or each line of stdin, into a queue.</summary>
internal static class QueuePublishCommand
{
    private const int MaxBatch = 1000;
    private const int MaxBatchBytes = 1 << 20;

    public static Command Create()
    {
        var server = ClientOptions.Server();
        var ns = ClientOptions.Namespace("queue");
        var json = ClientOptions.Json();
        var queue = ClientOptions.Queue();
        var message = new Argument<string?>("MESSAGE") { Description = "The message. [default: each line of standard input is one]", Arity = ArgumentArity.ZeroOrOne };
        var key = new Option<string?>("--key") { Description = "The key: the messages of a key keep their order where the queue is dispatched by key.", HelpName = "KEY" };
        var header = new Option<string[]>("--header") { Description = "A header; may be repeated.", HelpName = "NAME=VALUE" };
        var priority = new Option<int?>("--priority") { Description = "How urgent it is, 0 to 255.", HelpName = "N" };
        var delay = new Option<string?>("--delay") { Description = "Not to be delivered for so long.", HelpName = "TIME" };
        var lifetime = new Option<string?>("--ttl") { Description = "Not worth delivering after so long.", HelpName = "TIME" };
        var format = new Option<string>("--format") { Description = "What a line is: value, or json as 'queue peek --json' shows messages.", HelpName = "FORMAT", DefaultValueFactory = _ => "value" };
        var command = new Command("publish", "Publishes messages to a queue. It is done when they are as durable as the queue says.") { queue, message, key, header, priority, delay, lifetime, format, server, ns, json };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var template = new QueueMessage
            {
                Key = parsed.GetValue(key),
                Headers = Headers(parsed.GetValue(header) ?? []),
                Priority = parsed.GetValue(priority),
                DelayMs = parsed.GetValue(delay) is { } wait ? Durations.Parse(wait, "--delay") : null,
                LifetimeMs = parsed.GetValue(lifetime) is { } life ? Durations.Parse(life, "--ttl") : null,
            };
            var path = QueueCommand.Path(parsed.GetValue(queue)!, "messages", parsed.GetValue(ns));
            var isJson = parsed.GetValue(format) switch
            {
                "value" => false,
                "json" => true,
                var other => throw new CommandException($"--format is '{other}'; it should be value or json.", ExitCode.Usage),
            };
            var messages = parsed.GetValue(message) is { } text ? [template with { Value = text }] : Lines(template, isJson);
            var (published, duplicates) = (0L, 0L);
            foreach (var batch in Batches(messages))
            {
                try
                {
                    var result = await client.SendAsync(HttpMethod.Post, path, new PublishRequest(batch), AdminJson.Default.PublishRequest, AdminJson.Default.PublishResult, cancellation);
                    published += result.Published;
                    duplicates += result.Duplicates;
                }
                catch (CommandException error) when (published > 0)
                {
                    throw new CommandException($"{error.Message} ({Output.Things(published, "message")} had been published before.)", error);
                }
            }
            if (parsed.GetValue(json)) Output.Json(new PublishResult(published, duplicates), AdminJson.Default.PublishResult);
            else await Console.Error.WriteLineAsync($"{Output.Things(published, "message")} published{(duplicates > 0 ? $", {Output.Count(duplicates)} of them there already" : "")}.");
            return ExitCode.Ok;
        }));
        return command;
    }

    private static List<HeaderModel>? Headers(string[] options)
    {
        if (options.Length == 0) return null;
        return [.. options.Select(option =>
        {
            var split = option.IndexOf('=', StringComparison.Ordinal);
            return split > 0 ? new HeaderModel(option[..split], option[(split + 1)..]) : throw new CommandException($"--header is '{option}'; it should be NAME=VALUE.", ExitCode.Usage);
        })];
    }

    private static IEnumerable<QueueMessage> Lines(QueueMessage template, bool isJson)
    {
        if (!Console.IsInputRedirected) Console.Error.WriteLine("Type one message per line; Ctrl+D ends.");
        using var stdin = new BufferedStream(Console.OpenStandardInput(), 1 << 16);
        using var line = new MemoryStream();
        for (var number = 1L; ; number++)
        {
            line.SetLength(0);
            int read;
            while ((read = stdin.ReadByte()) is not (-1 or '\n')) line.WriteByte((byte)read);
            if (read < 0 && line.Length == 0) yield break;
            if (isJson) yield return Parse(line, number);
            else if (Utf8.IsValid(line.GetBuffer().AsSpan(0, (int)line.Length))) yield return template with { Value = Encoding.UTF8.GetString(line.GetBuffer(), 0, (int)line.Length) };
            else yield return template with { ValueBase64 = line.ToArray() };
            if (read < 0) yield break;
        }
    }

    private static QueueMessage Parse(MemoryStream line, long number)
    {
        try
        {
            var message = JsonSerializer.Deserialize(line.GetBuffer().AsSpan(0, (int)line.Length), AdminJson.Default.QueueMessage) ?? throw new CommandException($"Line {number} is null; it should be a message.");
            // What was looked at, or received, can be published as it was shown.
            return message with { Offset = null, Timestamp = null, Deliveries = null, Lease = null, Deaths = null };
        }
        catch (JsonException error)
        {
            throw new CommandException($"Line {number} is not a message: {error.Message}", error);
        }
    }

    private static IEnumerable<List<QueueMessage>> Batches(IEnumerable<QueueMessage> messages)
    {
        var batch = new List<QueueMessage>();
        var bytes = 0;
        foreach (var message in messages)
        {
            batch.Add(message);
            bytes += message.Value?.Length ?? message.ValueBase64?.Length ?? 0;
            if (batch.Count < MaxBatch && bytes < MaxBatchBytes) continue;
            yield return batch;
            (batch, bytes) = ([], 0);
        }
        if (batch.Count > 0) yield return batch;
    }
}

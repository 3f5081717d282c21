using System.CommandLine;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Dragoman.Admin.Model;

namespace Dragoman.Commands;

/// <summary><c>dragoman queue receive</c>: takes messages, prints them, and acknowledges what was printed.</summary>
internal static class QueueReceiveCommand
{
    private const int MaxBatch = 1000;
    private const double MaxWaitSeconds = 60;

    public static Command Create()
    {
        var server = ClientOptions.Server();
        var ns = ClientOptions.Namespace("queue");
        var queue = ClientOptions.Queue();
        var max = new Option<long>("--max") { Description = "How many messages to take.", HelpName = "N", DefaultValueFactory = _ => 1 };
        var wait = new Option<string?>("--wait") { Description = "How long to wait for a message, such as 10s. [default: not at all]", HelpName = "TIME" };
        var requeue = new Option<bool>("--requeue") { Description = "Put the messages back when they are printed, as if they had not been delivered." };
        var reject = new Option<bool>("--reject") { Description = "Reject the messages when they are printed: they go to the dead-letter target, if there is one." };
        var json = new Option<bool>("--json") { Description = "Print each message as a line of JSON, with its headers." };
        var command = new Command("receive", "Takes messages from a queue, prints their values to stdout, one per line, and acknowledges them: then they are gone.") { queue, max, wait, requeue, reject, json, server, ns };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            if (parsed.GetValue(requeue) && parsed.GetValue(reject)) throw new CommandException("--requeue and --reject exclude each other.", ExitCode.Usage);
            var action = parsed.GetValue(requeue) ? "release" : parsed.GetValue(reject) ? "reject" : "acknowledge";
            var left = parsed.GetValue(wait) is { } text ? Durations.Parse(text, "--wait") / 1000.0 : 0;
            if (left < 0) left = double.MaxValue;
            using var client = new AdminClient(parsed.GetValue(server));
            var (name, space, wanted) = (parsed.GetValue(queue)!, parsed.GetValue(ns), parsed.GetValue(max));
            await using var stdout = Console.OpenStandardOutput();
            // What goes back is kept until the end, or it would come again.
            var held = new List<string>();
            long received = 0;
            while (received < wanted)
            {
                var waiting = Math.Min(left, MaxWaitSeconds);
                left -= waiting;
                var request = new ReceiveRequest((int)Math.Min(MaxBatch, wanted - received), waiting);
                var list = await client.SendAsync(HttpMethod.Post, QueueCommand.Path(name, "receive", space), request, AdminJson.Default.ReceiveRequest, AdminJson.Default.QueueMessageList, cancellation);
                foreach (var message in list.Messages) await WriteAsync(stdout, message, parsed.GetValue(json), cancellation);
                await stdout.FlushAsync(cancellation);
                held.AddRange(list.Messages.Select(static m => m.Lease!));
                received += list.Messages.Count;
                if (action != "release" && held.Count > 0) await SettleAsync(client, name, space, held, action, cancellation);
                if (list.Messages.Count == 0 && left <= 0) break;
                // Once there was one, only what is there already is taken.
                if (list.Messages.Count > 0) left = 0;
            }
            while (held.Count > 0) await SettleAsync(client, name, space, held, action, cancellation);
            if (received == 0) await Console.Error.WriteLineAsync($"No message is ready in queue {name}.");
            return ExitCode.Ok;
        }));
        return command;
    }

    private static async Task SettleAsync(AdminClient client, string queue, string? ns, List<string> held, string action, CancellationToken cancellation)
    {
        var some = held[..Math.Min(held.Count, MaxBatch)];
        var result = await client.SendAsync(HttpMethod.Post, QueueCommand.Path(queue, "settle", ns), new SettleRequest(some, action), AdminJson.Default.SettleRequest, AdminJson.Default.SettleResult, cancellation);
        held.RemoveRange(0, some.Count);
        if (result.Settled < some.Count) await Console.Error.WriteLineAsync($"The lease of {Output.Things(some.Count - result.Settled, "message")} was over before: they will be delivered again.");
    }

    private static async ValueTask WriteAsync(Stream stdout, QueueMessage message, bool json, CancellationToken cancellation)
    {
        if (json)
        {
            var options = new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
            await using var writer = new Utf8JsonWriter(stdout, options);
            JsonSerializer.Serialize(writer, message with { Lease = null }, AdminJson.Default.QueueMessage);
        }
        else
        {
            await stdout.WriteAsync(message.ValueBase64 ?? Encoding.UTF8.GetBytes(message.Value ?? ""), cancellation);
        }
        await stdout.WriteAsync("\n"u8.ToArray(), cancellation);
    }
}

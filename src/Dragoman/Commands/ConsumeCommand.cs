using System.CommandLine;
using System.Globalization;

namespace Dragoman.Commands;

/// <summary><c>dragoman consume</c>: prints a topic's records.</summary>
internal static class ConsumeCommand
{
    public static Command Create()
    {
        var server = ClientOptions.Server();
        var ns = ClientOptions.Namespace();
        var topic = ClientOptions.Topic();
        var from = new Option<string>("--from") { Description = "Where to begin: beginning, end, an offset, a time (2026-01-31T12:00:00Z) or an age (15m).", HelpName = "POSITION", DefaultValueFactory = _ => "beginning" };
        var follow = new Option<bool>("--follow") { Description = "Wait for more when the end is reached." };
        var partition = new Option<int?>("--partition") { Description = "Read this partition. [default: all]", HelpName = "N" };
        var limit = new Option<long?>("--limit") { Description = "Stop after so many records.", HelpName = "N" };
        var format = new Option<string>("--format") { Description = "value (the bytes as they are), key-value, or json.", HelpName = "FORMAT", DefaultValueFactory = _ => "value" };
        var separator = new Option<string?>("--key-separator") { Description = "Stands between key and value in key-value. [default: a tab]", HelpName = "TEXT" };
        var json = new Option<bool>("--json") { Description = "The same as --format json." };
        var command = new Command("consume", "Prints a topic's records to stdout, one per line. It reads and leaves no trace: nothing is taken away from others.") { topic, server, ns, from, follow, partition, limit, format, separator, json };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var path = ClientOptions.Query(
                AdminClient.TopicPath(parsed.GetValue(topic)!) + "/records",
                ("namespace", parsed.GetValue(ns)), ("from", parsed.GetValue(from)), ("follow", parsed.GetValue(follow) ? "true" : null),
                ("partition", parsed.GetValue(partition)?.ToString(CultureInfo.InvariantCulture)), ("limit", parsed.GetValue(limit)?.ToString(CultureInfo.InvariantCulture)),
                ("format", parsed.GetValue(json) ? "json" : parsed.GetValue(format)), ("keySeparator", parsed.GetValue(separator)?.Replace("\\t", "\t", StringComparison.Ordinal)));
            using var response = await client.OpenAsync(path, cancellation);
            await using var body = await response.Content.ReadAsStreamAsync(cancellation);
            await using var stdout = Console.OpenStandardOutput();
            await CopyAsync(body, stdout, cancellation);
            return ExitCode.Ok;
        }));
        return command;
    }

    private static async Task CopyAsync(Stream body, Stream stdout, CancellationToken cancellation)
    {
        var buffer = new byte[256 * 1024];
        while (true)
        {
            int read;
            try
            {
                read = await body.ReadAsync(buffer, cancellation);
            }
            catch (IOException error)
            {
                throw new CommandException($"The connection to the broker broke off: {error.Message}", error);
            }
            if (read == 0) return;
            try
            {
                await stdout.WriteAsync(buffer.AsMemory(0, read), cancellation);
            }
            catch (IOException)
            {
                // Whoever read our output has seen enough, as in "dragoman consume x | head".
                return;
            }
        }
    }
}

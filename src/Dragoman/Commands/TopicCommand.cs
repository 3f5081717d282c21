using System.CommandLine;
using System.Globalization;
using Dragoman.Admin.Model;

namespace Dragoman.Commands;

/// <summary><c>dragoman topic</c>: which topics there are, and each of them.</summary>
internal static class TopicCommand
{
    public static Command Create() => new("topic", "Lists, creates, describes, changes and deletes topics.")
    {
        List(), Create("create", "Creates a topic.", isNew: true), Describe(), Create("alter", "Changes a topic's settings, or adds partitions.", isNew: false), Delete(),
    };

    private static Command List()
    {
        var server = ClientOptions.Server();
        var ns = ClientOptions.OnlyNamespace("topics");
        var json = ClientOptions.Json();
        var command = new Command("list", "Lists topics.") { server, ns, json };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var list = await client.GetAsync(ClientOptions.Query("topics", ("namespace", parsed.GetValue(ns))), AdminJson.Default.TopicList, cancellation);
            if (parsed.GetValue(json))
            {
                Output.Json(list, AdminJson.Default.TopicList);
                return ExitCode.Ok;
            }
            if (list.Topics.Count == 0 && !Console.IsOutputRedirected) Output.Line("There are no topics. Create one with: dragoman topic create NAME");
            else
            {
                Output.Table(
                    [new("TOPIC"), new("PARTITIONS", true), new("RECORDS", true), new("SIZE", true), new("COMMIT MODE")],
                    [.. list.Topics.Select(t => new[] { Output.Name(t.Namespace, t.Name), Output.Count(t.Partitions), Output.Count(t.Records), ByteSize.Format(t.Bytes), t.CommitMode })]);
            }
            return ExitCode.Ok;
        }));
        return command;
    }

    private static Command Describe()
    {
        var server = ClientOptions.Server();
        var ns = ClientOptions.Namespace();
        var json = ClientOptions.Json();
        var topic = ClientOptions.Topic();
        var command = new Command("describe", "Shows a topic's settings and partitions.") { topic, server, ns, json };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var path = ClientOptions.Query(AdminClient.TopicPath(parsed.GetValue(topic)!), ("namespace", parsed.GetValue(ns)));
            Show(await client.GetAsync(path, AdminJson.Default.TopicDetails, cancellation), parsed.GetValue(json));
            return ExitCode.Ok;
        }));
        return command;
    }

    private static Command Create(string name, string description, bool isNew)
    {
        var server = ClientOptions.Server();
        var ns = ClientOptions.Namespace();
        var json = ClientOptions.Json();
        var topic = ClientOptions.Topic();
        var partitions = new Option<int?>("--partitions") { Description = isNew ? "How many partitions. [default: the broker's]" : "The new number of partitions; it can only grow.", HelpName = "N" };
        var settings = new TopicSettingsOptions();
        var command = new Command(name, description) { topic, server, ns, partitions };
        foreach (var option in settings.All) command.Options.Add(option);
        command.Options.Add(json);
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var wanted = parsed.GetValue(topic)!;
            var model = settings.Read(parsed);
            var count = parsed.GetValue(partitions);
            if (!isNew && count is null && model is null) throw new CommandException("Nothing to change was given; 'dragoman topic alter --help' lists what can be.", ExitCode.Usage);
            var scope = ("namespace", parsed.GetValue(ns));
            var details = isNew
                ? await client.SendAsync(HttpMethod.Post, ClientOptions.Query("topics", scope), new CreateTopicRequest(wanted, count, model), AdminJson.Default.CreateTopicRequest, AdminJson.Default.TopicDetails, cancellation)
                : await client.SendAsync(HttpMethod.Patch, ClientOptions.Query(AdminClient.TopicPath(wanted), scope), new ChangeTopicRequest(count, model), AdminJson.Default.ChangeTopicRequest, AdminJson.Default.TopicDetails, cancellation);
            if (parsed.GetValue(json) || !isNew) Show(details, parsed.GetValue(json));
            else Output.Line($"Created topic {Output.Name(details.Namespace, details.Name)} with {details.Partitions.Count} partition{(details.Partitions.Count == 1 ? "" : "s")}.");
            return ExitCode.Ok;
        }));
        return command;
    }

    private static Command Delete()
    {
        var server = ClientOptions.Server();
        var ns = ClientOptions.Namespace();
        var topic = ClientOptions.Topic();
        var command = new Command("delete", "Deletes a topic and all that it holds.") { topic, server, ns };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var name = parsed.GetValue(topic)!;
            await client.DeleteAsync(ClientOptions.Query(AdminClient.TopicPath(name), ("namespace", parsed.GetValue(ns))), cancellation);
            Output.Line($"Deleted topic {name}.");
            return ExitCode.Ok;
        }));
        return command;
    }

    private static void Show(TopicDetails topic, bool json)
    {
        if (json)
        {
            Output.Json(topic, AdminJson.Default.TopicDetails);
            return;
        }
        var settings = topic.Settings;
        var fields = new List<(string, string)>
        {
            ("Topic", Output.Name(topic.Namespace, topic.Name)),
            ("Id", topic.Id.ToString()),
            ("Created", Output.Time(topic.CreatedAt)),
            ("Commit mode", settings.CommitMode!),
            ("Retention", $"{(settings.RetentionMs < 0 ? "for ever" : Duration(TimeSpan.FromMilliseconds(Math.Min(settings.RetentionMs!.Value, 86_400_000_000_000))))}, {(settings.RetentionBytes < 0 ? "any size" : $"at least {ByteSize.Format(settings.RetentionBytes!.Value)} per partition")}"),
            ("Largest batch", ByteSize.Format(settings.MaxMessageBytes!.Value)),
            ("Timestamps", settings.TimestampType == "logAppendTime" ? "the broker's" : "the producer's"),
            ("Compacted", settings.Compacted == true ? "yes" : "no"),
        };
        foreach (var (name, value) in settings.Attributes ?? new Dictionary<string, string?>()) fields.Add((name, value ?? ""));
        Output.Fields(fields);
        Output.Line();
        Output.Table(
            [new("PARTITION", true), new("START", true), new("END", true), new("RECORDS", true), new("SIZE", true), new("EPOCH", true)],
            [.. topic.Partitions.Select(p => new[] { $"{p.Partition}", $"{p.StartOffset}", $"{p.HighWatermark}", Output.Count(p.HighWatermark - p.StartOffset), ByteSize.Format(p.Bytes), $"{p.LeaderEpoch}" })]);
        var routed = topic.Partitions.Where(p => p.Routes is not null).ToList();
        if (routed.Count == 0) return;
        Output.Line();
        Output.Line("Carried on by routes:");
        Output.Table(
            [new("PARTITION", true), new("UP TO", true), new("LAG", true), new("LOST", true), new("REFUSED", true), new("PROBLEM")],
            [.. routed.Select(p => new[] { $"{p.Partition}", $"{p.Routes!.NextOffset}", Output.Count(p.Routes.Lag), Output.Count(p.Routes.Lost), Output.Count(p.Routes.Refused), p.Routes.Problem ?? "" })]);
    }

    private static string Duration(TimeSpan time) =>
        time.TotalDays >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalDays:0.##} days") : time.TotalMinutes >= 1 ? time.ToString("hh\\:mm\\:ss", CultureInfo.InvariantCulture) : $"{time.TotalMilliseconds} ms";
}

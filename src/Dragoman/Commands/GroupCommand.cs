using System.CommandLine;
using System.Globalization;
using Dragoman.Admin.Model;

namespace Dragoman.Commands;

/// <summary><c>dragoman group</c>: which consumer groups there are, how far they have come, and where they go on.</summary>
internal static class GroupCommand
{
    public static Command Create() => new("group", "Lists, describes and deletes consumer groups, and has them go on elsewhere.")
    {
        List(), Describe(), ResetOffsets(), Delete(),
    };

    private static Argument<string> Group() => new("GROUP") { Description = "The group's name." };

    private static Command List()
    {
        var server = ClientOptions.Server();
        var ns = ClientOptions.OnlyNamespace("groups");
        var json = ClientOptions.Json();
        var command = new Command("list", "Lists consumer groups. Lag is the number of records between what a group has committed and the end.") { server, ns, json };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var groups = new List<GroupOverview>();
            for (string? after = null; ;)
            {
                var page = await client.GetAsync(ClientOptions.Query("groups", ("namespace", parsed.GetValue(ns)), ("after", after)), AdminJson.Default.GroupList, cancellation);
                groups.AddRange(page.Groups);
                after = page.Next;
                if (after is null) break;
            }
            if (parsed.GetValue(json)) Output.Json(new GroupList(groups), AdminJson.Default.GroupList);
            else if (groups.Count == 0 && !Console.IsOutputRedirected) Output.Line("There are no consumer groups. One is made when its first member joins.");
            else
            {
                Output.Table(
                    [new("GROUP"), new("KIND"), new("STATE"), new("MEMBERS", true), new("LAG", true), new("TOPICS")],
                    [.. groups.Select(g => new[] { Output.Name(g.Namespace, g.Name), g.Kind, State(g.State), Output.Count(g.Members), g.Lag is { } lag ? Output.Count(lag) : "-", Topics(g.Topics) })]);
            }
            return ExitCode.Ok;
        }));
        return command;
    }

    private static Command Describe()
    {
        var server = ClientOptions.Server();
        var ns = ClientOptions.Namespace("group");
        var json = ClientOptions.Json();
        var group = Group();
        var command = new Command("describe", "Shows a group's members, and its offsets and lag in each partition.") { group, server, ns, json };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var details = await client.GetAsync(ClientOptions.Query(AdminClient.Path("groups", parsed.GetValue(group)!), ("namespace", parsed.GetValue(ns))), AdminJson.Default.GroupDetails, cancellation);
            if (parsed.GetValue(json)) Output.Json(details, AdminJson.Default.GroupDetails);
            else Show(details);
            return ExitCode.Ok;
        }));
        return command;
    }

    private static void Show(GroupDetails group)
    {
        Output.Fields(
            ("Group", Output.Name(group.Namespace, group.Name)),
            ("Kind", group.Kind == "consumer" ? "consumer (the broker assigns partitions)" : "classic (a member assigns partitions)"),
            ("State", State(group.State)),
            ("Assignor", group.Assignor.Length == 0 ? "-" : group.Assignor),
            ("Epoch", group.Epoch.ToString(CultureInfo.InvariantCulture)),
            ("Members", Output.Count(group.Members.Count)),
            ("Total lag", group.Lag is { } lag ? Output.Count(lag) : "- (nothing is committed)"));
        var names = new Dictionary<string, string>();
        if (group.Members.Count > 0)
        {
            Output.Line();
            Output.Table(
                [new("MEMBER"), new("CLIENT"), new("HOST"), new("PARTITIONS", true)],
                [.. group.Members.Select(m => new[] { m.InstanceId is null ? m.Id : $"{m.Id} (static: {m.InstanceId})", m.ClientId, m.Host.TrimStart('/'), Output.Count(m.Partitions) })]);
            foreach (var member in group.Members) names[member.Id] = $"{member.ClientId} at {member.Host.TrimStart('/')}";
        }
        if (group.Partitions.Count == 0) return;
        Output.Line();
        Output.Table(
            [new("TOPIC"), new("PARTITION", true), new("COMMITTED", true), new("END", true), new("LAG", true), new("MEMBER"), new("COMMITTED AT")],
            [
                .. group.Partitions.Select(p => new[]
                {
                    p.Topic, $"{p.Partition}", p.CommittedOffset is { } offset ? $"{offset}" : "-", $"{p.EndOffset}", p.Lag is { } behind ? Output.Count(behind) : "-",
                    p.MemberId is null ? "-" : names.GetValueOrDefault(p.MemberId, p.MemberId), p.CommittedAt is { } at ? Output.Time(at) : "-",
                }),
            ]);
    }

    private static Command ResetOffsets()
    {
        var server = ClientOptions.Server();
        var ns = ClientOptions.Namespace("group");
        var json = ClientOptions.Json();
        var group = Group();
        var to = new Option<string>("--to") { Description = "Where to go on: earliest, latest, an offset, a time (2026-01-31T12:00:00Z) or an age (15m).", HelpName = "POSITION", Required = true };
        var topic = new Option<string[]>("--topic") { Description = "Only in this topic; may be repeated. [default: all that the group has committed]", HelpName = "TOPIC" };
        var partition = new Option<int[]>("--partition") { Description = "Only in this partition of the topic; may be repeated.", HelpName = "N" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Show what would change, and change nothing." };
        var command = new Command("reset-offsets", "Has a group go on elsewhere. The group must have no active members.") { group, to, topic, partition, dryRun, server, ns, json };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var (topics, partitions) = (parsed.GetValue(topic) ?? [], parsed.GetValue(partition) ?? []);
            if (partitions.Length > 0 && topics.Length != 1) throw new CommandException("--partition needs --topic, once: partitions are those of one topic.", ExitCode.Usage);
            var request = new ResetOffsetsRequest(parsed.GetValue(to)!, topics.Length == 0 ? null : topics, partitions.Length == 0 ? null : partitions, parsed.GetValue(dryRun));
            var name = parsed.GetValue(group)!;
            var result = await client.SendAsync(
                HttpMethod.Post, ClientOptions.Query(AdminClient.Path("groups", name, "reset-offsets"), ("namespace", parsed.GetValue(ns))), request,
                AdminJson.Default.ResetOffsetsRequest, AdminJson.Default.ResetOffsetsResult, cancellation);
            if (parsed.GetValue(json)) Output.Json(result, AdminJson.Default.ResetOffsetsResult);
            else Show(name, result);
            return ExitCode.Ok;
        }));
        return command;
    }

    private static void Show(string group, ResetOffsetsResult result)
    {
        Output.Table(
            [new("TOPIC"), new("PARTITION", true), new("FROM", true), new("TO", true), new("LAG THEN", true), new("")],
            [.. result.Partitions.Select(p => new[] { p.Topic, $"{p.Partition}", p.From is { } from ? $"{from}" : "-", $"{p.To}", Output.Count(p.Lag), p.IsClamped ? "the nearest offset that is there" : "" })]);
        Output.Line();
        Output.Line(result switch
        {
            { DryRun: false } => $"Reset {Output.Things(result.Partitions.Count, "partition")} of group {group}.",
            { Members: 0 } => "Nothing was changed: leave --dry-run out to do it.",
            _ => $"Nothing was changed. The group has {Output.Things(result.Members, "active member")}: stop them before you leave --dry-run out.",
        });
    }

    private static Command Delete()
    {
        var server = ClientOptions.Server();
        var ns = ClientOptions.Namespace("group");
        var group = Group();
        var command = new Command("delete", "Deletes a group that has no active members, with its offsets.") { group, server, ns };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            await client.DeleteAsync(ClientOptions.Query(AdminClient.Path("groups", parsed.GetValue(group)!), ("namespace", parsed.GetValue(ns))), cancellation);
            Output.Line($"Deleted group {parsed.GetValue(group)}.");
            return ExitCode.Ok;
        }));
        return command;
    }

    /// <summary>A state as people read it: <c>preparing rebalance</c>.</summary>
    private static string State(string state) => string.Concat(state.Select(c => char.IsUpper(c) ? $" {char.ToLowerInvariant(c)}" : $"{c}"));

    private static string Topics(IReadOnlyList<string> topics) => topics.Count <= 4 ? string.Join(", ", topics) : $"{string.Join(", ", topics.Take(3))} and {topics.Count - 3} more";
}

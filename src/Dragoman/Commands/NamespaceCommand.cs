using System.CommandLine;
using Dragoman.Admin.Model;
using Dragoman.Broker.Namespaces;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Commands;

/// <summary><c>dragoman namespace</c>: which namespaces there are. AMQP calls them virtual hosts.</summary>
internal static class NamespaceCommand
{
    public static Command Create() => new("namespace", "Lists, creates and deletes namespaces. To AMQP clients each is a virtual host, and the default one is '/'.")
    {
        List(), CreateOne(), Delete(),
    };

    private static Argument<string> Name() => new("NAME") { Description = "TENANT/NAME; a single word is a namespace of tenant public." };

    private static string Parse(string text) =>
        VirtualHosts.ToNamespace(text)?.ToString() ?? throw new CommandException($"'{text}' is not a name for a namespace.", ExitCode.Usage);

    private static Command List()
    {
        var server = ClientOptions.Server();
        var json = ClientOptions.Json();
        var command = new Command("list", "Lists namespaces.") { server, json };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var list = await client.GetAsync("namespaces", AdminJson.Default.NamespaceList, cancellation);
            if (parsed.GetValue(json)) Output.Json(list, AdminJson.Default.NamespaceList);
            else
            {
                Output.Table(
                    [new("NAMESPACE"), new("AMQP VHOST"), new("CREATED"), new("DESCRIPTION")],
                    [.. list.Namespaces.Select(n => new[] { n.Name, NamespaceName.TryParse(n.Name, out var name) ? VirtualHosts.FromNamespace(name) : "-", n.CreatedAt is { } at ? Output.Time(at) : "-", n.Description ?? "" })]);
            }
            return ExitCode.Ok;
        }));
        return command;
    }

    private static Command CreateOne()
    {
        var server = ClientOptions.Server();
        var json = ClientOptions.Json();
        var name = Name();
        var description = new Option<string?>("--description") { Description = "What it is for.", HelpName = "TEXT" };
        var command = new Command("create", "Creates a namespace.") { name, description, server, json };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var request = new NamespaceModel(Parse(parsed.GetValue(name)!), parsed.GetValue(description));
            var made = await client.SendAsync(HttpMethod.Post, "namespaces", request, AdminJson.Default.NamespaceModel, AdminJson.Default.NamespaceModel, cancellation);
            if (parsed.GetValue(json)) Output.Json(made, AdminJson.Default.NamespaceModel);
            else Output.Line($"Created namespace {made.Name}, which is virtual host '{(NamespaceName.TryParse(made.Name, out var parts) ? VirtualHosts.FromNamespace(parts) : made.Name)}' to AMQP clients.");
            return ExitCode.Ok;
        }));
        return command;
    }

    private static Command Delete()
    {
        var server = ClientOptions.Server();
        var name = Name();
        var command = new Command("delete", "Deletes a namespace in which there are no topics and no queues.") { name, server };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var full = Parse(parsed.GetValue(name)!);
            await client.DeleteAsync(AdminClient.Path("namespaces", full), cancellation);
            Output.Line($"Deleted namespace {full}.");
            return ExitCode.Ok;
        }));
        return command;
    }
}

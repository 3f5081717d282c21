using System.CommandLine;
using Dragoman.Admin.Model;

namespace Dragoman.Commands;

/// <summary><c>dragoman permission</c>: who may do what.</summary>
internal static class PermissionCommand
{
    public static Command Create() => new("permission", "Lists, grants and revokes permissions. What no permission allows is forbidden; administrators may do everything.")
    {
        List(), Change("grant", "Adds a permission.", isNew: true), Change("revoke", "Removes a permission.", isNew: false),
    };

    private static Command List()
    {
        var server = ClientOptions.Server();
        var json = ClientOptions.Json();
        var user = new Option<string?>("--user") { Description = "Only permissions of this user.", HelpName = "USER" };
        var command = new Command("list", "Lists permissions.") { server, user, json };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var list = await client.GetAsync(ClientOptions.Query("permissions", ("user", parsed.GetValue(user))), AdminJson.Default.PermissionList, cancellation);
            if (parsed.GetValue(json)) Output.Json(list, AdminJson.Default.PermissionList);
            else
            {
                Output.Table(
                    [new("USER"), new("EFFECT"), new("OPERATIONS"), new("RESOURCE"), new("PATTERN"), new("TYPE"), new("NAMESPACE"), new("HOST")],
                    [.. list.Permissions.Select(p => new[] { p.User, p.Effect ?? "", string.Join(", ", p.Operations), p.Resource, p.Pattern, p.PatternType ?? "", p.Namespace ?? "*", p.Host ?? "*" })]);
            }
            return ExitCode.Ok;
        }));
        return command;
    }

    private static Command Change(string name, string description, bool isNew)
    {
        var server = ClientOptions.Server();
        var user = new Argument<string>("USER") { Description = "The user; * for everybody." };
        var operations = new Argument<string>("OPERATIONS") { Description = "read, write, create, delete, alter, describe, describe-configs, alter-configs, idempotent-write, configure or all; several with commas between them." };
        var resource = new Argument<string>("RESOURCE") { Description = "any (topics and queues), topic, queue, group, cluster or transactional-id." };
        var pattern = new Argument<string>("NAME") { Description = "Which of them; * for all." };
        var type = new Option<string>("--type") { Description = "How NAME is to be read: literal, prefix, regex or glob. [default: literal]", HelpName = "TYPE" };
        var ns = new Option<string?>("--namespace") { Description = "Only in this namespace. [default: everywhere]", HelpName = "TENANT/NAME" };
        var deny = new Option<bool>("--deny") { Description = "Forbid, whatever else allows it." };
        var host = new Option<string?>("--host") { Description = "Only from this address.", HelpName = "ADDRESS" };
        var command = new Command(name, description) { user, operations, resource, pattern, server, type, ns, deny, host };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var model = new PermissionModel(
                parsed.GetValue(user)!, parsed.GetValue(resource)!, parsed.GetValue(pattern)!, parsed.GetValue(operations)!.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
                parsed.GetValue(type) ?? "literal", parsed.GetValue(ns), parsed.GetValue(deny) ? "deny" : "allow", parsed.GetValue(host));
            await client.SendAsync(isNew ? HttpMethod.Post : HttpMethod.Delete, "permissions", model, AdminJson.Default.PermissionModel, cancellation);
            Output.Line(isNew ? "Granted." : "Revoked.");
            return ExitCode.Ok;
        }));
        return command;
    }
}

using System.CommandLine;
using Dragoman.Admin.Model;

namespace Dragoman.Commands;

/// <summary><c>dragoman user</c>: who may log in, and by what.</summary>
internal static class UserCommand
{
    private const string NewPasswordVariable = "DRAGOMAN_NEW_PASSWORD";

    public static Command Create() => new("user", "Lists, creates, changes and deletes users. Once there is one, everybody has to log in: this command itself with $DRAGOMAN_USER and $DRAGOMAN_PASSWORD.")
    {
        List(), Change("create", "Creates a user. The first one has to be an administrator.", isNew: true), Change("alter", "Changes a user's password or tags.", isNew: false), Delete(), Token(), AccessKey(),
    };

    private static Argument<string> Name() => new("USER") { Description = "The user's name." };

    private static string Path(string user, params ReadOnlySpan<string> rest)
    {
        var path = $"users/{Uri.EscapeDataString(user)}";
        foreach (var part in rest) path += "/" + Uri.EscapeDataString(part);
        return path;
    }

    private static Command List()
    {
        var server = ClientOptions.Server();
        var json = ClientOptions.Json();
        var command = new Command("list", "Lists users.") { server, json };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var list = await client.GetAsync("users", AdminJson.Default.UserList, cancellation);
            if (parsed.GetValue(json)) Output.Json(list, AdminJson.Default.UserList);
            else if (list.Users.Count == 0 && !Console.IsOutputRedirected) Output.Line("There are no users, so nobody has to log in. Create one with: dragoman user create NAME --administrator");
            else
            {
                Output.Table(
                    [new("USER"), new("TAGS"), new("CREDENTIALS"), new("TOKENS"), new("ACCESS KEYS")],
                    [.. list.Users.Select(u => new[] { u.Name, string.Join(", ", u.Tags), string.Join(", ", u.Credentials), string.Join(", ", u.Tokens), string.Join(", ", u.AccessKeys) })]);
            }
            return ExitCode.Ok;
        }));
        return command;
    }

    private static Command Change(string name, string description, bool isNew)
    {
        var server = ClientOptions.Server();
        var json = ClientOptions.Json();
        var user = Name();
        var password = new Option<bool>("--password-stdin") { Description = $"Read the password from the first line of standard input. [default: ${NewPasswordVariable}, or a prompt]" };
        var without = new Option<bool>("--no-password") { Description = "No password: the user logs in by token, key or certificate." };
        var administrator = new Option<bool>("--administrator") { Description = "The user may do everything." };
        var tags = new Option<string[]>("--tag") { Description = "A tag, such as monitoring; may be repeated. All tags are replaced.", HelpName = "TAG" };
        var command = new Command(name, description) { user, server, password, without, administrator, tags, json };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var wanted = parsed.GetValue(user)!;
            List<string> wantedTags = [.. parsed.GetValue(tags) ?? []];
            if (parsed.GetValue(administrator) && !wantedTags.Contains("administrator")) wantedTags.Insert(0, "administrator");
            var changesTags = wantedTags.Count > 0;
            // To change tags alone, nobody should have to think of a password.
            var secret = parsed.GetValue(without) || (!isNew && changesTags && !parsed.GetValue(password)) ? null : ReadPassword(parsed.GetValue(password), wanted);
            var model = isNew
                ? await client.SendAsync(HttpMethod.Post, "users", new CreateUserRequest(wanted, secret, wantedTags), AdminJson.Default.CreateUserRequest, AdminJson.Default.UserModel, cancellation)
                : await client.SendAsync(HttpMethod.Patch, Path(wanted), new ChangeUserRequest(secret, changesTags ? wantedTags : null), AdminJson.Default.ChangeUserRequest, AdminJson.Default.UserModel, cancellation);
            if (parsed.GetValue(json)) Output.Json(model, AdminJson.Default.UserModel);
            else Output.Line(isNew ? $"Created user {model.Name}." : $"Changed user {model.Name}.");
            return ExitCode.Ok;
        }));
        return command;
    }

    private static Command Delete()
    {
        var server = ClientOptions.Server();
        var user = Name();
        var command = new Command("delete", "Deletes a user and the user's permissions.") { user, server };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            await client.DeleteAsync(Path(parsed.GetValue(user)!), cancellation);
            Output.Line($"Deleted user {parsed.GetValue(user)}.");
            return ExitCode.Ok;
        }));
        return command;
    }

    private static Command Token()
    {
        var server = ClientOptions.Server();
        var user = Name();
        var token = new Argument<string>("TOKEN") { Description = "What to call the token." };
        var delete = new Option<bool>("--delete") { Description = "Take it away instead." };
        var command = new Command("token", "Makes a token for a user and prints it, this once.") { user, token, server, delete };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var (owner, name) = (parsed.GetValue(user)!, parsed.GetValue(token)!);
            if (parsed.GetValue(delete))
            {
                await client.DeleteAsync(Path(owner, "tokens", name), cancellation);
                Output.Line($"Deleted token {name} of user {owner}.");
                return ExitCode.Ok;
            }
            var made = await client.SendAsync(HttpMethod.Post, Path(owner, "tokens"), new CreateTokenRequest(name), AdminJson.Default.CreateTokenRequest, AdminJson.Default.CreatedToken, cancellation);
            Output.Line(made.Token);
            return ExitCode.Ok;
        }));
        return command;
    }

    private static Command AccessKey()
    {
        var server = ClientOptions.Server();
        var user = Name();
        var id = new Option<string?>("--id") { Description = "The key's id. [default: a new one]", HelpName = "ID" };
        var delete = new Option<string?>("--delete") { Description = "Take the key of this id away instead.", HelpName = "ID" };
        var command = new Command("access-key", "Makes an AWS access key for a user and prints its id and its secret, this once.") { user, server, id, delete };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var owner = parsed.GetValue(user)!;
            if (parsed.GetValue(delete) is { } gone)
            {
                await client.DeleteAsync(Path(owner, "access-keys", gone), cancellation);
                Output.Line($"Deleted access key {gone} of user {owner}.");
                return ExitCode.Ok;
            }
            var made = await client.SendAsync(
                HttpMethod.Post, Path(owner, "access-keys"), new CreateAccessKeyRequest(parsed.GetValue(id)), AdminJson.Default.CreateAccessKeyRequest, AdminJson.Default.CreatedAccessKey, cancellation);
            Output.Fields(("AWS_ACCESS_KEY_ID", made.Id), ("AWS_SECRET_ACCESS_KEY", made.Secret));
            return ExitCode.Ok;
        }));
        return command;
    }

    private static string ReadPassword(bool fromInput, string user)
    {
        if (fromInput) return Console.In.ReadLine() is { Length: > 0 } line ? line : throw new CommandException("There is no password on standard input.", ExitCode.Usage);
        if (Environment.GetEnvironmentVariable(NewPasswordVariable) is { Length: > 0 } given) return given;
        if (Console.IsInputRedirected) throw new CommandException($"Give the password with --password-stdin or ${NewPasswordVariable}, or say --no-password.", ExitCode.Usage);
        return Spectre.Console.AnsiConsole.Prompt(new Spectre.Console.TextPrompt<string>($"Password of {user}:") { IsSecret = true });
    }
}

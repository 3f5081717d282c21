using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Dragoman.Admin.Model;

namespace Dragoman.Commands;

/// <summary><c>dragoman bind</c>: what carries messages from exchanges to queues and to other exchanges.</summary>
internal static class BindCommand
{
    public static Command Create() => new("bind", "Lists, adds and removes bindings, which carry messages from an exchange to a queue or to another exchange.")
    {
        List(), Change("add", "Adds a binding.", isNew: true), Change("remove", "Removes a binding.", isNew: false),
    };

    private static Command List()
    {
        var server = ClientOptions.Server();
        var ns = ClientOptions.OnlyNamespace("bindings");
        var json = ClientOptions.Json();
        var source = new Option<string?>("--source") { Description = "Only bindings of this exchange.", HelpName = "EXCHANGE" };
        var queue = new Option<string?>("--queue") { Description = "Only bindings that lead to this queue.", HelpName = "QUEUE" };
        var exchange = new Option<string?>("--exchange") { Description = "Only bindings that lead to this exchange.", HelpName = "EXCHANGE" };
        var command = new Command("list", "Lists bindings.") { source, queue, exchange, server, ns, json };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var bindings = new List<BindingModel>();
            for (string? after = null; ;)
            {
                var path = ClientOptions.Query(
                    "bindings", ("namespace", parsed.GetValue(ns)), ("source", parsed.GetValue(source)), ("queue", parsed.GetValue(queue)), ("exchange", parsed.GetValue(exchange)), ("limit", "10000"), ("after", after));
                var page = await client.GetAsync(path, AdminJson.Default.BindingList, cancellation);
                bindings.AddRange(page.Bindings);
                after = page.Next;
                if (after is null) break;
            }
            if (parsed.GetValue(json)) Output.Json(new BindingList(bindings), AdminJson.Default.BindingList);
            else if (bindings.Count == 0 && !Console.IsOutputRedirected) Output.Line("There are no bindings. Add one with: dragoman bind add EXCHANGE QUEUE --key KEY");
            else Show(bindings);
            return ExitCode.Ok;
        }));
        return command;
    }

    /// <summary>Prints bindings as a table.</summary>
    public static void Show(IReadOnlyList<BindingModel> bindings) => Output.Table(
        [new("EXCHANGE"), new("TO"), new("NAME"), new("KEY"), new("ARGUMENTS")],
        [.. bindings.Select(b => new[] { Output.Name(b.Namespace ?? "public/default", b.Source), b.Queue is null ? "exchange" : "queue", b.Queue ?? b.Exchange!, string.IsNullOrEmpty(b.Key) ? "-" : b.Key, Arguments(b) })]);

    private static string Arguments(BindingModel binding) => binding.Arguments is null ? "-" : string.Join(", ", binding.Arguments.Select(static a => $"{a.Key}={(a.Value.ValueKind == JsonValueKind.String ? a.Value.GetString() : a.Value.GetRawText())}"));

    private static Command Change(string name, string description, bool isNew)
    {
        var server = ClientOptions.Server();
        var ns = ClientOptions.Namespace("binding");
        var source = new Argument<string>("EXCHANGE") { Description = "The exchange that messages come from." };
        var target = new Argument<string>("TARGET") { Description = "The queue that they go to; an exchange with --to-exchange." };
        var key = new Option<string?>("--key") { Description = "The routing key; a pattern such as orders.*.eu or orders.# where the exchange is of type topic.", HelpName = "KEY" };
        var arguments = new Option<string[]>("--argument") { Description = "What headers are matched with, such as x-match=any; may be repeated. Whole numbers, true and false are such.", HelpName = "NAME=VALUE" };
        var toExchange = new Option<bool>("--to-exchange") { Description = "TARGET is an exchange." };
        var command = new Command(name, description) { source, target, key, arguments, toExchange, server, ns };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var (from, to, isExchange) = (parsed.GetValue(source)!, parsed.GetValue(target)!, parsed.GetValue(toExchange));
            var model = new BindingModel(from, isExchange ? null : to, isExchange ? to : null, parsed.GetValue(key), Parse(parsed.GetValue(arguments) ?? []));
            var path = ClientOptions.Query("bindings", ("namespace", parsed.GetValue(ns)));
            await client.SendAsync(isNew ? HttpMethod.Post : HttpMethod.Delete, path, model, AdminJson.Default.BindingModel, cancellation);
            Output.Line($"{(isNew ? "Bound" : "Unbound")} {(isExchange ? "exchange" : "queue")} {to} {(isNew ? "to" : "from")} exchange {from}.");
            return ExitCode.Ok;
        }));
        return command;
    }

    private static Dictionary<string, JsonElement>? Parse(string[] options)
    {
        if (options.Length == 0) return null;
        var arguments = new Dictionary<string, JsonElement>();
        foreach (var option in options)
        {
            var split = option.IndexOf('=', StringComparison.Ordinal);
            if (split <= 0) throw new CommandException($"--argument is '{option}'; it should be NAME=VALUE.", ExitCode.Usage);
            var text = option[(split + 1)..];
            var literal = long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number.ToString(CultureInfo.InvariantCulture)
                : text is "true" or "false" ? text
                : $"\"{JsonEncodedText.Encode(text)}\"";
            using var value = JsonDocument.Parse(literal);
            arguments[option[..split]] = value.RootElement.Clone();
        }
        return arguments;
    }
}

using System.CommandLine;
using Dragoman.Admin.Model;

namespace Dragoman.Commands;

/// <summary><c>dragoman exchange</c>: which exchanges there are, and each of them.</summary>
internal static class ExchangeCommand
{
    public static Command Create() => new("exchange", "Lists, creates, describes and deletes exchanges: topics that route what is published to them.")
    {
        List(), CreateOne(), Describe(), Delete(),
    };

    private static Argument<string> Exchange() => new("EXCHANGE") { Description = "The exchange's name." };

    private static Command List()
    {
        var server = ClientOptions.Server();
        var ns = ClientOptions.OnlyNamespace("exchanges");
        var json = ClientOptions.Json();
        var command = new Command("list", "Lists the exchanges that were declared. amq.direct, amq.fanout, amq.topic and amq.headers are always there.") { server, ns, json };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var exchanges = new List<ExchangeModel>();
            for (string? after = null; ;)
            {
                var page = await client.GetAsync(ClientOptions.Query("exchanges", ("namespace", parsed.GetValue(ns)), ("limit", "10000"), ("after", after)), AdminJson.Default.ExchangeList, cancellation);
                exchanges.AddRange(page.Exchanges);
                after = page.Next;
                if (after is null) break;
            }
            if (parsed.GetValue(json)) Output.Json(new ExchangeList(exchanges), AdminJson.Default.ExchangeList);
            else if (exchanges.Count == 0 && !Console.IsOutputRedirected) Output.Line("There are no exchanges but those that are always there. Create one with: dragoman exchange create NAME --type TYPE");
            else
            {
                Output.Table(
                    [new("EXCHANGE"), new("TYPE"), new("BINDINGS", true), new("DURABLE"), new("LOG"), new("ALTERNATE")],
                    [.. exchanges.Select(e => new[] { Output.Name(e.Namespace, e.Name), e.Internal ? $"{e.Type} (internal)" : e.Type, Output.Count(e.Bindings), YesNo(e.Durable), YesNo(e.HasLog), e.Alternate ?? "-" })]);
            }
            return ExitCode.Ok;
        }));
        return command;
    }

    private static Command CreateOne()
    {
        var server = ClientOptions.Server();
        var ns = ClientOptions.Namespace("exchange");
        var json = ClientOptions.Json();
        var exchange = Exchange();
        var type = new Option<string>("--type") { Description = "How bindings are matched: direct, fanout, topic or headers.", HelpName = "TYPE", DefaultValueFactory = _ => "direct" };
        var transient = new Option<bool>("--transient") { Description = "It is gone after a restart." };
        var autoDelete = new Option<bool>("--auto-delete") { Description = "Delete the exchange with its last binding." };
        var isInternal = new Option<bool>("--internal") { Description = "Only other exchanges may publish to it." };
        var alternate = new Option<string?>("--alternate") { Description = "The exchange that gets what no binding takes.", HelpName = "EXCHANGE" };
        var command = new Command("create", "Creates an exchange.") { exchange, type, transient, autoDelete, isInternal, alternate, server, ns, json };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var request = new CreateExchangeRequest(parsed.GetValue(exchange)!, parsed.GetValue(type)!, !parsed.GetValue(transient), parsed.GetValue(autoDelete), parsed.GetValue(isInternal), parsed.GetValue(alternate));
            var made = await client.SendAsync(HttpMethod.Post, ClientOptions.Query("exchanges", ("namespace", parsed.GetValue(ns))), request, AdminJson.Default.CreateExchangeRequest, AdminJson.Default.ExchangeModel, cancellation);
            if (parsed.GetValue(json)) Output.Json(made, AdminJson.Default.ExchangeModel);
            else Output.Line($"Created {made.Type} exchange {Output.Name(made.Namespace, made.Name)}.");
            return ExitCode.Ok;
        }));
        return command;
    }

    private static Command Describe()
    {
        var server = ClientOptions.Server();
        var ns = ClientOptions.Namespace("exchange");
        var json = ClientOptions.Json();
        var exchange = Exchange();
        var command = new Command("describe", "Shows how an exchange routes, and its bindings.") { exchange, server, ns, json };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var path = ClientOptions.Query(AdminClient.Path("exchanges", parsed.GetValue(exchange)!), ("namespace", parsed.GetValue(ns)));
            var found = await client.GetAsync(path, AdminJson.Default.ExchangeModel, cancellation);
            if (parsed.GetValue(json)) Output.Json(found, AdminJson.Default.ExchangeModel);
            else Show(found);
            return ExitCode.Ok;
        }));
        return command;
    }

    private static void Show(ExchangeModel exchange)
    {
        Output.Fields(
            ("Exchange", Output.Name(exchange.Namespace, exchange.Name)),
            ("Type", exchange.Type),
            ("Durable", YesNo(exchange.Durable)),
            ("Auto-delete", exchange.AutoDelete ? "with its last binding" : "no"),
            ("Internal", YesNo(exchange.Internal)),
            ("Alternate", exchange.Alternate ?? "-"),
            ("Keeps a log", exchange.HasLog ? "yes, as a topic" : "no"));
        if (exchange.Forwarding is { Count: > 0 } forwarding)
        {
            Output.Line();
            Output.Line("How far the log is carried to its bindings:");
            Output.Table(
                [new("PARTITION", true), new("CARRIED TO", true), new("END", true), new("LAG", true), new("LOST", true), new("REFUSED", true), new("WHY")],
                [.. forwarding.Select(f => new[] { $"{f.Partition}", $"{f.NextOffset}", $"{f.EndOffset}", Output.Count(f.EndOffset - f.NextOffset), Output.Count(f.Lost), Output.Count(f.Refused), f.Problem ?? "" })]);
        }
        if (exchange.Routes is not { Count: > 0 } routes) return;
        Output.Line();
        BindCommand.Show(routes);
    }

    private static Command Delete()
    {
        var server = ClientOptions.Server();
        var ns = ClientOptions.Namespace("exchange");
        var exchange = Exchange();
        var ifUnused = new Option<bool>("--if-unused") { Description = "Only if it has no bindings." };
        var command = new Command("delete", "Deletes an exchange and its bindings. The log that it may keep as a topic stays.") { exchange, ifUnused, server, ns };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var path = ClientOptions.Query(AdminClient.Path("exchanges", parsed.GetValue(exchange)!), ("namespace", parsed.GetValue(ns)), ("ifUnused", parsed.GetValue(ifUnused) ? "true" : null));
            await client.DeleteAsync(path, cancellation);
            Output.Line($"Deleted exchange {parsed.GetValue(exchange)}.");
            return ExitCode.Ok;
        }));
        return command;
    }

    private static string YesNo(bool value) => value ? "yes" : "no";
}

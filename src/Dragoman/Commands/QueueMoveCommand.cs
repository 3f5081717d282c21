using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using Dragoman.Admin.Model;

namespace Dragoman.Commands;

/// <summary><c>dragoman queue move</c>, <c>moves</c> and <c>cancel-move</c>: messages from one queue to another, or back to where they came from.</summary>
internal static class QueueMoveCommand
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(300);

    public static Command Create()
    {
        var server = ClientOptions.Server();
        var ns = ClientOptions.Namespace("queue");
        var json = ClientOptions.Json();
        var source = new Argument<string>("SOURCE") { Description = "The queue to take messages from, such as a dead-letter queue." };
        var target = new Argument<string?>("TARGET") { Description = "The queue to move them to. [default: the one that each message was dead-lettered from]", Arity = ArgumentArity.ZeroOrOne };
        var rate = new Option<double?>("--rate") { Description = "Messages a second at most. [default: no limit]", HelpName = "N" };
        var max = new Option<long?>("--max") { Description = "Messages at most. [default: all that are ready now]", HelpName = "N" };
        var detach = new Option<bool>("--detach") { Description = "Do not wait for the end: 'dragoman queue moves' shows how far it is." };
        var command = new Command("move", "Moves messages that are ready from a queue to another, or back to where each was dead-lettered from. The broker does it by itself, each message exactly once, and goes on after a restart.")
        {
            source, target, rate, max, detach, server, ns, json,
        };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var request = new CreateMoveRequest(parsed.GetValue(source)!, parsed.GetValue(target), parsed.GetValue(rate), parsed.GetValue(max));
            var move = await client.SendAsync(HttpMethod.Post, ClientOptions.Query("moves", ("namespace", parsed.GetValue(ns))), request, AdminJson.Default.CreateMoveRequest, AdminJson.Default.MoveModel, cancellation);
            if (!parsed.GetValue(detach)) move = await WatchAsync(client, move, cancellation);
            if (parsed.GetValue(json)) Output.Json(move, AdminJson.Default.MoveModel);
            else Output.Line(Tell(move));
            return move.State is "failed" or "cancelled" ? ExitCode.Failed : ExitCode.Ok;
        }));
        return command;
    }

    public static Command List()
    {
        var server = ClientOptions.Server();
        var ns = ClientOptions.OnlyNamespace("moves");
        var json = ClientOptions.Json();
        var command = new Command("moves", "Lists moves: those that go on, and the last ones of each queue.") { server, ns, json };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var list = await client.GetAsync(ClientOptions.Query("moves", ("namespace", parsed.GetValue(ns))), AdminJson.Default.MoveList, cancellation);
            if (parsed.GetValue(json)) Output.Json(list, AdminJson.Default.MoveList);
            else if (list.Moves.Count == 0 && !Console.IsOutputRedirected) Output.Line("There are no moves. Start one with: dragoman queue move SOURCE TARGET");
            else
            {
                Output.Table(
                    [new("MOVE"), new("SOURCE"), new("TARGET"), new("STATE"), new("MOVED", true), new("OF", true), new("LEFT", true), new("STARTED"), new("WHY")],
                    [
                        .. list.Moves.Select(m => new[]
                        {
                            m.Id.ToString(), Output.Name(m.Namespace, m.Source), m.Target ?? "(where they came from)", m.State, Output.Count(m.Moved), Output.Count(m.Planned), Output.Count(m.Left), Output.Time(m.StartedAt),
                            m.Reason ?? (m.MessagesPerSecond is { } rate && m.State == "running" ? string.Create(CultureInfo.InvariantCulture, $"{rate:0.##} a second") : ""),
                        }),
                    ]);
            }
            return ExitCode.Ok;
        }));
        return command;
    }

    public static Command Cancel()
    {
        var server = ClientOptions.Server();
        var id = new Argument<string>("MOVE") { Description = "The move's id, as 'queue moves' shows it." };
        var command = new Command("cancel-move", "Ends a move. What was moved stays where it is now.") { id, server };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var move = await client.SendAsync(HttpMethod.Delete, AdminClient.Path("moves", parsed.GetValue(id)!), AdminJson.Default.MoveModel, cancellation);
            while (move.State == "cancelling")
            {
                await Task.Delay(PollInterval, cancellation);
                move = await client.GetAsync(AdminClient.Path("moves", move.Id.ToString()), AdminJson.Default.MoveModel, cancellation);
            }
            Output.Line(Tell(move));
            return ExitCode.Ok;
        }));
        return command;
    }

    private static async Task<MoveModel> WatchAsync(AdminClient client, MoveModel move, CancellationToken cancellation)
    {
        var isShown = !Console.IsErrorRedirected;
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        // Whoever ends the display should know that this is all that ends.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
        {
            context.Cancel = true;
            ends.Cancel();
        });
        try
        {
            while (move.EndedAt is null)
            {
                await Task.Delay(PollInterval, ends.Token);
                move = await client.GetAsync(AdminClient.Path("moves", move.Id.ToString()), AdminJson.Default.MoveModel, ends.Token);
                if (isShown) Console.Error.Write($"\r\u001b[K{Output.Count(move.Moved)} of {Output.Count(move.Planned)} moved{(move.Reason is null ? "" : $"; waiting: {move.Reason}")}");
            }
            return move;
        }
        catch (OperationCanceledException)
        {
            throw new CommandException($"The move goes on. 'dragoman queue moves' shows how far it is, and 'dragoman queue cancel-move {move.Id}' ends it.");
        }
        catch (CommandException error)
        {
            throw new CommandException($"{error.Message} The move {move.Id} goes on as soon as the broker runs.", error);
        }
        finally
        {
            if (isShown) Console.Error.Write("\r\u001b[K");
        }
    }

    private static string Tell(MoveModel move)
    {
        var where = move.Target is null ? "back to where they came from" : $"to queue {move.Target}";
        var left = move.Left > 0 ? $" {Output.Things(move.Left, "message")} stayed: the queue {(move.Left == 1 ? "it was" : "they were")} dead-lettered from is unknown or gone." : "";
        return move.State switch
        {
            "completed" => $"Moved {Output.Things(move.Moved, "message")} from queue {move.Source} {where}.{left}",
            "failed" => $"The move failed after {Output.Things(move.Moved, "message")}: {move.Reason}{left}",
            "cancelled" => $"The move was cancelled after {Output.Things(move.Moved, "message")} of {Output.Count(move.Planned)}.{left}",
            _ => $"Moving {Output.Things(move.Planned, "message")} from queue {move.Source} {where}: move {move.Id}.",
        };
    }
}

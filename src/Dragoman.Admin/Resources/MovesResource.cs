using Dragoman.Admin.Http;
using Dragoman.Admin.Model;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Queues.Moves;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.Resources;

/// <summary><c>/_dragoman/v1/moves</c>: moves of messages from one queue to another, or back to where they came from.</summary>
internal sealed class MovesResource(AdminNode node, QueuesResource queues)
{
    private IMoves Moves => node.Broker.Moves;

    /// <summary>The collection: list and start.</summary>
    public async Task HandleAllAsync(HttpContext context)
    {
        var method = context.Request.Method;
        if (HttpMethods.IsGet(method) || HttpMethods.IsHead(method))
        {
            var wanted = Scope.Of(context);
            var source = context.Request.Query["source"].ToString();
            var picked = Moves.List().Where(m => (wanted is null || m.Source.Namespace == wanted) && (source.Length == 0 || m.Source.Name == source));
            await Json.WriteAsync(context, new MoveList([.. picked.Select(ToModel)]), AdminJson.Default.MoveList);
        }
        else if (HttpMethods.IsPost(method))
        {
            var request = await Json.ReadAsync(context, AdminJson.Default.CreateMoveRequest);
            if (request.MessagesPerSecond is <= 0) throw ProblemException.BadRequest($"messagesPerSecond is {request.MessagesPerSecond}; it should be more than 0, or missing for no limit.");
            if (request.MaxMessages is < 1) throw ProblemException.BadRequest($"maxMessages is {request.MaxMessages}; it should be at least 1, or missing for no limit.");
            var source = queues.Find(context, request.Source);
            var options = new MoveOptions { Target = request.Target, MessagesPerSecond = request.MessagesPerSecond ?? 0, MaxMessages = request.MaxMessages ?? -1 };
            var answer = await Moves.StartAsync(source, options, context.RequestAborted);
            if (answer.Status == QueueStatus.NotFound) throw ProblemException.NotFound(answer.Message!);
            if (answer is { Status: QueueStatus.InUse, Move: { } other })
                throw new ProblemException(StatusCodes.Status409Conflict, "In use", $"{answer.Message} Wait for move {other.Id} ({other.Moved} of {other.Planned} moved) to end, or cancel it.");
            QueuesResource.Succeeded(answer.Status, source.Name, answer.Message);
            context.Response.Headers.Location = $"/_dragoman/v1/moves/{answer.Move!.Id}";
            await Json.WriteAsync(context, ToModel(answer.Move), AdminJson.Default.MoveModel, StatusCodes.Status201Created);
        }
        else
        {
            throw RequestPath.NotAllowed(context, "GET, HEAD, POST");
        }
    }

    /// <summary>One move: look, and cancel.</summary>
    public async Task HandleOneAsync(HttpContext context, string text)
    {
        if (!Guid.TryParse(text, out var id) || Moves.Find(id) is not { } move) throw ProblemException.NotFound($"There is no move '{text}'.");
        var method = context.Request.Method;
        if (HttpMethods.IsGet(method) || HttpMethods.IsHead(method))
        {
            await Json.WriteAsync(context, ToModel(move), AdminJson.Default.MoveModel);
        }
        else if (HttpMethods.IsDelete(method))
        {
            var answer = await Moves.CancelAsync(id, context.RequestAborted);
            if (answer.Status == QueueStatus.InUse) throw new ProblemException(StatusCodes.Status409Conflict, "Ended", $"Move {id} has ended already: it is {Text.Camel(answer.Move!.State)}.");
            QueuesResource.Succeeded(answer.Status, move.Source, answer.Message);
            await Json.WriteAsync(context, ToModel(answer.Move ?? move), AdminJson.Default.MoveModel, StatusCodes.Status202Accepted);
        }
        else
        {
            throw RequestPath.NotAllowed(context, "GET, HEAD, DELETE");
        }
    }

    private static MoveModel ToModel(Move move) => new()
    {
        Id = move.Id,
        Namespace = move.Source.Namespace.ToString(),
        Source = move.Source.Name,
        Target = move.Target,
        State = Text.Camel(move.State),
        MessagesPerSecond = move.MessagesPerSecond > 0 ? move.MessagesPerSecond : null,
        Planned = move.Planned,
        Moved = move.Moved,
        Left = move.Left,
        StartedAt = move.StartedAt,
        EndedAt = move.EndedAt,
        Reason = move.Reason,
    };
}

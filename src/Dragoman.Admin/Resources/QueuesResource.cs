using Dragoman.Admin.Http;
using Dragoman.Admin.Model;
using Dragoman.Admin.Records;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Security;
using Dragoman.Broker.Subscriptions;
using Dragoman.Protocols.Authentication;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.Resources;

/// <summary><c>/_dragoman/v1/queues</c>: which queues there are, each of them, and what concerns all of its messages.</summary>
internal sealed class QueuesResource(AdminNode node)
{
    private IQueues Queues => node.Broker.Queues;

    /// <summary>The collection: list and create.</summary>
    public Task HandleAllAsync(HttpContext context)
    {
        var method = context.Request.Method;
        if (HttpMethods.IsGet(method) || HttpMethods.IsHead(method)) return ListAsync(context);
        if (HttpMethods.IsPost(method)) return CreateAsync(context);
        throw RequestPath.NotAllowed(context, "GET, HEAD, POST");
    }

    /// <summary>One queue: describe and delete.</summary>
    public async Task HandleOneAsync(HttpContext context, string name)
    {
        var method = context.Request.Method;
        if (HttpMethods.IsGet(method) || HttpMethods.IsHead(method)) await Json.WriteAsync(context, await DescribeAsync(Find(context, name)), AdminJson.Default.QueueDetails);
        else if (HttpMethods.IsDelete(method)) await DeleteAsync(context, name);
        else throw RequestPath.NotAllowed(context, "GET, HEAD, DELETE");
    }

    /// <summary>Drops the messages that wait.</summary>
    public async Task PurgeAsync(HttpContext context, string name)
    {
        RequestPath.RequireMethod(context, HttpMethods.Post);
        var queue = Find(context, name);
        var everything = context.Request.ContentLength is > 0 && (await Json.ReadAsync(context, AdminJson.Default.PurgeRequest)).Everything;
        var answer = await queue.PurgeAsync(everything);
        Succeeded(answer.Status, queue.Name, answer.Message);
        await Json.WriteAsync(context, new PurgeResult(answer.Count), AdminJson.Default.PurgeResult);
    }

    /// <summary>Goes to another place: what lies behind it is delivered, once more if need be.</summary>
    public async Task ReplayAsync(HttpContext context, string name)
    {
        RequestPath.RequireMethod(context, HttpMethods.Post);
        var queue = Find(context, name);
        var request = await Json.ReadAsync(context, AdminJson.Default.ReplayRequest);
        if (request.To.Length == 0) throw ProblemException.BadRequest("to is empty; it should be earliest, latest, an offset, a time such as 2026-01-31T12:00:00Z, or an age such as 15m.");
        var position = ReadPosition.Parse(request.To, node.Broker.Time, "to");
        var kept = await queue.GetKeptAsync();
        if (!IsKept(queue.Settings.Subscription, position, kept))
            throw new ProblemException(StatusCodes.Status409Conflict, "Outside of the replay window", Outside(queue, request.To, kept));
        var answer = position switch
        {
            { IsBeginning: true } => await queue.SeekAsync(kept.StartOffset),
            { IsEnd: true } => await queue.SeekAsync(kept.EndOffset),
            { Offset: { } offset } => await queue.SeekAsync(offset),
            _ => await queue.SeekAsync(DateTimeOffset.FromUnixTimeMilliseconds(position.Time)),
        };
        // It may have been given up in this moment.
        if (answer.Status == QueueStatus.OutOfRange) throw new ProblemException(StatusCodes.Status409Conflict, "Outside of the replay window", Outside(queue, request.To, await queue.GetKeptAsync()));
        Succeeded(answer.Status, queue.Name, answer.Message);
        await Json.WriteAsync(context, new ReplayResult(answer.Count, (await queue.GetCountsAsync()).Ready), AdminJson.Default.ReplayResult);
    }

    /// <summary>Whether all that a replay would bring back is kept still.</summary>
    private bool IsKept(SubscriptionSettings settings, ReadPosition position, KeptMessages kept)
    {
        if (position.IsBeginning || position.IsEnd) return true;
        if (position.Offset is { } offset) return offset >= kept.StartOffset && offset <= kept.EndOffset;
        // Nothing has been given up yet; or what is kept begins before that time.
        if (kept.StartOffset == 0 || (kept.OldestTimestamp >= 0 && kept.OldestTimestamp <= position.Time)) return true;
        var windowStart = node.Broker.Time.GetUtcNow().ToUnixTimeMilliseconds() - settings.ReplayWindowMs;
        return settings is { ReplayWindowMs: > 0, ReplayWindowBytes: < 0 } && position.Time >= windowStart;
    }

    private static string Outside(IQueueHandle queue, string to, KeptMessages kept)
    {
        var settings = queue.Settings.Subscription;
        var window = settings.ReplayWindowMs <= 0
            ? "it has no replay window, so messages are gone when they are settled"
            : $"its replay window is {TimeSpan.FromMilliseconds(settings.ReplayWindowMs)}{(settings.ReplayWindowBytes >= 0 ? $" and at most {settings.ReplayWindowBytes} bytes" : "")}";
        var holds = kept.StartOffset == kept.EndOffset
            ? $"nothing before offset {kept.EndOffset}, its end"
            : $"offsets {kept.StartOffset} to {kept.EndOffset - 1}, the first from {DateTimeOffset.FromUnixTimeMilliseconds(kept.OldestTimestamp):yyyy-MM-dd HH:mm:ss} UTC";
        return $"'{to}' lies outside of what queue '{queue.Name}' keeps: {holds}; {window}.";
    }

    /// <summary>The queue of a path.</summary>
    /// <exception cref="ProblemException">There is none.</exception>
    public IQueueHandle Find(HttpContext context, string name)
    {
        var full = NameOf(context, name);
        return Queues.Find(full) ?? throw NotFound(full);
    }

    /// <summary>Whether a client may do something with the queue of a path.</summary>
    public static bool Allows(ClientIdentity identity, HttpContext context, string name, Operations operation)
    {
        var full = NameOf(context, name);
        return identity.Allows(operation, ResourceKind.Queue, full.Namespace, full.Name);
    }

    private static QueueName NameOf(HttpContext context, string name) => new(Scope.OrDefault(context), name);

    private static ProblemException NotFound(QueueName name) => ProblemException.NotFound($"There is no queue '{name}'.");

    private async Task ListAsync(HttpContext context)
    {
        var wanted = Scope.Of(context);
        var (picked, next) = Page.Of(context).Take(Queues.List(), static q => q.Name.ToString(), q => wanted is null || q.Name.Namespace == wanted);
        var found = new List<QueueOverview>(picked.Count);
        foreach (var queue in picked)
        {
            var counts = await queue.GetCountsAsync();
            var settings = queue.Settings;
            found.Add(new QueueOverview(queue.Name.Namespace.ToString(), queue.Name.Name, TypeOf(settings), settings.IsDurable, TopicSettingsMapping.NameOf(settings.CommitMode), counts.Ready, counts.Leased, counts.Delayed, counts.Consumers));
        }
        await Json.WriteAsync(context, new QueueList(found, next), AdminJson.Default.QueueList);
    }

    private static string TypeOf(QueueSettings settings) => settings.Retention is null ? "queue" : "stream";

    private async ValueTask<QueueDetails> DescribeAsync(IQueueHandle queue)
    {
        var counts = await queue.GetCountsAsync();
        var kept = await queue.GetKeptAsync();
        var totals = await queue.GetConservationAsync();
        return new QueueDetails
        {
            Namespace = queue.Name.Namespace.ToString(),
            Name = queue.Name.Name,
            Id = queue.Id,
            Type = TypeOf(queue.Settings),
            CreatedAt = queue.CreatedAt,
            Ready = counts.Ready,
            Leased = counts.Leased,
            Delayed = counts.Delayed,
            Consumers = counts.Consumers,
            StartOffset = kept.StartOffset,
            EndOffset = kept.EndOffset,
            OldestAt = kept.OldestTimestamp < 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(kept.OldestTimestamp),
            Settings = QueueSettingsMapping.ToModel(queue.Settings),
            Totals = new QueueTotals(totals.Accepted, totals.Replayed, totals.Acknowledged, totals.Expired, totals.DeadLettered, totals.MovedOut, totals.Purged, totals.Filtered, totals.Dropped),
            Bindings = [.. node.Broker.Routing.RoutesTo(queue).Select(BindingMapping.ToModel)],
        };
    }

    private async Task CreateAsync(HttpContext context)
    {
        var request = await Json.ReadAsync(context, AdminJson.Default.CreateQueueRequest);
        if (request.Name.Length == 0) throw ProblemException.BadRequest("The queue has no name.");
        if (request.Name.StartsWith("amq.", StringComparison.Ordinal)) throw ProblemException.BadRequest("Names that begin with 'amq.' are the broker's own.");
        var name = NameOf(context, request.Name);
        RequireNamespace(name.Namespace);
        var answer = await Queues.DeclareAsync(name, QueueSettingsMapping.ToSettings(request.Settings), context.RequestAborted);
        if (answer.Status == QueueStatus.AlreadyExists) throw new ProblemException(StatusCodes.Status409Conflict, "Conflict", $"Queue '{name}' is there already.");
        Succeeded(answer.Status, name, answer.Message);
        if (answer.Queue is not { } queue) throw NotFound(name);
        context.Response.Headers.Location = $"/_dragoman/v1/queues/{Uri.EscapeDataString(request.Name)}{context.Request.QueryString}";
        await Json.WriteAsync(context, await DescribeAsync(queue), AdminJson.Default.QueueDetails, StatusCodes.Status201Created);
    }

    private void RequireNamespace(NamespaceName name) => NamespacesResource.Require(node, name);

    private async Task DeleteAsync(HttpContext context, string name)
    {
        var queue = Find(context, name);
        var conditions = (Query.Flag(context, "ifUnused") ? DeleteConditions.IfUnused : 0) | (Query.Flag(context, "ifEmpty") ? DeleteConditions.IfEmpty : 0);
        var answer = await Queues.DeleteAsync(queue, conditions, context.RequestAborted);
        switch (answer.Status)
        {
            case QueueStatus.InUse:
                throw new ProblemException(StatusCodes.Status409Conflict, "In use", $"Queue '{queue.Name}' has consumers, and was to be deleted only without.");
            case QueueStatus.NotEmpty:
                throw new ProblemException(StatusCodes.Status409Conflict, "Not empty", $"Queue '{queue.Name}' holds messages, and was to be deleted only without.");
        }
        Succeeded(answer.Status, queue.Name, answer.Message);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <exception cref="ProblemException">It did not work.</exception>
    public static void Succeeded(QueueStatus status, QueueName name, string? message)
    {
        if (status == QueueStatus.Ok) return;
        var detail = message ?? $"The operation on queue '{name}' ended with {status}.";
        throw status switch
        {
            QueueStatus.NotFound => NotFound(name),
            QueueStatus.InvalidName or QueueStatus.InvalidSettings => ProblemException.BadRequest(detail),
            QueueStatus.Full => new ProblemException(StatusCodes.Status507InsufficientStorage, "Disk full", detail),
            QueueStatus.StorageError or QueueStatus.Moved => new ProblemException(StatusCodes.Status503ServiceUnavailable, "Not available", detail),
            _ => new ProblemException(StatusCodes.Status409Conflict, "Conflict", detail),
        };
    }
}

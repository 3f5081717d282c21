using Dragoman.Admin.Http;
using Dragoman.Admin.Model;
using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;
using Dragoman.Protocols.Authentication;
using Dragoman.Storage.Journal;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.Resources;

/// <summary><c>/_dragoman/v1/topics</c>: which topics there are, and each of them.</summary>
internal sealed class TopicsResource(AdminNode node)
{
    private ITopics Topics => node.Broker.Topics;

    /// <summary>The collection: list and create.</summary>
    public Task HandleAllAsync(HttpContext context)
    {
        var method = context.Request.Method;
        if (HttpMethods.IsGet(method) || HttpMethods.IsHead(method)) return ListAsync(context);
        if (HttpMethods.IsPost(method)) return CreateAsync(context);
        throw RequestPath.NotAllowed(context, "GET, HEAD, POST");
    }

    /// <summary>One topic: describe, change and delete.</summary>
    public Task HandleOneAsync(HttpContext context, string name)
    {
        var method = context.Request.Method;
        if (HttpMethods.IsGet(method) || HttpMethods.IsHead(method)) return Json.WriteAsync(context, Describe(Find(context, name)), AdminJson.Default.TopicDetails);
        if (HttpMethods.IsPatch(method)) return ChangeAsync(context, name);
        if (HttpMethods.IsDelete(method)) return DeleteAsync(context, name);
        throw RequestPath.NotAllowed(context, "GET, HEAD, PATCH, DELETE");
    }

    /// <summary>The topic of a path.</summary>
    /// <exception cref="ProblemException">There is none.</exception>
    public ITopicHandle Find(HttpContext context, string name)
    {
        var full = NameOf(context, name);
        return Topics.Find(full) ?? throw ProblemException.NotFound($"There is no topic '{full}'.");
    }

    /// <summary>The topic of a path; made with the broker's defaults if there is none and the broker makes topics on use.</summary>
    /// <exception cref="ProblemException">There is none, and none can be made.</exception>
    public async ValueTask<ITopicHandle> FindOrCreateAsync(HttpContext context, string name)
    {
        var full = NameOf(context, name);
        var options = node.Broker.Options;
        if (Topics.Find(full) is not null || !options.AutoCreateTopics) return Find(context, name);
        var answer = await Topics.CreateAsync(full, options.DefaultPartitions, options.DefaultTopicSettings, context.RequestAborted);
        // Somebody else may have been faster.
        return answer.Status == TopicStatus.AlreadyExists ? Find(context, name) : Succeeded(answer);
    }

    /// <summary>Whether a client may do something with the topic of a path.</summary>
    public static bool Allows(ClientIdentity identity, HttpContext context, string name, Operations operation)
    {
        var full = NameOf(context, name);
        return identity.Allows(operation, ResourceKind.Topic, full.Namespace, full.Name);
    }

    private static TopicName NameOf(HttpContext context, string name) => new(Scope.OrDefault(context), name);

    private Task ListAsync(HttpContext context)
    {
        var wanted = Scope.Of(context);
        var found = new List<TopicSummary>();
        foreach (var topic in Topics.List())
        {
            if (wanted is not null && topic.Name.Namespace != wanted) continue;
            long records = 0, bytes = 0;
            foreach (var partition in topic.Partitions)
            {
                if (partition.TryGetOffsets(out var offsets)) records += offsets.HighWatermark - offsets.Start;
                bytes += partition.SizeBytes;
            }
            found.Add(new TopicSummary(topic.Name.Namespace.ToString(), topic.Name.Name, topic.Id, topic.Partitions.Count, records, bytes, TopicSettingsMapping.NameOf(topic.Settings.CommitMode)));
        }
        return Json.WriteAsync(context, new TopicList(found), AdminJson.Default.TopicList);
    }

    private TopicDetails Describe(ITopicHandle topic)
    {
        var routes = node.Broker.Routing.Forwarding.Where(p => p.Topic == topic.Name).ToDictionary(
            static p => p.Partition, static p => new RouteProgress(p.NextOffset, Math.Max(0, p.EndOffset - p.NextOffset), p.Lost, p.Refused, p.Problem));
        var partitions = new List<PartitionDetails>(topic.Partitions.Count);
        foreach (var partition in topic.Partitions)
        {
            if (!partition.TryGetOffsets(out var offsets)) continue;
            partitions.Add(new PartitionDetails(partition.Index, offsets.Start, offsets.LastStable, offsets.HighWatermark, offsets.LeaderEpoch, partition.SizeBytes, routes.GetValueOrDefault(partition.Index)));
        }
        return new TopicDetails(topic.Name.Namespace.ToString(), topic.Name.Name, topic.Id, topic.CreatedAt, TopicSettingsMapping.ToModel(topic.Settings), partitions);
    }

    private async Task CreateAsync(HttpContext context)
    {
        var request = await Json.ReadAsync(context, AdminJson.Default.CreateTopicRequest);
        if (string.IsNullOrEmpty(request.Name)) throw ProblemException.BadRequest("The topic has no name.");
        var options = node.Broker.Options;
        var settings = TopicSettingsMapping.ToChange(request.Settings)(options.DefaultTopicSettings);
        var answer = await Topics.CreateAsync(NameOf(context, request.Name), request.Partitions ?? options.DefaultPartitions, settings, context.RequestAborted);
        var topic = Succeeded(answer);
        context.Response.Headers.Location = $"/_dragoman/v1/topics/{Uri.EscapeDataString(request.Name)}{context.Request.QueryString}";
        await Json.WriteAsync(context, Describe(topic), AdminJson.Default.TopicDetails, StatusCodes.Status201Created);
    }

    private async Task ChangeAsync(HttpContext context, string name)
    {
        var topic = Find(context, name);
        var request = await Json.ReadAsync(context, AdminJson.Default.ChangeTopicRequest);
        var change = TopicSettingsMapping.ToChange(request.Settings);
        var isMemory = topic.Settings.CommitMode == CommitMode.Memory;
        if (request.Settings?.CommitMode is not null && isMemory != (change(topic.Settings).CommitMode == CommitMode.Memory))
            throw ProblemException.BadRequest("Where a topic's messages live is settled when it is created: commitMode changes neither to memory nor from it.");
        // Partitions first: they are what can be refused.
        if (request.Partitions is { } partitions && partitions != topic.Partitions.Count)
            Succeeded(await Topics.AddPartitionsAsync(topic.Name, partitions, context.RequestAborted));
        if (request.Settings is not null)
            Succeeded(await Topics.ChangeSettingsAsync(topic.Name, change, context.RequestAborted));
        await Json.WriteAsync(context, Describe(Find(context, name)), AdminJson.Default.TopicDetails);
    }

    private async Task DeleteAsync(HttpContext context, string name)
    {
        var answer = await Topics.DeleteAsync(NameOf(context, name), context.RequestAborted);
        if (answer.Status != TopicStatus.Ok) throw Refusal(answer);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static ITopicHandle Succeeded(TopicAnswer answer) =>
        answer.Status == TopicStatus.Ok && answer.Topic is { } topic ? topic : throw Refusal(answer);

    private static ProblemException Refusal(TopicAnswer answer)
    {
        var detail = answer.Message ?? $"The change ended with {answer.Status}.";
        return answer.Status switch
        {
            TopicStatus.AlreadyExists => new ProblemException(StatusCodes.Status409Conflict, "Conflict", detail),
            TopicStatus.InvalidName or TopicStatus.InvalidPartitions => ProblemException.BadRequest(detail),
            TopicStatus.Full => new ProblemException(StatusCodes.Status507InsufficientStorage, "Disk full", detail),
            TopicStatus.StorageError => new ProblemException(StatusCodes.Status503ServiceUnavailable, "Storage failed", detail),
            // Ok without a topic: it was deleted in between.
            _ => ProblemException.NotFound(detail),
        };
    }
}

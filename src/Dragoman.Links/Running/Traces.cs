using System.Diagnostics.CodeAnalysis;
using Dragoman.Broker.Queues;
using Dragoman.Links.Definitions;
using Dragoman.Links.Ends;
using Microsoft.Extensions.Logging;

namespace Dragoman.Links.Running;

/// <summary>What links have of their own at brokers, and takes away when they are gone for good.</summary>
internal static class Traces
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    /// <summary>What a link's source is called, over all brokers.</summary>
    public static string SourceOf(string link) => link + "/source";

    /// <summary>What a link's target is called, over all brokers.</summary>
    public static string TargetOf(string link) => link + "/target";

    /// <summary>Takes away what a link has, as far as the brokers can be reached; what is left there goes by itself after 30 days.</summary>
    public static async Task RemoveAsync(Broker.Broker broker, EndDefinition source, EndDefinition target, string memory, string link, ILogger log)
    {
        if (source is { IsLocal: true, Exchange: not null } && broker.Queues.Find(new QueueName(LocalEnds.SpaceOf(source), LocalSource.QueueOf(memory))) is { } queue)
            await broker.Queues.DeleteAsync(queue).ConfigureAwait(false);
        if (!source.IsLocal) await RemoveAsync(source, SourceOf(link), source.Exchange is not null, log).ConfigureAwait(false);
        if (!target.IsLocal) await RemoveAsync(target, TargetOf(link), false, log).ConfigureAwait(false);
    }

    [SuppressMessage("Design", "CA1031", Justification = "That the other broker cannot be reached keeps nobody from ending a link.")]
    private static async Task RemoveAsync(EndDefinition end, string name, bool hasQueue, ILogger log)
    {
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            await using var connection = await RemoteConnection.OpenAsync(end.Uris, "Dragoman link removal", limit.Token).ConfigureAwait(false);
            await new PrivateQueues(connection, name).DeleteAsync(limit.Token).ConfigureAwait(false);
            if (hasQueue) await connection.TryAsync(c => c.QueueDeleteAsync(RemoteSource.QueueOf(name), ifUnused: false, ifEmpty: false, cancellationToken: limit.Token), limit.Token).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            log.LogInformation("What a link has left at {Uri} goes by itself after 30 days: {Reason}", end.Uris[0].Shown, RemoteConnection.Explain(error));
        }
    }
}

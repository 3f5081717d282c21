using System.Collections.Concurrent;
using Dragoman.Aws.Http;
using Dragoman.Broker.Queues;

namespace Dragoman.Aws.Sqs.Operations;

/// <summary>Deletes all messages of a queue, held and delayed ones included; at most once a minute.</summary>
internal sealed class PurgeQueue(AwsNode node, QueueAccess access) : IOperation
{
    private const long PauseMs = 60_000;

    private readonly ConcurrentDictionary<Guid, long> _last = new();

    public bool HasResult => false;

    public async ValueTask HandleAsync(AwsCall call)
    {
        var queue = access.Find(call, Broker.Security.Operations.Read, "purgequeue");
        var now = node.Now;
        foreach (var (id, time) in _last)
            if (now - time >= PauseMs) _last.TryRemove(id, out _);
        if (!_last.TryAdd(queue.Id, now)) throw SqsErrors.PurgeInProgress(queue.Name.Name);
        var answer = await queue.PurgeAsync(everything: true);
        if (answer.Status != QueueStatus.Ok) throw SqsErrors.Of(answer.Status, call, answer.Message);
    }
}

using System.Collections.Concurrent;
using Dragoman.Amqp.Sessions;
using Dragoman.Amqp.Wire;
using Dragoman.Broker.Queues;

namespace Dragoman.Amqp.Topology;

/// <summary>Which connection owns which exclusive queue: nobody else may use it, and it goes with its owner.</summary>
internal sealed class ExclusiveQueues
{
    private readonly ConcurrentDictionary<Guid, (AmqpSession Owner, IQueueHandle Queue)> _owners = new();

    /// <summary>Gives a queue to a connection.</summary>
    public void Own(AmqpSession session, IQueueHandle queue) => _owners[queue.Id] = (session, queue);

    /// <summary>Checks that a queue is not another connection's.</summary>
    /// <exception cref="ChannelException">It is.</exception>
    public void Check(AmqpSession session, IQueueHandle queue, string text)
    {
        if (_owners.TryGetValue(queue.Id, out var owned) && owned.Owner != session) throw Locked(text);
    }

    /// <summary>The error for those who want a queue that is another's.</summary>
    public static ChannelException Locked(string text) => new(
        ReplyCode.ResourceLocked,
        $"cannot obtain exclusive access to locked {text}. It could be originally declared on another connection or the exclusive property value does not match that of the original declaration.");

    /// <summary>Deletes the queues of a connection that ends.</summary>
    public async ValueTask ReleaseAsync(AmqpSession session, IQueues queues)
    {
        foreach (var (id, owned) in _owners)
        {
            if (owned.Owner != session) continue;
            await queues.DeleteAsync(owned.Queue).ConfigureAwait(false);
            _owners.TryRemove(id, out _);
        }
    }

    /// <summary>Forgets a queue that is gone.</summary>
    public void Forget(IQueueHandle queue) => _owners.TryRemove(queue.Id, out _);
}

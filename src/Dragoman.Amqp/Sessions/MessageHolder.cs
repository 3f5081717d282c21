using System.Runtime.InteropServices;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;

namespace Dragoman.Amqp.Sessions;

/// <summary>
/// What holds messages of one queue for a channel until the client settles them: a consumer, or those who ask with
/// <c>basic.get</c>. Settlements are gathered, and handed over with the next flush.
/// </summary>
internal abstract class MessageHolder(Channel channel, IQueueHandle queue) : OutputSource
{
    private readonly List<OffsetRange> _settled = [];
    private Settlement _settlement;
    private int _count;

    /// <summary>The channel.</summary>
    public Channel Channel { get; } = channel;

    /// <summary>The queue.</summary>
    public IQueueHandle Queue { get; } = queue;

    /// <summary>The broker's side of it.</summary>
    public IConsumer Consumer { get; protected set; } = null!;

    /// <summary>Whether messages stay, whatever becomes of deliveries: then acknowledging only asks for more.</summary>
    protected bool IsStream { get; } = queue.Settings.Retention is not null;

    /// <summary>How long the client may hold a message, by the clock's timestamps.</summary>
    public long AcknowledgeWithin { get; } = channel.Session.AcknowledgeWithin(queue);

    /// <summary>Settles a message, soon. Called by the loop that reads.</summary>
    /// <exception cref="ConnectionException">It cannot be refused: it is a stream's.</exception>
    public void Settle(Settlement settlement, long offset)
    {
        if (IsStream && settlement != Settlement.Acknowledge)
            throw Errors.NotImplemented($"basic.nack and basic.reject not supported by stream queues {Handlers.Queues.Describe(Channel.Session, Queue.Name.Name)}");
        if (_count > 0 && settlement != _settlement) Flush();
        if (_count == 0) Channel.Session.Settling(this);
        _settlement = settlement;
        _count++;
        if (_settled.Count > 0 && _settled[^1].End == offset) _settled[^1] = new OffsetRange(_settled[^1].Start, offset + 1);
        else _settled.Add(OffsetRange.Of(offset));
    }

    /// <summary>Hands over what was gathered.</summary>
    public void Flush()
    {
        if (_count == 0) return;
        var count = _count;
        _count = 0;
        Consumer.Settle(_settlement, CollectionsMarshal.AsSpan(_settled));
        _settled.Clear();
        OnSettled(count);
    }

    /// <summary>So many messages were settled.</summary>
    protected abstract void OnSettled(int count);
}

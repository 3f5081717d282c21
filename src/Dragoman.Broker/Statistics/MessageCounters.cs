using System.Runtime.CompilerServices;

namespace Dragoman.Broker.Statistics;

/// <summary>What is counted of messages. The names are RabbitMQ's, which its management API shows; a message counts whichever protocol it came by.</summary>
public enum MessageCounter
{
    /// <summary>Messages published: that a queue has taken, a channel has sent, or a namespace has received.</summary>
    Publish,

    /// <summary>Publishes that ask to be confirmed.</summary>
    PublishForConfirm,

    /// <summary>Publishes that were confirmed, of those who asked for that.</summary>
    Confirm,

    /// <summary>Messages that nobody was to get, and that were given back to their publisher.</summary>
    ReturnUnroutable,

    /// <summary>Messages that nobody was to get, and that were dropped.</summary>
    DropUnroutable,

    /// <summary>Messages published to a topic.</summary>
    PublishIn,

    /// <summary>Messages that a topic has handed to queues, one for each queue.</summary>
    PublishOut,

    /// <summary>Messages sent to consumers that settle them.</summary>
    Deliver,

    /// <summary>Messages sent to consumers that do not.</summary>
    DeliverNoAck,

    /// <summary>Messages that somebody asked for, and settles.</summary>
    Get,

    /// <summary>Messages that somebody asked for, and does not settle.</summary>
    GetNoAck,

    /// <summary>Requests for messages that found none.</summary>
    GetEmpty,

    /// <summary>Messages, of those delivered or got, that had been delivered before.</summary>
    Redeliver,

    /// <summary>Messages acknowledged.</summary>
    Ack,
}

/// <summary>
/// Counters of messages of one thing: a queue, a topic, a channel, a namespace. They only rise. Whoever counts does so
/// from any thread, or, cheaper, under a lock that all share who count; whoever reads needs nothing.
/// </summary>
public sealed class MessageCounters
{
    /// <summary>How many counters there are.</summary>
    public const int Count = (int)MessageCounter.Ack + 1;

    private Values _values;

    [InlineArray(Count)]
    private struct Values
    {
        private long _first;
    }

    /// <summary>The value of a counter.</summary>
    public long this[MessageCounter counter] => Volatile.Read(ref _values[(int)counter]);

    /// <summary>What was handed out, in whatever way: RabbitMQ's <c>deliver_get</c>.</summary>
    public long DeliverGet => this[MessageCounter.Deliver] + this[MessageCounter.DeliverNoAck] + this[MessageCounter.Get] + this[MessageCounter.GetNoAck];

    /// <summary>Counts; from any thread.</summary>
    public void Add(MessageCounter counter, long count) => Interlocked.Add(ref _values[(int)counter], count);

    /// <summary>Counts; all who do so for this counter hold the same lock, or are the same loop.</summary>
    public void AddAlone(MessageCounter counter, long count)
    {
        ref var value = ref _values[(int)counter];
        Volatile.Write(ref value, value + count);
    }

    /// <summary>Adds all values to others.</summary>
    /// <param name="totals">As many as there are counters.</param>
    public void AddTo(Span<long> totals)
    {
        for (var i = 0; i < Count; i++) totals[i] += Volatile.Read(ref _values[i]);
    }

    /// <summary>Adds values; from any thread.</summary>
    public void Add(ReadOnlySpan<long> values)
    {
        for (var i = 0; i < Count; i++)
            if (values[i] != 0) Interlocked.Add(ref _values[i], values[i]);
    }
}

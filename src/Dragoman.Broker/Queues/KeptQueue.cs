using Dragoman.Broker.Statistics;
using Dragoman.Broker.Subscriptions;
using Dragoman.Storage.Log;

namespace Dragoman.Broker.Queues;

/// <summary>
/// The readers of a queue that keeps its messages for a time, whoever has read them (AMQP's streams): each consumer is a
/// cursor over the log, and nothing is settled.
/// </summary>
internal sealed class KeptQueue(SubscriptionHost host, PartitionLog log, MessageCounters counters)
{
    private readonly Lock _lock = new();
    private readonly List<LogReader> _readers = [];
    private bool _isOver;

    /// <summary>What is counted of it.</summary>
    public MessageCounters Counters { get; } = counters;

    /// <summary>What the queue holds.</summary>
    public SubscriptionCounts Counts
    {
        get
        {
            // The start first: it never exceeds an end that is read later.
            var start = log.StartOffset;
            lock (_lock) return new SubscriptionCounts(log.LastStableOffset - start, 0, 0, _readers.Count, log.SizeBytes);
        }
    }

    /// <summary>Where its messages have gone: those that retention gave up were dropped, and the others are there.</summary>
    public Conservation Conservation
    {
        get
        {
            var start = log.StartOffset;
            var end = log.LastStableOffset;
            return new Conservation { Accepted = end, Dropped = start, Ready = end - start };
        }
    }

    /// <summary>Opens a consumer, which begins where its options say.</summary>
    public ConsumeAnswer Consume(ConsumerOptions options, IDeliverySink sink)
    {
        var reader = new LogReader(host, log, options, sink, this);
        lock (_lock)
        {
            if (_isOver) return new ConsumeAnswer(QueueStatus.NotFound, null);
            _readers.Add(reader);
        }
        log.AddListener(reader);
        return new ConsumeAnswer(QueueStatus.Ok, reader);
    }

    /// <summary>Forgets a consumer that has ended.</summary>
    public void Remove(LogReader reader)
    {
        lock (_lock) _readers.Remove(reader);
    }

    /// <summary>Ends all consumers, and takes no more.</summary>
    public void End(ConsumerEnd reason)
    {
        LogReader[] readers;
        lock (_lock)
        {
            if (_isOver) return;
            _isOver = true;
            readers = [.. _readers];
            _readers.Clear();
        }
        foreach (var reader in readers) reader.End(reason);
    }

    /// <summary>What a queue cannot do that keeps its messages: there is nothing to settle.</summary>
    public static string Unsupported => "The queue keeps its messages for a time, whoever has read them: they are read by consumers, and not settled.";
}

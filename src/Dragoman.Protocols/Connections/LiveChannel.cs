using Dragoman.Broker.Queues;
using Dragoman.Broker.Statistics;

namespace Dragoman.Protocols.Connections;

/// <summary>A connection's channels: conversations that share it.</summary>
public interface IChannelSource
{
    /// <summary>What their counters count for.</summary>
    string Protocol { get; }

    /// <summary>How many there are.</summary>
    int Count { get; }

    /// <summary>What is counted of each.</summary>
    IReadOnlyList<MessageCounters> Counters { get; }

    /// <summary>What they are at the moment.</summary>
    IReadOnlyList<LiveChannel> List();
}

/// <summary>What a channel was when somebody looked.</summary>
public sealed record LiveChannel
{
    /// <summary>Its number on the connection.</summary>
    public required int Number { get; init; }

    /// <summary>What is counted of its messages; the object stays the same for as long as the channel lives.</summary>
    public required MessageCounters Counters { get; init; }

    /// <summary>Whether it confirms what is published.</summary>
    public bool Confirms { get; init; }

    /// <summary>Whether publishes and settlements wait for a commit.</summary>
    public bool IsTransactional { get; init; }

    /// <summary>Messages that a consumer that is yet to come may hold; 0 for any number.</summary>
    public int Prefetch { get; init; }

    /// <summary>Messages that all consumers together may hold; 0 for any number.</summary>
    public int GlobalPrefetch { get; init; }

    /// <summary>Messages delivered and not settled.</summary>
    public int Unacknowledged { get; init; }

    /// <summary>Messages published and not confirmed yet.</summary>
    public int Unconfirmed { get; init; }

    /// <summary>Publishes that wait for the commit.</summary>
    public int Uncommitted { get; init; }

    /// <summary>Settlements that wait for the commit.</summary>
    public int UncommittedSettlements { get; init; }

    /// <summary>The consumers.</summary>
    public IReadOnlyList<LiveConsumer> Consumers { get; init; } = [];
}

/// <summary>What a consumer was when somebody looked.</summary>
public sealed record LiveConsumer
{
    /// <summary>Its name on the channel.</summary>
    public required string Tag { get; init; }

    /// <summary>Where its messages come from.</summary>
    public required QueueName Queue { get; init; }

    /// <summary>Whether it settles what it gets.</summary>
    public bool Settles { get; init; }

    /// <summary>Messages that it may hold; 0 for any number.</summary>
    public int Prefetch { get; init; }

    /// <summary>Whether it has the queue to itself.</summary>
    public bool IsExclusive { get; init; }

    /// <summary>Whether it is one of several of which one gets messages at a time.</summary>
    public bool IsOneOfMany { get; init; }

    /// <summary>Whether it gets messages, or could.</summary>
    public bool IsActive { get; init; } = true;

    /// <summary>What else it was made with: a JSON object.</summary>
    public string Arguments { get; init; } = "{}";
}

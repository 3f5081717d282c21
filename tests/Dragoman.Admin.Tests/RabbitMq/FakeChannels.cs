using Dragoman.Broker.Queues;
using Dragoman.Broker.Statistics;
using Dragoman.Protocols.Connections;

namespace Dragoman.Admin.Tests.RabbitMq;

/// <summary>The channels of a connection that a test has made up.</summary>
internal sealed class FakeChannels(ConnectionRegistry registry) : IChannelSource
{
    public MessageCounters Publisher { get; } = registry.OpenChannel("amqp091");

    public MessageCounters Consumer { get; } = registry.OpenChannel("amqp091");

    public string Protocol => "amqp091";

    public int Count => 2;

    IReadOnlyList<MessageCounters> IChannelSource.Counters => [Publisher, Consumer];

    public IReadOnlyList<LiveChannel> List() =>
    [
        new() { Number = 1, Counters = Publisher, Confirms = true, Unconfirmed = 4 },
        new()
        {
            Number = 2,
            Counters = Consumer,
            Prefetch = 10,
            Unacknowledged = 3,
            Consumers = [new() { Tag = "one", Queue = QueueName.InDefault("q"), Settles = true, Prefetch = 10, IsOneOfMany = true, IsActive = false, Arguments = """{"x-priority":3}""" }],
        },
    ];
}

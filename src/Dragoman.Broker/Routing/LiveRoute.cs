using Dragoman.Broker.Queues;
using Dragoman.Broker.Topics;

namespace Dragoman.Broker.Routing;

/// <summary>A route and what it leads to.</summary>
/// <param name="Route">The route.</param>
/// <param name="Queue">The queue, unless it leads to a topic.</param>
/// <param name="Topic">The topic, unless it leads to a queue.</param>
internal sealed record LiveRoute(Route Route, IQueueHandle? Queue, TopicName? Topic);

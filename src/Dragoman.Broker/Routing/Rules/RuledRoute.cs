using System.Collections.Immutable;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing.Filters;
using Dragoman.Broker.Topics;

namespace Dragoman.Broker.Routing.Rules;

/// <summary>
/// A route of a front end's own: it takes what its filter lets through, whatever the topic's type says of bindings, and hands
/// it on as a transformation makes it. Immutable; a route of the same id replaces it. It leads to a queue of a name: what
/// comes while there is no such queue goes to its dead letters.
/// </summary>
public sealed class RuledRoute
{
    /// <summary>The id, by which it is replaced and removed.</summary>
    public required Guid Id { get; init; }

    /// <summary>The topic.</summary>
    public required TopicName Source { get; init; }

    /// <summary>The queue.</summary>
    public required QueueName Target { get; init; }

    /// <summary>Where messages go that the target cannot take, because it is gone or full; null to drop them.</summary>
    public QueueName? DeadLetters { get; init; }

    /// <summary>What it takes; null for all.</summary>
    public FilterPolicy? Filter { get; init; }

    /// <summary>The name of the <see cref="IRouteTransformation"/> that makes the target's message.</summary>
    public required string Transformation { get; init; }

    /// <summary>What the transformation has to know.</summary>
    public ImmutableSortedDictionary<string, string> Arguments { get; init; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>The first offsets that it carries where its source keeps a log: see <see cref="Route.StartOffsets"/>.</summary>
    public IReadOnlyList<long> StartOffsets { get; init; } = [];

    /// <summary>The topic whose log they speak of: see <see cref="Route.StartsIn"/>.</summary>
    public Guid StartsIn { get; init; }

    /// <summary>The transformation, once somebody has registered it.</summary>
    internal IRouteTransformation? Transformer { get; set; }

    /// <summary>The first offset that it carries of a partition.</summary>
    internal long FirstOffset(Guid topic, int partition) =>
        (topic == StartsIn || StartsIn == Guid.Empty) && partition < StartOffsets.Count ? StartOffsets[partition] : 0;
}

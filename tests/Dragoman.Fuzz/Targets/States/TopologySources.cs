using System.Collections.Immutable;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Producers;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Queues.Moves;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Routing.Forwarding;
using Dragoman.Broker.Subscriptions;
using Dragoman.Broker.Topics;

namespace Dragoman.Fuzz.Targets.States;

internal sealed class TopicSource : StateSource<TopicRegistry>
{
    protected override byte[] Event(TopicRegistry state, Random random)
    {
        if (random.Next(4) == 0 && Some.Present(state.Entries.Keys, random) is { } gone) return state.Remove(gone).ToArray();
        var settings = TopicSettings.Default with { RetentionMs = Some.Number(random), Compacted = random.Next(2) == 0, Attributes = Attributes(random) };
        return state.Put(new TopicEntry(Some.Id(random), Some.Topic(random), Some.Number(random), Some.Several(random, Some.Number), settings)).ToArray();
    }

    public static ImmutableSortedDictionary<string, string> Attributes(Random random)
    {
        var attributes = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        for (var n = random.Next(4); n > 0; n--) attributes[Some.Text(random)] = Some.Text(random);
        return attributes.ToImmutable();
    }
}

internal sealed class QueueSource : StateSource<QueueRegistry>
{
    protected override byte[] Event(QueueRegistry state, Random random)
    {
        if (random.Next(4) == 0 && Some.Present(state.Entries.Keys, random) is { } gone) return state.Remove(gone).ToArray();
        var settings = new QueueSettings
        {
            Attributes = TopicSource.Attributes(random),
            Retention = random.Next(2) == 0 ? null : new(Some.Number(random), Some.Number(random)),
            Subscription = SubscriptionSettings.Default with
            {
                DeadLetter = random.Next(2) == 0 ? null : new DeadLetterTarget(Some.OptionalText(random), Some.OptionalText(random), Some.OptionalText(random), random.Next(2) == 0),
                Filter = random.Next(2) == 0 ? null : new HeaderFilter([.. Some.Several(random, static r => Some.Several(r, Condition).ToImmutableArray())]),
            },
        };
        var name = new QueueName(Some.Namespace(random), Some.Text(random));
        return state.Put(new QueueEntry(Some.Id(random), name, Some.Number(random), Some.Number(random), Some.Number(random), settings)).ToArray();
    }

    private static HeaderCondition Condition(Random random) => new(Some.Text(random), (HeaderMatch)random.Next(3), Some.Text(random), random.Next(2) == 0);
}

internal sealed class NamespaceSource : StateSource<NamespaceState>
{
    protected override byte[] Event(NamespaceState state, Random random) =>
        random.Next(4) == 0 && Some.Present(state.Entries.Keys, random) is { } gone
            ? state.Remove(gone).ToArray()
            : state.Put(new NamespaceEntry(Some.Namespace(random), Some.Text(random), DateTimeOffset.FromUnixTimeMilliseconds(random.Next()))).ToArray();
}

internal sealed class RoutingSource : StateSource<RoutingState>
{
    protected override byte[] Event(RoutingState state, Random random)
    {
        if (random.Next(5) == 0 && Some.Present(state.Facets.Keys, random) is { } topic) return RoutingState.RemoveFacet(topic).ToArray();
        if (random.Next(4) == 0 && Some.Present(state.Routes, random) is { } gone) return RoutingState.RemoveRoute(gone).ToArray();
        if (random.Next(2) == 0)
        {
            var facet = new ExchangeFacet { Type = ExchangeTypes.Topic, AlternateTopic = Some.OptionalText(random), Attributes = TopicSource.Attributes(random) };
            return RoutingState.PutFacet(Some.Topic(random), facet).ToArray();
        }
        while (true)
        {
            var route = new Route
            {
                Source = Some.Topic(random),
                Target = new RouteTarget((RouteTargetKind)random.Next(2), Some.Text(random), Some.Id(random)),
                // A rule is there once.
                Key = Some.Text(random) + random.Next(100),
                Arguments = Some.Several(random, static r => new RouteArgument(Some.Text(r), Some.Text(r), Some.Bytes(r))),
                StartOffsets = Some.Several(random, Some.Number),
            };
            if (!state.Routes.Contains(route, RouteRules.Comparer)) return RoutingState.AddRoute(route).ToArray();
        }
    }
}

internal sealed class ForwardingSource : StateSource<ForwardingState>
{
    protected override byte[] Event(ForwardingState state, Random random)
    {
        var log = random.Next(5);
        return random.Next(4) == 0 ? ForwardingState.Forget(log).ToArray() : ForwardingState.Advance(log, state.NextOf(log) + random.Next(1, 100)).ToArray();
    }
}

internal sealed class MoveSource : StateSource<MoveRegistry>
{
    protected override byte[] Event(MoveRegistry state, Random random)
    {
        if (random.Next(2) == 0 && Some.Present(state.Moves.Where(move => !move.HasEnded), random) is { } move)
        {
            return random.Next(3) switch
            {
                0 => MoveRegistry.Moved(move.Id, random.Next(100)),
                1 => MoveRegistry.Cancelling(move.Id),
                _ => MoveRegistry.Ended(move.Id, MoveState.Completed, Some.Number(random), DateTimeOffset.UnixEpoch, Some.OptionalText(random)),
            };
        }
        return MoveRegistry.Started(new Move
        {
            Id = Guid.NewGuid(),
            Source = new QueueName(Some.Namespace(random), Some.Text(random)),
            SourceId = Some.Id(random),
            Target = Some.OptionalText(random),
            MessagesPerSecond = random.NextDouble(),
            Planned = random.Next(100),
            StartedAt = DateTimeOffset.UnixEpoch,
        });
    }
}

internal sealed class ProducerIdSource : StateSource<ProducerIdState>
{
    protected override byte[] Event(ProducerIdState state, Random random) => ProducerIdState.ReservedUpTo(state.Next + 1000).ToArray();
}

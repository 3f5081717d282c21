using Dragoman.Storage.Records;

namespace Dragoman.Broker.Routing.Matching;

/// <summary>The hash of the routing key, divided by the number of targets, leaves the number of the one that gets the message.</summary>
internal sealed class ModulusMatcher : OneOfManyMatcher
{
    public override bool DependsOnHeaders => false;

    public override bool DependsOnKey => true;

    protected override LiveRoute Choose((string Target, LiveRoute Route)[] choices, string routingKey, RecordHeaders headers) =>
        choices[(int)(StableHash.Of(routingKey) % (ulong)choices.Length)].Route;
}

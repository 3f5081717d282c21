using Dragoman.Storage.Records;

namespace Dragoman.Broker.Routing.Matching;

/// <summary>Each message takes a route at random.</summary>
internal sealed class RandomMatcher(Random random) : OneOfManyMatcher
{
    public override bool DependsOnHeaders => false;

    public override bool DependsOnKey => false;

    public override bool Varies => true;

    protected override LiveRoute Choose((string Target, LiveRoute Route)[] choices, string routingKey, RecordHeaders headers) => choices[random.Next(choices.Length)].Route;
}

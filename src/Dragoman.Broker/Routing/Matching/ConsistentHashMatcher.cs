using System.Globalization;
using System.Text;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Routing.Matching;

/// <summary>
/// Messages with the same routing key, or the same value of a header, take the same route, and each route gets a share
/// according to its weight, which is its key. A route that comes takes messages from the others, and one that goes leaves
/// its own to them; nothing else changes (rendezvous hashing: the target whose hash with the message's is the best gets it).
/// </summary>
/// <param name="header">The header; null for the routing key.</param>
internal sealed class ConsistentHashMatcher(byte[]? header) : OneOfManyMatcher
{
    /// <summary>The greatest weight, as RabbitMQ has it.</summary>
    public const int MaxWeight = 100_000;

    private static readonly ulong NoValue = StableHash.Of([]);

    private readonly Dictionary<LiveRoute, (double Weight, ulong Hash)> _shares = new(ReferenceEqualityComparer.Instance);
    private (string Target, LiveRoute Route)[]? _known;

    public override bool DependsOnHeaders => header is not null;

    public override bool DependsOnKey => header is null;

    /// <summary>What is wrong with a key that is to be a weight; null if nothing is.</summary>
    public static string? CheckWeight(string key)
    {
        if (!long.TryParse(key, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var weight)) return $"The binding key must be an integer: {Parameters.TermText.Binary(key)}";
        if (weight < 1) return "The binding key must be greater than 0";
        return weight > MaxWeight ? $"The binding key must not exceed {MaxWeight}" : null;
    }

    protected override LiveRoute Choose((string Target, LiveRoute Route)[] choices, string routingKey, RecordHeaders headers)
    {
        Learn(choices);
        // A message without the header goes with those others that have none.
        var hash = header is null ? StableHash.Of(routingKey) : headers.TryGetLast(header, out var value) ? StableHash.Of(value.Span) : NoValue;
        var best = choices[0].Route;
        var score = double.NegativeInfinity;
        foreach (var (_, route) in choices)
        {
            var (weight, target) = _shares[route];
            // Between 0 and 1, neither included.
            var drawn = ((StableHash.Of(hash, target) >> 11) + 0.5) / (1UL << 53);
            var own = -weight / Math.Log(drawn);
            if (own <= score) continue;
            (best, score) = (route, own);
        }
        return best;
    }

    private void Learn((string Target, LiveRoute Route)[] choices)
    {
        if (ReferenceEquals(_known, choices)) return;
        _known = choices;
        _shares.Clear();
        foreach (var (target, route) in choices)
            _shares[route] = (long.TryParse(route.Route.Key, NumberStyles.None, CultureInfo.InvariantCulture, out var weight) && weight > 0 ? weight : 1, StableHash.Of(Encoding.UTF8.GetBytes(target)));
    }
}

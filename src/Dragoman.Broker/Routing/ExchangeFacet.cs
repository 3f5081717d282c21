using System.Collections.Immutable;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Routing;

/// <summary>How a topic routes what is published to it. Immutable; replaced as a whole.</summary>
public sealed record ExchangeFacet
{
    private const byte Version = 1;

    /// <summary>The type of a topic of which nothing was said: every route gets every message.</summary>
    public static ExchangeFacet Default { get; } = new();

    /// <summary>How routes are matched: see <see cref="ExchangeTypes"/>.</summary>
    public string Type { get; init; } = ExchangeTypes.Fanout;

    /// <summary>Whether it is there after a restart.</summary>
    public bool IsDurable { get; init; } = true;

    /// <summary>Whether it goes with the last of its routes, once it has had one.</summary>
    public bool AutoDelete { get; init; }

    /// <summary>Whether only other topics may publish to it.</summary>
    public bool IsInternal { get; init; }

    /// <summary>The topic that gets what no route takes; null for none.</summary>
    public string? AlternateTopic { get; init; }

    /// <summary>How routes are matched once a message is due, where <see cref="Type"/> is <see cref="ExchangeTypes.Delayed"/>; else as <see cref="Type"/> says.</summary>
    public string MatchedAs => Type == ExchangeTypes.Delayed ? Attributes.GetValueOrDefault(ExchangeTypes.MatchedAsAttribute, ExchangeTypes.Direct) : Type;

    /// <summary>Settings that front ends keep with the topic and give meaning to.</summary>
    public ImmutableSortedDictionary<string, string> Attributes { get; init; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    internal void Write(in SnapshotWriter writer)
    {
        writer.Byte(Version);
        writer.Text(Type);
        writer.Bool(IsDurable);
        writer.Bool(AutoDelete);
        writer.Bool(IsInternal);
        writer.Bool(AlternateTopic is not null);
        if (AlternateTopic is not null) writer.Text(AlternateTopic);
        writer.Int32(Attributes.Count);
        foreach (var (name, value) in Attributes)
        {
            writer.Text(name);
            writer.Text(value);
        }
    }

    internal static ExchangeFacet Read(ref SnapshotReader reader)
    {
        reader.Version(Version, "exchange");
        var facet = new ExchangeFacet
        {
            Type = reader.Text(),
            IsDurable = reader.Bool(),
            AutoDelete = reader.Bool(),
            IsInternal = reader.Bool(),
            AlternateTopic = reader.Bool() ? reader.Text() : null,
        };
        var attributes = facet.Attributes.ToBuilder();
        for (var n = reader.Count(); n > 0; n--) attributes[reader.Text()] = reader.Text();
        return facet with { Attributes = attributes.ToImmutable() };
    }
}

/// <summary>The ways in which routes are matched.</summary>
public static class ExchangeTypes
{
    /// <summary>The routing key is the route's key.</summary>
    public const string Direct = "direct";

    /// <summary>Every route matches.</summary>
    public const string Fanout = "fanout";

    /// <summary>The routing key, words separated by dots, matches the route's pattern, where <c>*</c> is one word and <c>#</c> any number.</summary>
    public const string Topic = "topic";

    /// <summary>Headers of the message match the route's arguments.</summary>
    public const string Headers = "headers";

    /// <summary>
    /// A message that says how long waits so long, in a queue that the topic has for that; then its route is found as one
    /// of the other types says, which <see cref="MatchedAsAttribute"/> names.
    /// </summary>
    public const string Delayed = "x-delayed-message";

    /// <summary>The attribute of a facet that names the type behind <see cref="Delayed"/>.</summary>
    public const string MatchedAsAttribute = "matched-as";

    /// <summary>
    /// Messages of one routing key, or of one value of the header that <see cref="HashOnAttribute"/> names, take the same
    /// route; a route's key is its weight.
    /// </summary>
    public const string ConsistentHash = "x-consistent-hash";

    /// <summary>The hash of the routing key chooses among the routes.</summary>
    public const string ModulusHash = "x-modulus-hash";

    /// <summary>Each message takes a route at random.</summary>
    public const string Random = "x-random";

    /// <summary>The same, of queues of the node that the publisher is connected to; keys are empty.</summary>
    public const string LocalRandom = "x-local-random";

    /// <summary>The attribute of a facet that names the record header that <see cref="ConsistentHash"/> goes by.</summary>
    public const string HashOnAttribute = "hash-on";

    /// <summary>
    /// Every route matches, and the last messages are kept: whoever is bound gets copies of them. A message whose header
    /// <see cref="NoHistoryHeader"/> is <c>true</c> is not kept.
    /// </summary>
    public const string RecentHistory = "x-recent-history";

    /// <summary>The attribute of a facet that says how many messages <see cref="RecentHistory"/> keeps; without it 20.</summary>
    public const string HistoryLengthAttribute = "history-length";

    /// <summary>The header of a message that is not to be kept.</summary>
    public const string NoHistoryHeader = "x-recent-history-no-store";

    internal const string DefaultHistoryLength = "20";

    /// <summary>Whether a type is known.</summary>
    public static bool IsKnown(string type) => type is Direct or Fanout or Topic or Headers or Delayed or ConsistentHash or ModulusHash or Random or LocalRandom or RecentHistory;
}

using System.Collections.Immutable;
using Dragoman.Amqp.Wire;
using Dragoman.Broker.Policies;
using Dragoman.Broker.Subscriptions;

namespace Dragoman.Amqp.Topology;

/// <summary>Arguments of streams and of those who read them (rabbitmq.com, "Streams and Superstreams", "Consuming").</summary>
internal static class StreamArguments
{
    /// <summary>The kind of queue that is a stream.</summary>
    public const string QueueType = "stream";

    private const string Offset = "x-stream-offset";
    private const string Filter = "x-stream-filter";
    private const string MatchUnfiltered = "x-stream-match-unfiltered";
    private const string FilterValue = "x-stream-filter-value";

    /// <summary>Arguments of queues that streams do not have.</summary>
    public static readonly ImmutableArray<string> Foreign =
    [
        "x-expires", "x-message-ttl", "x-dead-letter-exchange", "x-dead-letter-routing-key", "x-dead-letter-strategy", "x-max-length", "x-max-priority", "x-overflow",
        "x-single-active-consumer", "x-delivery-limit", "x-delayed-retry-type", "x-delayed-retry-min", "x-delayed-retry-max",
    ];

    /// <summary>What only streams can have, and other queues therefore refuse.</summary>
    public static readonly ImmutableArray<string> Own = ["x-max-age", "x-stream-max-segment-size-bytes", "x-stream-filter-size-bytes"];

    /// <summary>Where a consumer begins; nothing said is at what comes from now on.</summary>
    /// <param name="arguments">The consumer's arguments.</param>
    /// <param name="queue">The queue, as error texts name it.</param>
    /// <param name="now">The time, in milliseconds since 1970.</param>
    public static ReadFrom ReadFrom(FieldTable arguments, string queue, long now)
    {
        if (!arguments.TryGet(Offset, out var value)) return default;
        if (value.Class == FieldClass.Integer) return new ReadFrom(ReadOrigin.Offset, value.Bits);
        if (value.Type == FieldType.Timestamp) return new ReadFrom(ReadOrigin.Time, Math.Clamp(value.Bits, 0, long.MaxValue / 1000) * 1000);
        if (value.Type != FieldType.LongString) throw Errors.Precondition($"invalid arg '{Offset}' for {queue}: {{unacceptable_type,{value.TypeName}}}");
        return value.Text switch
        {
            "first" => new ReadFrom(ReadOrigin.First),
            "last" => new ReadFrom(ReadOrigin.Last),
            "next" => new ReadFrom(ReadOrigin.Next),
            var text when Spans.ToMilliseconds(text) is { } interval => new ReadFrom(ReadOrigin.Time, Math.Max(0, now - interval)),
            var text => throw Errors.Precondition($"invalid arg '{Offset}' for {queue}: '{text}' is neither first, last, next, an offset, a timestamp nor an interval"),
        };
    }

    /// <summary>Which messages a consumer wants, by the filter value that publishers give them; null for all.</summary>
    /// <param name="arguments">The consumer's arguments.</param>
    /// <param name="queue">The queue, as error texts name it.</param>
    public static HeaderFilter? ReadFilter(FieldTable arguments, string queue)
    {
        if (!arguments.TryGet(Filter, out var value)) return null;
        IReadOnlyList<FieldValue> values = value.Type == FieldType.Array ? value.Items : [value];
        var groups = ImmutableArray.CreateBuilder<ImmutableArray<HeaderCondition>>();
        foreach (var one in values)
        {
            if (one.Type != FieldType.LongString) throw Errors.Precondition($"invalid arg '{Filter}' for {queue}: {{unacceptable_type,{one.TypeName}}}");
            groups.Add([new HeaderCondition(FilterValue, HeaderMatch.Equal, one.Text)]);
        }
        if (arguments.TryGet(MatchUnfiltered, out var unfiltered) && unfiltered is { Type: FieldType.Boolean, Bits: not 0 })
            groups.Add([new HeaderCondition(FilterValue, HeaderMatch.Exists, IsNegated: true)]);
        return new HeaderFilter(groups.ToImmutable());
    }
}

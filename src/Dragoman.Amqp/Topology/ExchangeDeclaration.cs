using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Dragoman.Amqp.Messages;
using Dragoman.Amqp.Wire;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Routing;

namespace Dragoman.Amqp.Topology;

/// <summary>What <c>exchange.declare</c> says of an exchange, and the comparison with what is there.</summary>
internal static class ExchangeDeclaration
{
    /// <summary>The argument that names the exchange for messages that go nowhere.</summary>
    public const string AlternateArgument = "alternate-exchange";

    /// <summary>The argument that names the type behind <c>x-delayed-message</c>.</summary>
    public const string DelayedTypeArgument = "x-delayed-type";

    private const string ArgumentsAttribute = "amqp.arguments";
    private const string UserAttribute = "amqp.user";

    /// <summary>The facet that is declared.</summary>
    /// <param name="type">The type, which must be known.</param>
    /// <param name="isDurable">Whether it is there after a restart.</param>
    /// <param name="autoDelete">Whether it goes with its last binding.</param>
    /// <param name="isInternal">Whether only exchanges publish to it.</param>
    /// <param name="arguments">The arguments.</param>
    /// <param name="exchange">The exchange, as error texts name it.</param>
    /// <exception cref="ChannelException">An argument has a value that it cannot have.</exception>
    public static ExchangeFacet ToFacet(string type, bool isDurable, bool autoDelete, bool isInternal, FieldTable arguments, string exchange)
    {
        string? alternate = null;
        if (arguments.TryGet(AlternateArgument, out var value))
            alternate = value.Type == FieldType.LongString ? value.Text : throw Errors.Precondition($"invalid type '{value.TypeName}' for arg '{AlternateArgument}' in {exchange}");
        var attributes = ImmutableSortedDictionary.CreateRange(StringComparer.Ordinal, [KeyValuePair.Create(ArgumentsAttribute, Attributes.WriteTable(arguments))]);
        if (type == ExchangeTypes.Delayed) attributes = attributes.Add(ExchangeTypes.MatchedAsAttribute, DelayedType(arguments));
        if ((type == ExchangeTypes.ConsistentHash || attributes.GetValueOrDefault(ExchangeTypes.MatchedAsAttribute) == ExchangeTypes.ConsistentHash) && HashHeader(arguments) is { } header) attributes = attributes.Add(ExchangeTypes.HashOnAttribute, header);
        if ((type == ExchangeTypes.RecentHistory || attributes.GetValueOrDefault(ExchangeTypes.MatchedAsAttribute) == ExchangeTypes.RecentHistory) && HistoryLength(arguments) is { } length)
            attributes = attributes.Add(ExchangeTypes.HistoryLengthAttribute, length.ToString(CultureInfo.InvariantCulture));
        return new ExchangeFacet
        {
            Type = type,
            IsDurable = isDurable,
            AutoDelete = autoDelete,
            IsInternal = isInternal,
            AlternateTopic = alternate,
            Attributes = attributes,
        };
    }

    private static string DelayedType(FieldTable arguments)
    {
        if (!arguments.TryGet(DelayedTypeArgument, out var value) || value.Type != FieldType.LongString) throw Errors.Precondition("Invalid argument, 'x-delayed-type' must be an existing exchange type");
        if (value.Text == ExchangeTypes.Delayed) throw Errors.Precondition("Invalid argument, 'x-delayed-message' can't be used for 'x-delayed-type'");
        return ExchangeTypes.IsKnown(value.Text) ? value.Text : throw Errors.Precondition($"unknown exchange type '{value.Text}'");
    }

    /// <summary>The record header whose hash chooses the route; null for the routing key.</summary>
    private static string? HashHeader(FieldTable arguments)
    {
        var header = TextOf(arguments, "hash-header");
        var property = TextOf(arguments, "hash-property");
        if (header is not null && property is not null) throw Errors.Precondition("hash-header and hash-property are mutually exclusive");
        if (header is not null) return FreeHeaders.NeedsEscape(Encoding.UTF8.GetBytes(header)) ? Encoding.UTF8.GetString(FreeHeaders.Escape) + header : header;
        return property switch
        {
            null => null,
            "message_id" => Encoding.UTF8.GetString(CanonicalHeaders.MessageId),
            "correlation_id" => Encoding.UTF8.GetString(CanonicalHeaders.CorrelationId),
            "timestamp" => Encoding.UTF8.GetString(AmqpHeaders.Timestamp),
            _ => throw Errors.Precondition($"Unsupported property: {property}"),
        };
    }

    /// <summary>How many messages are kept; null for as many as nothing said is.</summary>
    private static long? HistoryLength(FieldTable arguments)
    {
        if (!arguments.TryGet("x-recent-history-length", out var value)) return null;
        return value.Class == FieldClass.Integer && value.Bits > 0 ? value.Bits : throw Errors.Precondition("Invalid argument, 'x-recent-history-length' must be a positive integer");
    }

    private static string? TextOf(FieldTable arguments, string name)
    {
        if (!arguments.TryGet(name, out var value)) return null;
        return value.Type == FieldType.LongString ? value.Text : throw Errors.Precondition($"invalid type '{value.TypeName}' for arg '{name}'");
    }

    /// <summary>The same facet, with the user who declares it.</summary>
    public static ExchangeFacet By(ExchangeFacet facet, string user) => facet with { Attributes = facet.Attributes.SetItem(UserAttribute, user) };

    /// <summary>Who declared an exchange; null if that was not AMQP.</summary>
    public static string? UserOf(ExchangeFacet facet) => facet.Attributes.GetValueOrDefault(UserAttribute);

    /// <summary>The arguments that an exchange was declared with.</summary>
    public static FieldTable ArgumentsOf(ExchangeFacet facet) => Attributes.ReadTable(facet.Attributes.GetValueOrDefault(ArgumentsAttribute));

    /// <summary>Checks that the exchange that is there is the one that is declared.</summary>
    /// <exception cref="ChannelException">It is another.</exception>
    public static void CheckSame(ExchangeFacet existing, ExchangeFacet declared, string exchange)
    {
        Equivalence.Check("type", existing.Type, declared.Type, exchange);
        Equivalence.Check("durable", existing.IsDurable, declared.IsDurable, exchange);
        Equivalence.Check("auto_delete", existing.AutoDelete, declared.AutoDelete, exchange);
        Equivalence.Check("internal", existing.IsInternal, declared.IsInternal, exchange);
        Equivalence.Check(AlternateArgument, ArgumentsOf(existing), ArgumentsOf(declared), exchange);
    }
}

using Dragoman.Amqp.Wire;
using Dragoman.Broker.Messages;

namespace Dragoman.Amqp.Messages;

/// <summary>The history of a message's dead-lettering as RabbitMQ shows it: <c>x-death</c>, and the first and last of it in headers of their own.</summary>
internal static class DeathTable
{
    /// <summary>Writes the fields to a headers table.</summary>
    public static void Write(scoped WireWriter table, IReadOnlyList<Death> deaths)
    {
        if (deaths.Count == 0) return;
        var items = new List<FieldValue>(deaths.Count);
        foreach (var death in deaths) items.Add(FieldValue.OfTable(Entry(death)));
        table.ShortString("x-death"u8);
        table.Value(FieldValue.OfArray(items));
        // Newest first, so the oldest is the last.
        Summary(table, "x-first-death", deaths[^1]);
        Summary(table, "x-last-death", deaths[0]);
    }

    private static FieldTable Entry(Death death)
    {
        var fields = new List<KeyValuePair<string, FieldValue>>
        {
            new("count", FieldValue.OfInt64(death.Count)),
            new("reason", FieldValue.OfText(Reason(death.Reason))),
            new("queue", FieldValue.OfText(death.Queue)),
            new("time", FieldValue.OfTimestamp(death.FirstTime / 1000)),
            new("exchange", FieldValue.OfText(death.Topic)),
            new("routing-keys", FieldValue.OfArray([.. death.RoutingKeys.Select(FieldValue.OfText)])),
        };
        if (death.OriginalLifetimeMs >= 0)
            fields.Add(new("original-expiration", FieldValue.OfText(death.OriginalLifetimeMs.ToString(System.Globalization.CultureInfo.InvariantCulture))));
        return new FieldTable(fields);
    }

    private static void Summary(WireWriter table, string prefix, Death death)
    {
        table.ShortString($"{prefix}-exchange");
        table.Value(FieldValue.OfText(death.Topic));
        table.ShortString($"{prefix}-queue");
        table.Value(FieldValue.OfText(death.Queue));
        table.ShortString($"{prefix}-reason");
        table.Value(FieldValue.OfText(Reason(death.Reason)));
    }

    private static string Reason(DeathReason reason) => reason switch
    {
        DeathReason.Rejected => "rejected",
        DeathReason.Expired => "expired",
        DeathReason.MaxLength => "maxlen",
        _ => "delivery_limit",
    };
}

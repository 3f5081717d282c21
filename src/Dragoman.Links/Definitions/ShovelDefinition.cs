using System.Text.Json;
using Dragoman.Amqp.Wire;
using Dragoman.Broker.Namespaces;
using Dragoman.Links.Messages;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Links.Definitions;

/// <summary>When a shovel acknowledges what it has taken.</summary>
internal enum AckMode
{
    /// <summary>When the target has it for sure.</summary>
    OnConfirm,

    /// <summary>When it was sent to the target.</summary>
    OnPublish,

    /// <summary>When it arrives.</summary>
    NoAck,
}

/// <summary>One end of a shovel or of a federation link.</summary>
internal sealed record EndDefinition
{
    /// <summary>The brokers to choose from.</summary>
    public required IReadOnlyList<AmqpUri> Uris { get; init; }

    /// <summary>The queue, if it is one.</summary>
    public string? Queue { get; init; }

    /// <summary>What to declare the queue with if it is not there.</summary>
    public FieldTable QueueArguments { get; init; } = FieldTable.Empty;

    /// <summary>Whether the queue has to be there already.</summary>
    public bool IsPredeclared { get; init; }

    /// <summary>The exchange, if it is one.</summary>
    public string? Exchange { get; init; }

    /// <summary>The routing key: of the binding at a source, to publish with at a target.</summary>
    public string? Key { get; init; }

    /// <summary>Whether it is this broker.</summary>
    public bool IsLocal => Uris[0].IsLocal;
}

/// <summary>A dynamic shovel: the runtime parameter <c>shovel</c> (rabbitmq.com, "Configuring Dynamic Shovels").</summary>
internal sealed record ShovelDefinition
{
    private const int DefaultPrefetch = 1000;

    /// <summary>Where messages come from.</summary>
    public required EndDefinition Source { get; init; }

    /// <summary>Where they go.</summary>
    public required EndDefinition Target { get; init; }

    /// <summary>The arguments of the consumer.</summary>
    public FieldTable ConsumerArguments { get; init; } = FieldTable.Empty;

    /// <summary>Messages under way at once.</summary>
    public int Prefetch { get; init; } = DefaultPrefetch;

    /// <summary>Messages after which the shovel has done its work; -1 for never, and <see cref="QueueLength"/> for as many as there are at the start.</summary>
    public long DeleteAfter { get; init; } = -1;

    /// <summary>As many as the source holds when the shovel starts.</summary>
    public const long QueueLength = -2;

    /// <summary>Properties that messages get.</summary>
    public IReadOnlyList<KeyValuePair<string, JsonElement>> Properties { get; init; } = [];

    /// <summary>Whether messages say which way they have come.</summary>
    public bool AddsForwardHeaders { get; init; }

    /// <summary>Whether messages say when they came.</summary>
    public bool AddsTimestamp { get; init; }

    /// <summary>When messages are acknowledged.</summary>
    public AckMode AckMode { get; init; }

    /// <summary>How long to wait before it is tried again.</summary>
    public TimeSpan ReconnectDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The namespaces of this broker that it takes messages from or brings them to.</summary>
    public IReadOnlyList<NamespaceName> LocalSpaces =>
        [.. Source.Uris.Concat(Target.Uris).Where(static u => u.IsLocal).Select(static u => VirtualHosts.ToNamespace(u.VirtualHost ?? VirtualHosts.Default)).OfType<NamespaceName>().Distinct()];

    /// <summary>Reads a parameter's value.</summary>
    /// <param name="name">The parameter's name.</param>
    /// <param name="value">The value.</param>
    /// <param name="problems">Takes what is wrong, in RabbitMQ's words.</param>
    /// <returns>The definition; null if something is wrong.</returns>
    public static ShovelDefinition? Read(string name, JsonElement value, List<string> problems)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            problems.Add($"{name} not a list {ParameterReader.Term(value)}");
            return null;
        }
        var reader = new ParameterReader(name, value, problems);
        foreach (var side in new[] { "src", "dest" })
        {
            if (reader.Choice($"{side}-protocol", "amqp091", "amqp10", "local") != "amqp10") continue;
            problems.Add($"{side}-protocol amqp10 is not supported: links speak AMQP 0-9-1");
        }
        var source = ReadSource(reader);
        var target = ReadTarget(reader);
        if ((source.Queue, source.Exchange) is (null, null)) problems.Insert(0, "Must specify 'src-exchange' or 'src-queue'");
        if (source is { Queue: not null, Exchange: not null }) problems.Insert(0, "Cannot specify 'src-exchange' and 'src-queue'");
        if (target is { Queue: not null, Exchange: not null }) problems.Insert(0, "Cannot specify 'dest-exchange' and 'dest-queue'");
        CheckLocal(source, "src-uri", problems);
        CheckLocal(target, "dest-uri", problems);
        var mode = reader.Choice("ack-mode", "no-ack", "on-publish", "on-confirm") switch { "no-ack" => AckMode.NoAck, "on-publish" => AckMode.OnPublish, _ => AckMode.OnConfirm };
        var deleteAfter = ReadDeleteAfter(reader, problems);
        if (deleteAfter >= 0 && mode == AckMode.NoAck) problems.Insert(0, "Cannot specify 'no-ack' and numerical 'delete-after'");
        reader.Flag("internal");
        reader.Any("internal_owner");
        reader.Text("src-consumer-name");
        var prefetch = reader.Number("prefetch-count");
        prefetch = reader.Number("src-prefetch-count") ?? prefetch ?? DefaultPrefetch;
        var legacyForward = reader.Flag("add-forward-headers");
        var legacyTimestamp = reader.Flag("add-timestamp-header");
        var legacyProperties = reader.Table("publish-properties");
        var definition = new ShovelDefinition
        {
            Source = source,
            Target = target,
            ConsumerArguments = Fields.FromJson(reader.Table("src-consumer-args") ?? []),
            // 0 is no limit, which a link has all the same.
            Prefetch = prefetch is >= 1 and <= ushort.MaxValue ? (int)prefetch : prefetch > ushort.MaxValue ? ushort.MaxValue : DefaultPrefetch,
            DeleteAfter = deleteAfter,
            Properties = reader.Table("dest-publish-properties") ?? legacyProperties ?? [],
            AddsForwardHeaders = reader.Flag("dest-add-forward-headers") ?? legacyForward ?? false,
            AddsTimestamp = reader.Flag("dest-add-timestamp-header") ?? legacyTimestamp ?? false,
            AckMode = mode,
            ReconnectDelay = TimeSpan.FromSeconds(Math.Clamp(reader.Number("reconnect-delay") ?? 5, 0, 86_400)),
        };
        PublishedProperties.Check("dest-publish-properties", definition.Properties, problems);
        reader.End();
        return problems.Count == 0 ? definition : null;
    }

    private static EndDefinition ReadSource(ParameterReader reader) => new()
    {
        Uris = reader.Uris("src-uri"),
        Queue = reader.Text("src-queue"),
        QueueArguments = Fields.FromJson(reader.Table("src-queue-args") ?? []),
        IsPredeclared = reader.Flag("src-predeclared") ?? false,
        Exchange = reader.Text("src-exchange"),
        Key = reader.Text("src-exchange-key"),
    };

    private static EndDefinition ReadTarget(ParameterReader reader) => new()
    {
        Uris = reader.Uris("dest-uri"),
        Queue = reader.Text("dest-queue"),
        QueueArguments = Fields.FromJson(reader.Table("dest-queue-args") ?? []),
        IsPredeclared = reader.Flag("dest-predeclared") ?? false,
        Exchange = reader.Text("dest-exchange"),
        Key = reader.Text("dest-exchange-key"),
    };

    private static void CheckLocal(EndDefinition end, string key, List<string> problems)
    {
        if (end.Uris.Any(u => u.IsLocal) && end.Uris.Any(u => !u.IsLocal)) problems.Add($"{key} should name either this broker or others, not both");
    }

    private static long ReadDeleteAfter(ParameterReader reader, List<string> problems)
    {
        var legacy = reader.Any("delete-after");
        if ((reader.Any("src-delete-after") ?? legacy) is not { } value) return -1;
        switch (value.ValueKind)
        {
            case JsonValueKind.String when value.GetString() == "never":
                return -1;
            case JsonValueKind.String when value.GetString() == "queue-length":
                return QueueLength;
            case JsonValueKind.Number when value.TryGetInt64(out var count) && count >= 0:
                return count;
            default:
                problems.Add($"src-delete-after should be a number greater than or equal to 0, \"never\" or \"queue-length\", actually was {ParameterReader.Term(value)}");
                return -1;
        }
    }
}

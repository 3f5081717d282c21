using System.Collections.Immutable;
using System.Globalization;
using Dragoman.Amqp.Wire;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Policies;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;
using Dragoman.Protocols.RabbitMq;
using Dragoman.Storage.Log;

namespace Dragoman.Amqp.Topology;

/// <summary>
/// What <c>queue.declare</c> says of a queue: turned into the broker's settings, kept with the queue, and compared when
/// the queue is declared again (rabbitmq.com, "Queues", "Optional Arguments").
/// </summary>
internal sealed record QueueDeclaration
{
    /// <summary>The argument that chooses the kind of queue.</summary>
    public const string TypeArgument = "x-queue-type";

    /// <summary>The argument that says how long messages of the queue may be held, in milliseconds.</summary>
    public const string ConsumerTimeoutArgument = "x-consumer-timeout";

    private const string DurableAttribute = "amqp.durable";
    private const string ExclusiveAttribute = "amqp.exclusive";
    private const string AutoDeleteAttribute = "amqp.auto-delete";
    private const string ArgumentsAttribute = "amqp.arguments";

    // RabbitMQ's since 4.0; before, quorum queues had none.
    private const int DefaultDeliveryLimit = 20;

    /// <summary>Whether it is there after a restart.</summary>
    public bool IsDurable { get; init; }

    /// <summary>Whether it belongs to the connection.</summary>
    public bool IsExclusive { get; init; }

    /// <summary>Whether it goes with its last consumer.</summary>
    public bool AutoDelete { get; init; }

    /// <summary>The arguments as they came.</summary>
    public FieldTable Arguments { get; init; } = FieldTable.Empty;

    /// <summary>The kind of queue.</summary>
    public string Type => Arguments.TryGet(TypeArgument, out var type) && type.Type == FieldType.LongString ? type.Text : "classic";

    /// <summary>What was declared of a queue. One that AMQP did not declare counts as declared with what it has.</summary>
    public static QueueDeclaration Of(QueueSettings settings)
    {
        if (!settings.Attributes.TryGetValue(DurableAttribute, out var durable))
            return new QueueDeclaration { IsDurable = settings.IsDurable, AutoDelete = settings.AutoDelete };
        return new QueueDeclaration
        {
            IsDurable = durable == "true",
            IsExclusive = settings.Attributes.GetValueOrDefault(ExclusiveAttribute) == "true",
            AutoDelete = settings.Attributes.GetValueOrDefault(AutoDeleteAttribute) == "true",
            Arguments = Attributes.ReadTable(settings.Attributes.GetValueOrDefault(ArgumentsAttribute)),
        };
    }

    /// <summary>Whether AMQP declared a queue.</summary>
    public static bool IsDeclared(QueueSettings settings) => settings.Attributes.ContainsKey(DurableAttribute);

    /// <summary>The declaration as the virtual host completes it: where nothing is said of the type, it may say which, if that can be.</summary>
    public QueueDeclaration In(Broker.Broker broker, NamespaceName space)
    {
        if (Arguments.TryGet(TypeArgument, out _) || broker.Namespaces.Find(space)?.Attributes.GetValueOrDefault(VirtualHosts.DefaultQueueTypeAttribute) is not { } type) return this;
        var fits = type switch { "quorum" => IsDurable && !IsExclusive && !AutoDelete, StreamArguments.QueueType => IsDurable && !IsExclusive && !AutoDelete, _ => true };
        return fits ? this with { Arguments = Arguments.With(TypeArgument, FieldValue.OfText(type)) } : this;
    }

    /// <summary>The broker's settings for it.</summary>
    /// <param name="queue">The queue, as error texts name it.</param>
    /// <exception cref="ChannelException">An argument has a value that it cannot have.</exception>
    public QueueSettings ToSettings(string queue)
    {
        var arguments = new ArgumentReader(Arguments, queue);
        var isQuorum = Type == "quorum";
        if (Type is not ("classic" or "quorum" or "stream")) throw arguments.Invalid(TypeArgument, $"\"unsupported queue type '{Type}'\"");
        if (isQuorum && !IsDurable) throw Errors.Precondition($"invalid property 'non-durable' for {queue}");
        if (isQuorum && IsExclusive) throw Errors.Precondition($"invalid property 'exclusive-owner' for {queue}");
        if (Type == StreamArguments.QueueType) return ToStreamSettings(arguments, queue);
        // It would do nothing, and whoever asks for it believes that it does.
        foreach (var name in StreamArguments.Own)
            if (Has(name)) throw NotOfType(name, queue);
        if (!isQuorum && Has("x-delivery-limit")) throw NotOfType("x-delivery-limit", queue);
        var minBackOff = arguments.Number("x-delayed-retry-min") ?? 0;
        var strategy = arguments.Text("x-dead-letter-strategy");
        if (strategy is not (null or "at-most-once" or "at-least-once")) throw arguments.Invalid("x-dead-letter-strategy", "invalid_dlx_strategy");
        return new QueueSettings
        {
            // What belongs to a connection cannot outlast it.
            IsDurable = IsDurable && !IsExclusive,
            AutoDelete = AutoDelete,
            MaxPriority = (int)(arguments.Number("x-max-priority", most: 255) ?? 0),
            MaxLength = arguments.Number("x-max-length") ?? -1,
            MaxLengthBytes = arguments.Number("x-max-length-bytes") ?? -1,
            Overflow = arguments.Text("x-overflow") switch
            {
                null or "drop-head" => Overflow.DropHead,
                "reject-publish" => Overflow.Reject,
                "reject-publish-dlx" => Overflow.RejectDeadLetter,
                var other => throw arguments.Invalid("x-overflow", $"{{invalid_overflow,<<\"{other}\">>}}"),
            },
            Kind = isQuorum ? QueueKind.Quorum : QueueKind.Classic,
            Explicit = (Has("x-overflow") ? ExplicitSettings.Overflow : 0) | (Has("x-delivery-limit") ? ExplicitSettings.DeliveryLimit : 0) | (strategy is null ? 0 : ExplicitSettings.DeadLetterStrategy),
            ConsumerTimeoutMs = arguments.Number(ConsumerTimeoutArgument) ?? -1,
            ExpiresAfterMs = arguments.Number("x-expires", least: 1) ?? -1,
            Subscription = new SubscriptionSettings
            {
                Dispatch = arguments.Flag("x-single-active-consumer") ? DispatchMode.Failover : DispatchMode.Shared,
                // A limit of deliveries that fail is one more delivery in all.
                MaxDeliveries = isQuorum ? DeliveryLimit(arguments) is >= 0 and var limit ? limit + 1 : -1 : -1,
                DeadLetter = DeadLetter(arguments, queue),
                KeepsDeadLetters = isQuorum && strategy == "at-least-once",
                MessageLifetimeMs = arguments.Number("x-message-ttl") ?? -1,
                Expiry = ExpiryScope.Head,
                MinBackOffMs = minBackOff,
                MaxBackOffMs = arguments.Number("x-delayed-retry-max") ?? minBackOff,
                BackOff = BackOffGrowth.Linear,
                BackOffScope = RetryScope(arguments),
            },
            Attributes = ToAttributes(),
        };
    }

    private QueueSettings ToStreamSettings(ArgumentReader arguments, string queue)
    {
        if (!IsDurable) throw Errors.Precondition($"invalid property 'non-durable' for {queue}");
        if (IsExclusive) throw Errors.Precondition($"invalid property 'exclusive-owner' for {queue}");
        if (AutoDelete) throw Errors.Precondition($"invalid property 'auto-delete' for {queue}");
        foreach (var name in StreamArguments.Foreign)
            if (Has(name)) throw NotOfType(name, queue);
        var maxAge = -1L;
        if (arguments.Text("x-max-age") is { } text) maxAge = Spans.ToMilliseconds(text) ?? throw arguments.Invalid("x-max-age", "invalid_max_age");
        return new QueueSettings
        {
            Kind = QueueKind.Stream,
            Retention = new LogRetention(maxAge, arguments.Number("x-max-length-bytes", most: long.MaxValue) ?? -1),
            Attributes = ToAttributes(),
        };
    }

    private ImmutableSortedDictionary<string, string> ToAttributes() => ImmutableSortedDictionary.CreateRange(StringComparer.Ordinal,
    [
        KeyValuePair.Create(DurableAttribute, IsDurable ? "true" : "false"),
        KeyValuePair.Create(ExclusiveAttribute, IsExclusive ? "true" : "false"),
        KeyValuePair.Create(AutoDeleteAttribute, AutoDelete ? "true" : "false"),
        KeyValuePair.Create(ArgumentsAttribute, Attributes.WriteTable(Arguments)),
    ]);

    /// <summary>Checks that the queue that is there is the one that is declared.</summary>
    /// <param name="existing">What was declared.</param>
    /// <param name="queue">The queue, as error texts name it.</param>
    /// <exception cref="ChannelException">It is another.</exception>
    public void CheckSame(QueueDeclaration existing, string queue)
    {
        Equivalence.Check("durable", existing.IsDurable, IsDurable, queue);
        Equivalence.Check("auto_delete", existing.AutoDelete, AutoDelete, queue);
        // The type of which nothing is said is classic.
        if (existing.Type != Type) Equivalence.Check(TypeArgument, existing.Arguments, Arguments, queue);
        foreach (var name in Compared) Equivalence.Check(name, existing.Arguments, Arguments, queue);
    }

    private static readonly string[] Compared =
    [
        "x-expires", "x-message-ttl", "x-dead-letter-exchange", "x-dead-letter-routing-key", "x-max-length", "x-max-length-bytes", "x-max-priority",
        "x-overflow", "x-single-active-consumer", "x-delivery-limit", "x-max-age", "x-stream-max-segment-size-bytes", "x-dead-letter-strategy",
        "x-delayed-retry-type", "x-delayed-retry-min", "x-delayed-retry-max",
    ];

    private ChannelException NotOfType(string argument, string queue) => Errors.Precondition($"invalid arg '{argument}' for {queue} of queue type rabbit_{Type}_queue");

    private bool Has(string argument) => Arguments.TryGet(argument, out _);

    /// <summary>Which messages that come back wait; RabbitMQ has none wait unless it is told which.</summary>
    private static BackOffScope RetryScope(ArgumentReader arguments) => arguments.Text("x-delayed-retry-type") switch
    {
        "all" => BackOffScope.All,
        "failed" => BackOffScope.Failed,
        "returned" => BackOffScope.Returned,
        null or "disabled" => BackOffScope.None,
        _ => throw arguments.Invalid("x-delayed-retry-type", "invalid_delayed_retry_type"),
    };

    private static int DeliveryLimit(ArgumentReader arguments) => (int)(arguments.Number("x-delivery-limit", least: -1, most: int.MaxValue - 1) ?? DefaultDeliveryLimit);

    private static DeadLetterTarget? DeadLetter(ArgumentReader arguments, string queue)
    {
        var exchange = arguments.Text("x-dead-letter-exchange");
        var routingKey = arguments.Text("x-dead-letter-routing-key");
        if (exchange is null && routingKey is not null)
            throw Errors.Precondition($"invalid arg 'x-dead-letter-routing-key' for {queue}: routing_key_but_no_dlx_defined");
        return exchange is null ? null : new DeadLetterTarget(null, exchange, routingKey);
    }

    /// <summary>Reads arguments, in RabbitMQ's words where they are wrong.</summary>
    private readonly struct ArgumentReader(FieldTable table, string queue)
    {
        public long? Number(string name, long least = 0, long most = long.MaxValue)
        {
            if (!table.TryGet(name, out var value)) return null;
            if (value.Class != FieldClass.Integer) throw Invalid(name, $"{{unacceptable_type,{value.TypeName}}}");
            if (value.Bits < least) throw Invalid(name, value.Bits < 0 ? $"{{value_negative,{Text(value.Bits)}}}" : $"{{value_zero,{Text(value.Bits)}}}");
            if (value.Bits > most) throw Invalid(name, $"{{{(name == "x-max-priority" ? "max_value_exceeded" : "value_too_big")},{Text(value.Bits)}}}");
            // RabbitMQ takes any number; there are frameworks with queues that hold messages back for years.
            return Math.Min(value.Bits, SubscriptionSettings.MostMilliseconds);
        }

        public string? Text(string name)
        {
            if (!table.TryGet(name, out var value)) return null;
            return value.Type == FieldType.LongString ? value.Text : throw Invalid(name, $"{{unacceptable_type,{value.TypeName}}}");
        }

        public bool Flag(string name)
        {
            if (!table.TryGet(name, out var value)) return false;
            return value.Type == FieldType.Boolean ? value.Bits != 0 : throw Invalid(name, $"{{unacceptable_type,{value.TypeName}}}");
        }

        public ChannelException Invalid(string name, string why) => Errors.Precondition($"invalid arg '{name}' for {queue}: {why}");

        private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
    }
}

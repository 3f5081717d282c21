using System.Text.Json;
using Dragoman.Links.Definitions;

namespace Dragoman.Links.Federation;

/// <summary>
/// A broker that exchanges and queues here can federate with: the runtime parameter <c>federation-upstream</c>, and what an
/// entry of <c>federation-upstream-set</c> says otherwise (rabbitmq.com, "Federation Reference").
/// </summary>
internal sealed record UpstreamDefinition
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>The brokers to choose from.</summary>
    public IReadOnlyList<AmqpUri> Uris { get; init; } = [];

    /// <summary>The exchange there; null for one of the same name.</summary>
    public string? Exchange { get; init; }

    /// <summary>The queue there; null for one of the same name.</summary>
    public string? Queue { get; init; }

    /// <summary>The tag of the consumer there.</summary>
    public string ConsumerTag => Tag ?? $"federation-link-{Name}";

    /// <summary>Messages under way at once.</summary>
    public int Prefetch { get; init; } = 1000;

    /// <summary>How long to wait before it is tried again.</summary>
    public TimeSpan ReconnectDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Over how many federation links a message goes at most.</summary>
    public int MaxHops { get; init; } = 1;

    /// <summary>When the queue there goes that nobody consumes from, in milliseconds; null for never.</summary>
    public long? ExpiresMs { get; init; }

    /// <summary>How long messages wait there for the link, in milliseconds; null for ever.</summary>
    public long? MessageLifetimeMs { get; init; }

    /// <summary>Whether the user that a message names is kept.</summary>
    public bool TrustsUserId { get; init; }

    /// <summary>When messages are acknowledged.</summary>
    public AckMode AckMode { get; init; }

    /// <summary>The type of the queue there that gathers messages for a federated exchange.</summary>
    public string QueueType { get; init; } = "classic";

    /// <summary>Whether what the link has there stays when it ends.</summary>
    public bool KeepsResources { get; init; }

    private string? Tag { get; init; }

    /// <summary>Reads the value of a <c>federation-upstream</c>.</summary>
    public static UpstreamDefinition? Read(string name, JsonElement value, List<string> problems)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            problems.Add($"{name} not a list {ParameterReader.Term(value)}");
            return null;
        }
        var reader = new ParameterReader(name, value, problems);
        var uris = reader.Uris("uri");
        if (uris.Any(u => u.IsLocal)) problems.Add("uri should name another broker: an exchange or queue of this one needs no upstream");
        var definition = With(new UpstreamDefinition { Name = name, Uris = uris }, reader);
        reader.End();
        return problems.Count == 0 ? definition : null;
    }

    /// <summary>Checks the value of a <c>federation-upstream-set</c>.</summary>
    public static void CheckSet(string name, JsonElement value, List<string> problems)
    {
        if (value.ValueKind != JsonValueKind.Array)
        {
            problems.Add($"{name} not a list {ParameterReader.Term(value)}");
            return;
        }
        foreach (var item in value.EnumerateArray()) ReadSetItem(name, item, static upstream => new UpstreamDefinition { Name = upstream }, problems);
    }

    /// <summary>Reads an entry of a <c>federation-upstream-set</c>.</summary>
    /// <param name="name">The set's name.</param>
    /// <param name="item">The entry.</param>
    /// <param name="find">Finds an upstream; null if there is none.</param>
    /// <param name="problems">Takes what is wrong.</param>
    public static UpstreamDefinition? ReadSetItem(string name, JsonElement item, Func<string, UpstreamDefinition?> find, List<string> problems)
    {
        if (item.ValueKind != JsonValueKind.Object)
        {
            problems.Add($"{name} not a list {ParameterReader.Term(item)}");
            return null;
        }
        var reader = new ParameterReader(name, item, problems);
        if (reader.Text("upstream") is not { } upstream)
        {
            problems.Add($"Key \"upstream\" not found in {name}");
            return null;
        }
        var definition = find(upstream);
        if (definition is not null) definition = With(definition, reader);
        return definition;
    }

    private static UpstreamDefinition With(UpstreamDefinition before, ParameterReader reader)
    {
        reader.Flag("bind-nowait");
        reader.Choice("channel-use-mode", "multiple", "single");
        return before with
        {
            Exchange = reader.Text("exchange") ?? before.Exchange,
            Queue = reader.Text("queue") ?? before.Queue,
            Tag = reader.Text("consumer-tag") ?? before.Tag,
            Prefetch = reader.Number("prefetch-count") is { } prefetch ? (int)Math.Clamp(prefetch, 1, ushort.MaxValue) : before.Prefetch,
            ReconnectDelay = reader.Number("reconnect-delay") is { } delay ? TimeSpan.FromSeconds(Math.Clamp(delay, 0.1, 86_400)) : before.ReconnectDelay,
            MaxHops = reader.Number("max-hops") is { } hops ? (int)Math.Clamp(hops, 1, 1000) : before.MaxHops,
            ExpiresMs = (long?)reader.Number("expires") ?? before.ExpiresMs,
            MessageLifetimeMs = (long?)reader.Number("message-ttl") ?? before.MessageLifetimeMs,
            TrustsUserId = reader.Flag("trust-user-id") ?? before.TrustsUserId,
            AckMode = reader.Choice("ack-mode", "no-ack", "on-publish", "on-confirm") switch { "no-ack" => AckMode.NoAck, "on-publish" => AckMode.OnPublish, "on-confirm" => AckMode.OnConfirm, _ => before.AckMode },
            KeepsResources = reader.Choice("resource-cleanup-mode", "default", "never") switch { "never" => true, "default" => false, _ => before.KeepsResources },
            QueueType = reader.Choice("queue-type", "classic", "quorum") ?? before.QueueType,
        };
    }
}

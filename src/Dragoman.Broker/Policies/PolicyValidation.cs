using System.Collections.Frozen;
using System.Text.Json;
using System.Text.RegularExpressions;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Parameters;
using Dragoman.Broker.Queues;

namespace Dragoman.Broker.Policies;

/// <summary>
/// What a policy may say, and how RabbitMQ says that it may not: the keys, values and texts of its <c>rabbit_policies</c>,
/// <c>rabbit_quorum_queue</c> and the federation plugin.
/// </summary>
internal static class PolicyValidation
{
    private const long MaxSegmentBytes = 3_000_000_000;

    /// <summary>Whether a value is right, and what is wrong if it is not; the value comes before the text.</summary>
    private sealed record Rule(Func<JsonElement, bool> IsValid, string Otherwise);

    private static readonly FrozenDictionary<string, Rule> Rules = new Dictionary<string, Rule>(StringComparer.Ordinal)
    {
        ["alternate-exchange"] = new(IsText, "is not a valid alternate exchange name"),
        ["consumer-disconnected-timeout"] = new(AtLeast(0), "is not a valid consumer disconnected timeout"),
        ["consumer-timeout"] = new(AtLeast(0), "is not a valid consumer timeout"),
        ["dead-letter-exchange"] = new(IsText, "is not a valid dead letter exchange name"),
        ["dead-letter-routing-key"] = new(IsText, "is not a valid dead letter routing key"),
        ["dead-letter-strategy"] = new(OneOf("at-most-once", "at-least-once"), "is not a valid dead letter strategy"),
        ["message-ttl"] = new(AtLeast(0), "is not a valid message TTL"),
        ["expires"] = new(AtLeast(1), "is not a valid queue expiry"),
        ["max-length"] = new(AtLeast(0), "is not a valid maximum length"),
        ["max-length-bytes"] = new(AtLeast(0), "is not a valid maximum length in bytes"),
        ["max-in-memory-length"] = new(AtLeast(0), "is not a valid maximum memory in bytes"),
        ["max-in-memory-bytes"] = new(AtLeast(0), "is not a valid maximum memory in bytes"),
        ["queue-mode"] = new(OneOf("default", "lazy"), "is not a valid queue-mode value"),
        ["queue-version"] = new(static v => IsWhole(v, out var number) && number is 1 or 2, "is not a valid queue-version value"),
        ["overflow"] = new(OneOf("drop-head", "reject-publish", "reject-publish-dlx"), "is not a valid overflow value"),
        ["delivery-limit"] = new(AtLeast(long.MinValue), "is not a valid delivery limit"),
        ["max-age"] = new(static v => IsText(v) && Spans.ToMilliseconds(v.GetString()!) > 0, "is not a valid max age"),
        ["stream-max-segment-size-bytes"] = new(static v => IsWhole(v, out var number) && number is >= 0 and <= MaxSegmentBytes, "is not a valid segment size"),
        ["stream-filter-size-bytes"] = new(static v => IsWhole(v, out var number) && number is >= 16 and <= 255, "is not a valid filter size. Valid range is 16-255"),
        ["queue-leader-locator"] = new(OneOf("client-local", "balanced", "random", "least-leaders"), "is not a valid queue leader locator value"),
        ["queue-master-locator"] = new(IsText, "is not a valid master locator"),
        ["initial-cluster-size"] = new(AtLeast(0), "is not a valid cluster size"),
        ["target-group-size"] = new(AtLeast(1), "is not a valid qq target count value"),
        ["member-placement-tag"] = new(static v => IsText(v) && v.GetString()!.Length > 0, "is not a valid member-placement-tag value. Must be a non-empty string"),
        ["delayed-retry-type"] = new(OneOf("all", "failed", "returned", "disabled"), "is not a valid delayed retry type. Must be one of: all, failed, returned, disabled"),
        ["delayed-retry-min"] = new(AtLeast(1), "is not a valid delayed retry minimum delay. Must be a positive integer"),
        ["delayed-retry-max"] = new(AtLeast(1), "is not a valid delayed retry maximum delay. Must be a positive integer"),
        // What mirrored queues had is accepted, so that definitions of older brokers can be imported; it does nothing.
        ["ha-mode"] = new(OneOf("all", "exactly", "nodes"), "is not a valid ha-mode value"),
        ["ha-params"] = new(static v => v.ValueKind is JsonValueKind.Number or JsonValueKind.Array, "is not a valid ha-params value"),
        ["ha-sync-mode"] = new(OneOf("automatic", "manual"), "must be \"manual\" or \"automatic\""),
        ["ha-sync-batch-size"] = new(AtLeast(1), "is not a valid sync batch size"),
        ["ha-promote-on-shutdown"] = new(OneOf("always", "when-synced"), "must be \"always\" or \"when-synced\""),
        ["ha-promote-on-failure"] = new(OneOf("always", "when-synced"), "must be \"always\" or \"when-synced\""),
        ["federation-upstream"] = new(IsText, "is not a valid federation upstream name"),
        ["federation-upstream-pattern"] = new(static v => IsText(v) && IsPattern(v.GetString()!, out _), "is not a valid federation upstream pattern"),
        ["federation-upstream-set"] = new(IsText, "is not a valid federation upstream set name"),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenSet<string> OfOperators = FrozenSet.Create(
        StringComparer.Ordinal,
        "expires", "message-ttl", "max-length", "max-length-bytes", "max-in-memory-length", "max-in-memory-bytes", "delivery-limit", "queue-version", "overflow",
        "queue-master-locator", "target-group-size", "member-placement-tag", "delayed-retry-type", "delayed-retry-min", "delayed-retry-max", "ha-mode", "ha-params", "ha-sync-mode");

    private static readonly FrozenSet<string> NotOfClassic = FrozenSet.Create(
        StringComparer.Ordinal,
        "max-age", "stream-max-segment-size-bytes", "initial-cluster-size", "delivery-limit", "dead-letter-strategy", "max-in-memory-length", "max-in-memory-bytes", "target-group-size");

    private static readonly FrozenSet<string> NotOfQuorum = FrozenSet.Create(
        StringComparer.Ordinal,
        "queue-mode", "ha-mode", "ha-params", "ha-sync-mode", "ha-promote-on-shutdown", "ha-promote-on-failure", "queue-master-locator", "max-age", "stream-max-segment-size-bytes", "initial-cluster-size");

    private static readonly FrozenSet<string> NotOfStreams = FrozenSet.Create(
        StringComparer.Ordinal,
        "expires", "message-ttl", "dead-letter-exchange", "dead-letter-routing-key", "max-length", "max-in-memory-length", "max-in-memory-bytes", "overflow", "queue-mode", "delivery-limit",
        "ha-mode", "ha-params", "ha-sync-mode", "ha-promote-on-shutdown", "ha-promote-on-failure", "queue-master-locator", "dead-letter-strategy", "target-group-size");

    /// <summary>Whether queues of a kind take a setting. A policy with one that they do not take does not apply to them.</summary>
    public static bool IsTaken(string setting, QueueKind kind) => !(kind switch { QueueKind.Classic => NotOfClassic, QueueKind.Quorum => NotOfQuorum, _ => NotOfStreams }).Contains(setting);

    /// <summary>Reads a policy.</summary>
    /// <returns>The policy, or null and what is wrong, one sentence each.</returns>
    public static (Policy? Policy, IReadOnlyList<string> Wrong) Read(NamespaceName space, bool isOperator, string name, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object) return (null, [$"{name} should be a list, actually was {TermText.Of(value)}"]);
        var wrong = new List<string>();
        var unknown = new List<string>();
        long priority = 0;
        string? pattern = null;
        JsonElement? definition = null;
        var target = PolicyTarget.All;
        foreach (var field in value.EnumerateObject())
        {
            switch (field.Name)
            {
                case "priority":
                    if (field.Value.ValueKind == JsonValueKind.Null) break;
                    if (!IsWhole(field.Value, out priority)) wrong.Add($"priority should be a number, actually was {TermText.Of(field.Value)}");
                    break;
                case "pattern":
                    pattern = IsText(field.Value) ? field.Value.GetString() : null;
                    if (pattern is null) wrong.Add($"pattern should be a binary, actually was {TermText.Of(field.Value)}");
                    else if (!IsPattern(pattern, out var problem)) wrong.Add($"pattern should be regular expression but is invalid: {TermText.Binary(problem)}");
                    pattern ??= "";
                    break;
                case "apply-to":
                    if (field.Value.ValueKind == JsonValueKind.Null) break;
                    var text = IsText(field.Value) ? field.Value.GetString()! : field.Value.GetRawText();
                    if (PolicyTargets.Parse(text) is { } known) target = known;
                    else wrong.Add($"apply-to '{text}' unrecognised; should be one of: 'queues', 'classic_queues',  'quorum_queues', 'streams', 'exchanges', or 'all'");
                    break;
                case "definition":
                    definition = field.Value;
                    if (Check(field.Value, isOperator) is { } reason) wrong.Add(reason);
                    break;
                // What an export adds, and an import may bring.
                case "name" or "vhost":
                    break;
                default:
                    unknown.Add(TermText.Pair(field.Name, field.Value));
                    break;
            }
        }
        if (pattern is null) wrong.Add($"Key \"pattern\" not found in {name}");
        if (definition is null) wrong.Add($"Key \"definition\" not found in {name}");
        if (unknown.Count > 0) wrong.Add($"Unrecognised terms [{string.Join(',', unknown)}] in {name}");
        if (wrong.Count > 0) return (null, wrong);
        var policy = new Policy { Namespace = space, Name = name, IsOperator = isOperator, Pattern = pattern!, ApplyTo = target, Priority = priority, Definition = TermText.Compact(definition!.Value) };
        return (policy, []);
    }

    /// <summary>Makes a regular expression of a pattern, one without backtracking where that is possible.</summary>
    public static Regex Compile(string pattern)
    {
        const RegexOptions Options = RegexOptions.CultureInvariant;
        try
        {
            return new Regex(pattern, Options | RegexOptions.NonBacktracking, TimeSpan.FromSeconds(1));
        }
        catch (NotSupportedException)
        {
            return new Regex(pattern, Options, TimeSpan.FromSeconds(1));
        }
    }

    private static bool IsPattern(string pattern, out string problem)
    {
        problem = "";
        try
        {
            _ = Compile(pattern);
            return true;
        }
        catch (ArgumentException error)
        {
            problem = error.Message;
            return false;
        }
    }

    /// <summary>What is wrong with a definition; null if nothing is.</summary>
    private static string? Check(JsonElement definition, bool isOperator)
    {
        if (definition.ValueKind != JsonValueKind.Object) return $"definition must be a dictionary: {TermText.Of(definition)}";
        var settings = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var setting in definition.EnumerateObject())
            if (!settings.TryAdd(setting.Name, setting.Value)) return $"[{TermText.Binary(setting.Name)}] duplicate keys not allowed";
        if (settings.Count == 0) return "no policy provided";
        var unknown = new List<string>();
        foreach (var (name, value) in settings)
        {
            if (!Rules.TryGetValue(name, out var rule) || (isOperator && !OfOperators.Contains(name))) unknown.Add(TermText.Pair(name, value));
            else if (!rule.IsValid(value)) return $"{TermText.Of(value)} {rule.Otherwise}";
        }
        if (unknown.Count > 0) return $"[{string.Join(',', unknown)}] are not recognised policy settings";
        return CheckRetry(settings);
    }

    private static string? CheckRetry(Dictionary<string, JsonElement> settings)
    {
        var hasLeast = settings.TryGetValue("delayed-retry-min", out var least);
        if (settings.TryGetValue("delayed-retry-type", out var type) && type.GetString() is { } name and not "disabled" && !hasLeast)
            return $"delayed-retry-min is required when delayed-retry-type is {name}";
        if (hasLeast && settings.TryGetValue("delayed-retry-max", out var most) && most.GetInt64() < least.GetInt64())
            return $"delayed-retry-max ({most.GetInt64()}) must not be smaller than delayed-retry-min ({least.GetInt64()})";
        return null;
    }

    private static bool IsText(JsonElement value) => value.ValueKind == JsonValueKind.String;

    private static bool IsWhole(JsonElement value, out long number)
    {
        number = 0;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out number);
    }

    private static Func<JsonElement, bool> AtLeast(long least) => value => IsWhole(value, out var number) && number >= least;

    private static Func<JsonElement, bool> OneOf(params string[] texts) => value => IsText(value) && texts.Contains(value.GetString()!, StringComparer.Ordinal);
}

using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.RegularExpressions;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Topics;

namespace Dragoman.Broker.Policies;

/// <summary>The policies at one moment, ready to be matched. Immutable but for what it remembers; safe for concurrent use.</summary>
internal sealed class PolicyTable
{
    private static readonly ImmutableSortedDictionary<string, JsonElement> Nothing = ImmutableSortedDictionary.Create<string, JsonElement>(StringComparer.Ordinal);
    private static readonly PolicyMatch NoMatch = new(null, null, Nothing);

    private const int MaxRemembered = 10_000;

    private readonly Dictionary<NamespaceName, List<Entry>> _byNamespace = [];
    private readonly ConcurrentDictionary<TopicName, PolicyMatch> _exchanges = new();

    private sealed record Entry(Policy Policy, Regex Pattern, ImmutableSortedDictionary<string, JsonElement> Definition);

    public PolicyTable(IEnumerable<Policy> policies)
    {
        Policies = [.. policies.OrderBy(static p => p.Namespace.ToString(), StringComparer.Ordinal).ThenBy(static p => p.Name, StringComparer.Ordinal)];
        foreach (var policy in Policies)
        {
            if (!_byNamespace.TryGetValue(policy.Namespace, out var entries)) _byNamespace[policy.Namespace] = entries = [];
            entries.Add(new Entry(policy, PolicyValidation.Compile(policy.Pattern), Nothing.AddRange(policy.Settings)));
        }
        // The sort is stable: of those with one priority the first by name counts.
        foreach (var (space, entries) in _byNamespace.ToArray()) _byNamespace[space] = [.. entries.OrderByDescending(static e => e.Policy.Priority)];
    }

    /// <summary>All policies, in the order of namespace and name.</summary>
    public IReadOnlyList<Policy> Policies { get; }

    /// <summary>What applies to a queue.</summary>
    public PolicyMatch Match(QueueName queue, QueueKind kind) =>
        !_byNamespace.TryGetValue(queue.Namespace, out var entries) ? NoMatch
            : Merge(entries, queue.Name, entry => PolicyTargets.Includes(entry.Policy.ApplyTo, kind) && entry.Definition.Keys.All(setting => PolicyValidation.IsTaken(setting, kind)));

    /// <summary>What applies to an exchange.</summary>
    public PolicyMatch Match(TopicName exchange)
    {
        if (!_byNamespace.TryGetValue(exchange.Namespace, out var entries)) return NoMatch;
        if (_exchanges.TryGetValue(exchange, out var known)) return known;
        var match = Merge(entries, exchange.Name, static entry => entry.Policy.ApplyTo is PolicyTarget.All or PolicyTarget.Exchanges);
        if (_exchanges.Count < MaxRemembered) _exchanges[exchange] = match;
        return match;
    }

    private static PolicyMatch Merge(List<Entry> entries, string name, Func<Entry, bool> applies)
    {
        Entry? policy = null;
        Entry? limiting = null;
        foreach (var entry in entries)
        {
            if ((entry.Policy.IsOperator ? limiting : policy) is not null || !applies(entry) || !IsMatch(entry.Pattern, name)) continue;
            if (entry.Policy.IsOperator) limiting = entry;
            else policy = entry;
        }
        if (policy is null && limiting is null) return NoMatch;
        var merged = policy?.Definition ?? Nothing;
        foreach (var (setting, value) in limiting?.Definition ?? Nothing)
            merged = merged.SetItem(setting, merged.TryGetValue(setting, out var other) ? Merge(setting, other, value) : value);
        return new PolicyMatch(policy?.Policy, limiting?.Policy, merged);
    }

    /// <summary>One setting of a policy and an operator's.</summary>
    private static JsonElement Merge(string setting, JsonElement policy, JsonElement limit)
    {
        if (policy.ValueKind != JsonValueKind.Number || limit.ValueKind != JsonValueKind.Number || !policy.TryGetInt64(out var one) || !limit.TryGetInt64(out var other)) return limit;
        var takesHigher = setting switch
        {
            "target-group-size" or "delayed-retry-min" => true,
            // Without a limit is the weaker one.
            "delivery-limit" => one < 0 || other < 0,
            _ => false,
        };
        if (setting == "queue-version") return limit;
        return one > other == takesHigher ? policy : limit;
    }

    private static bool IsMatch(Regex pattern, string name)
    {
        try
        {
            return pattern.IsMatch(name);
        }
        catch (RegexMatchTimeoutException)
        {
            // One that takes so long matches nothing.
            return false;
        }
    }
}

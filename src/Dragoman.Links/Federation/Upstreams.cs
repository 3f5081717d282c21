using System.Text.Json;
using System.Text.RegularExpressions;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Parameters;
using Dragoman.Broker.Policies;

namespace Dragoman.Links.Federation;

/// <summary>Which upstreams a policy names: one, a set, or all that a pattern matches.</summary>
/// <param name="Upstream">The one.</param>
/// <param name="Set">The set.</param>
/// <param name="Pattern">The pattern.</param>
internal sealed record UpstreamChoice(string? Upstream, string? Set, string? Pattern)
{
    /// <summary>Reads what policies say; null if they say nothing.</summary>
    public static UpstreamChoice? Read(PolicyMatch match)
    {
        var choice = new UpstreamChoice(Text("federation-upstream"), Text("federation-upstream-set"), Text("federation-upstream-pattern"));
        return choice is (null, null, null) ? null : choice;

        string? Text(string key) => match.Definition.TryGetValue(key, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
    }
}

/// <summary>The upstreams that parameters define.</summary>
internal sealed class Upstreams(IParameters parameters)
{
    /// <summary>The component whose parameters are upstreams.</summary>
    public const string Component = "federation-upstream";

    /// <summary>The component whose parameters are sets of upstreams.</summary>
    public const string SetComponent = "federation-upstream-set";

    private const string AllSet = "all";

    private static readonly TimeSpan MatchLimit = TimeSpan.FromMilliseconds(100);

    /// <summary>The upstreams that are chosen, in the order of their definition.</summary>
    public IReadOnlyList<UpstreamDefinition> Find(NamespaceName space, UpstreamChoice choice)
    {
        if (choice.Upstream is { } one) return Find(space, one) is { } found ? [found] : [];
        if (choice.Set is { } set && set != AllSet) return FindSet(space, set);
        var all = parameters.List(Component, space).Select(p => p.Key.Name);
        if (choice.Set is null && choice.Pattern is { } pattern) all = all.Where(name => Regex.IsMatch(name, pattern, RegexOptions.None, MatchLimit));
        return [.. all.Select(name => Find(space, name)).OfType<UpstreamDefinition>()];
    }

    private UpstreamDefinition? Find(NamespaceName space, string name)
    {
        if (parameters.Find(ParameterKey.Of(space, Component, name)) is not { } parameter) return null;
        using var value = JsonDocument.Parse(parameter.Value);
        return UpstreamDefinition.Read(name, value.RootElement, []);
    }

    private List<UpstreamDefinition> FindSet(NamespaceName space, string name)
    {
        var found = new List<UpstreamDefinition>();
        if (parameters.Find(ParameterKey.Of(space, SetComponent, name)) is not { } parameter) return found;
        using var value = JsonDocument.Parse(parameter.Value);
        foreach (var item in value.RootElement.EnumerateArray())
            if (UpstreamDefinition.ReadSetItem(name, item, upstream => Find(space, upstream), []) is { } definition) found.Add(definition);
        return found;
    }
}

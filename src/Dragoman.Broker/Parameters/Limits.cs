using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dragoman.Broker.Namespaces;

namespace Dragoman.Broker.Parameters;

/// <summary>The limits of this node, read out of the parameters that they are kept as.</summary>
internal sealed class Limits : ILimits, IParameterComponent
{
    private const string Component = "vhost-limits";
    private const string ParameterName = "limits";
    private const string UserComponent = "user-limits";

    private static readonly ImmutableSortedDictionary<string, long> None = ImmutableSortedDictionary.Create<string, long>(StringComparer.Ordinal);
    private static readonly ImmutableArray<string> OfNamespaces = [LimitNames.MaxConnections, LimitNames.MaxQueues];
    private static readonly ImmutableArray<string> OfUsers = [LimitNames.MaxConnections, LimitNames.MaxChannels];

    private readonly Parameters _parameters;
    private readonly ConcurrentDictionary<NamespaceName, ImmutableSortedDictionary<string, long>> _namespaces = new();
    private readonly ConcurrentDictionary<string, ImmutableSortedDictionary<string, long>> _users = new(StringComparer.Ordinal);

    // What is read is what was there last, whoever is told of a change first.
    private readonly Lock _refresh = new();

    public Limits(Parameters parameters)
    {
        _parameters = parameters;
        parameters.Register(this);
        foreach (var (key, _) in parameters.All) Refresh(key);
    }

    public string Name => Component;

    public IReadOnlyList<NamespaceName> Namespaces => [.. _namespaces.Keys.OrderBy(static n => n.ToString(), StringComparer.Ordinal)];

    public IReadOnlyList<string> Users => [.. _users.Keys.Order(StringComparer.Ordinal)];

    public IReadOnlyDictionary<string, long> Of(NamespaceName space) => _namespaces.GetValueOrDefault(space, None);

    public IReadOnlyDictionary<string, long> OfUser(string user) => _users.GetValueOrDefault(user, None);

    public ValueTask<ParameterAnswer> SetAsync(NamespaceName space, string limit, long value, CancellationToken cancellation) => ChangeAsync(KeyOf(space), OfNamespaces, limit, value, cancellation);

    public ValueTask<ParameterAnswer> RemoveAsync(NamespaceName space, string limit, CancellationToken cancellation) => ChangeAsync(KeyOf(space), OfNamespaces, limit, null, cancellation);

    public ValueTask<ParameterAnswer> SetUserAsync(string user, string limit, long value, CancellationToken cancellation) => ChangeAsync(KeyOf(user), OfUsers, limit, value, cancellation);

    public ValueTask<ParameterAnswer> RemoveUserAsync(string user, string limit, CancellationToken cancellation) => ChangeAsync(KeyOf(user), OfUsers, limit, null, cancellation);

    public IReadOnlyList<string> Validate(NamespaceName space, string name, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object) return [$"{name} should be a list, actually was {TermText.Of(value)}"];
        var wrong = new List<string>();
        var unknown = new List<string>();
        foreach (var limit in value.EnumerateObject())
        {
            if (!OfNamespaces.Contains(limit.Name)) unknown.Add(TermText.Pair(limit.Name, limit.Value));
            else if (limit.Value.ValueKind != JsonValueKind.Number || !limit.Value.TryGetInt64(out _)) wrong.Add($"{limit.Name} should be a number, actually was {TermText.Of(limit.Value)}");
        }
        if (unknown.Count > 0) wrong.Add($"Unrecognised terms [{string.Join(',', unknown)}] in {name}");
        return wrong;
    }

    /// <summary>Reads anew what a parameter says.</summary>
    public void Refresh(ParameterKey key)
    {
        lock (_refresh)
        {
            if (key is { Scope: ParameterScope.Component, Component: Component, Name: ParameterName }) Refresh(_namespaces, key.Namespace!, key);
            else if (key is { Scope: ParameterScope.User, Component: UserComponent }) Refresh(_users, key.Name, key);
        }
    }

    private static ParameterKey KeyOf(NamespaceName space) => ParameterKey.Of(space, Component, ParameterName);

    /// <summary>The parameter that a user's limits are kept as.</summary>
    public static ParameterKey KeyOf(string user) => ParameterKey.OfUser(user, UserComponent);

    private void Refresh<TKey>(ConcurrentDictionary<TKey, ImmutableSortedDictionary<string, long>> limits, TKey of, ParameterKey key)
        where TKey : notnull
    {
        if (_parameters.Find(key) is not { } parameter)
        {
            limits.TryRemove(of, out _);
            return;
        }
        var read = None.ToBuilder();
        using var document = JsonDocument.Parse(parameter.Value);
        foreach (var limit in document.RootElement.EnumerateObject()) read[limit.Name] = limit.Value.GetInt64();
        limits[of] = read.ToImmutable();
    }

    private async ValueTask<ParameterAnswer> ChangeAsync(ParameterKey key, ImmutableArray<string> known, string limit, long? value, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(limit);
        if (!known.Contains(limit)) return Parameters.Invalid([$"Unrecognised terms [{{{TermText.Binary(limit)},{value ?? 0}}}] in {ParameterName}"]);
        return await _parameters.ReplaceAsync(
            key,
            before =>
            {
                var limits = before is null ? [] : JsonNode.Parse(before)!.AsObject();
                limits.Remove(limit);
                if (value is { } number) limits[limit] = number;
                return limits.Count == 0 ? null : limits.ToJsonString();
            },
            cancellation);
    }
}

using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Dragoman.Broker.Namespaces;
using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Parameters;

/// <summary>The parameters of this node. What is not committed yet is in the state, and nobody can find it.</summary>
[SuppressMessage("Naming", "CA1724", Justification = "The folder and the field's term are the same word.")]
internal sealed class Parameters : IParameters
{
    private readonly StateLog _state;
    private readonly ParameterState _machine;
    private readonly ConcurrentDictionary<ParameterKey, string> _committed = new();
    private readonly ConcurrentDictionary<string, IParameterComponent> _components = new(StringComparer.Ordinal);

    public Parameters(StateLog state)
    {
        _state = state;
        _machine = (ParameterState)state.Machine;
        foreach (var (key, value) in _machine.Values) _committed[key] = value;
        Limits = new Limits(this);
    }

    public event Action<ParameterKey>? Changed;

    /// <summary>Where they are kept.</summary>
    public StateLog State => _state;

    /// <summary>Tells whether there is a user of a name, on whom something can hang. It is called under the state's lock, in which users also go.</summary>
    public Predicate<string> HasUser { get; set; } = static _ => false;

    /// <summary>The limits, which are parameters too.</summary>
    public Limits Limits { get; }

    /// <summary>Everything that is set.</summary>
    public IEnumerable<KeyValuePair<ParameterKey, string>> All => _committed;

    public void Register(IParameterComponent component)
    {
        ArgumentNullException.ThrowIfNull(component);
        _components[component.Name] = component;
    }

    public bool IsRegistered(string component) => _components.ContainsKey(component);

    public Parameter? Find(ParameterKey key) => _committed.TryGetValue(key, out var value) ? new Parameter(key, value) : null;

    public IReadOnlyList<Parameter> List(string? component, NamespaceName? space)
    {
        var found = new List<Parameter>();
        foreach (var (key, value) in _committed)
            if (key.Scope == ParameterScope.Component && (component is null || key.Component == component) && (space is null || key.Namespace == space)) found.Add(new Parameter(key, value));
        found.Sort(static (a, b) => string.CompareOrdinal(a.Key.Component, b.Key.Component) is not 0 and var byComponent ? byComponent
            : string.CompareOrdinal(a.Key.Namespace!.ToString(), b.Key.Namespace!.ToString()) is not 0 and var bySpace ? bySpace : string.CompareOrdinal(a.Key.Name, b.Key.Name));
        return found;
    }

    public IReadOnlyList<Parameter> Global
    {
        get
        {
            var found = new List<Parameter>();
            foreach (var (key, value) in _committed)
                if (key.Scope == ParameterScope.Global) found.Add(new Parameter(key, value));
            found.Sort(static (a, b) => string.CompareOrdinal(a.Key.Name, b.Key.Name));
            return found;
        }
    }

    public ValueTask<ParameterAnswer> SetAsync(ParameterKey key, JsonElement value, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (key.Scope == ParameterScope.Component)
        {
            IReadOnlyList<string> wrong = _components.TryGetValue(key.Component, out var component)
                ? component.Validate(key.Namespace!, key.Name, value)
                : [$"component {key.Component} not found"];
            if (wrong.Count > 0) return ValueTask.FromResult(Invalid(wrong));
        }
        return ReplaceAsync(key, _ => TermText.Compact(value), cancellation);
    }

    public IReadOnlyList<NamespaceName> ReachedBy(ParameterKey key, JsonElement value)
    {
        ArgumentNullException.ThrowIfNull(key);
        return key.Scope == ParameterScope.Component && _components.TryGetValue(key.Component, out var component) ? component.Reaches(key.Name, value) : [];
    }

    /// <summary>Replaces the value of a parameter by what a function makes of it; null for none. It is called under a lock and must be pure.</summary>
    public async ValueTask<ParameterAnswer> ReplaceAsync(ParameterKey key, Func<string?, string?> change, CancellationToken cancellation)
    {
        var size = SizeOf(key, change(_committed.GetValueOrDefault(key)));
        return await ExecuteAsync(
            commit =>
            {
                var before = _machine.Values.GetValueOrDefault(key);
                var after = change(before);
                if (after is not null && key.Scope == ParameterScope.User && !HasUser(key.Name)) return new ParameterAnswer(ParameterStatus.NotFound);
                if (SizeOf(key, after) > size) throw new StorageFullException("The parameter was changed by somebody else at the same moment; try again.");
                if (after is not null) _state.Emit(commit, ParameterState.Put(key, after));
                else if (before is not null) _state.Emit(commit, ParameterState.Remove(key));
                return new ParameterAnswer(after is null && before is null ? ParameterStatus.NotFound : ParameterStatus.Ok);
            },
            [key], size, urgent: false, cancellation);
    }

    public ValueTask<ParameterAnswer> RemoveAsync(ParameterKey key, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(key);
        return ReplaceAsync(key, static _ => null, cancellation);
    }

    public async ValueTask<ParameterAnswer> RemoveAllAsync(NamespaceName space, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(space);
        List<ParameterKey> keys = [.. _committed.Keys.Where(k => k.Namespace == space)];
        if (keys.Count == 0) return new ParameterAnswer(ParameterStatus.Ok);
        return await ExecuteAsync(
            commit =>
            {
                foreach (var key in keys)
                    if (_machine.Values.ContainsKey(key)) _state.Emit(commit, ParameterState.Remove(key));
                return new ParameterAnswer(ParameterStatus.Ok);
            },
            keys, keys.Sum(static k => SizeOf(k, null)), urgent: true, cancellation);
    }

    /// <summary>Removes, in the commit in which a user comes or goes, what hangs on a user of that name. The caller holds the state's lock.</summary>
    public void RemoveOfUser(Commit commit, string user)
    {
        foreach (var key in OfUser(user))
            if (_machine.Values.ContainsKey(key)) _state.Emit(commit, ParameterState.Remove(key));
    }

    /// <summary>Lets everybody know of what <see cref="RemoveOfUser"/> did, once it is committed.</summary>
    public void PublishOfUser(string user) => Publish(OfUser(user));

    /// <summary>The most that <see cref="RemoveOfUser"/> takes, in bytes.</summary>
    public static int SizeOfRemoval(string user) => OfUser(user).Sum(static k => SizeOf(k, null));

    private static ImmutableArray<ParameterKey> OfUser(string user) => [Limits.KeyOf(user)];

    /// <summary>The answer to what a component does not take.</summary>
    public static ParameterAnswer Invalid(IReadOnlyList<string> wrong) => new(ParameterStatus.Invalid, $"Validation failed\n\n{string.Join('\n', wrong)}\n");

    private async ValueTask<ParameterAnswer> ExecuteAsync(Func<Commit, ParameterAnswer> decide, IReadOnlyList<ParameterKey> keys, int maxBytes, bool urgent, CancellationToken cancellation)
    {
        ParameterAnswer answer;
        try
        {
            answer = await _state.ExecuteAsync(CommitMode.Fsync, decide, maxBytes, urgent, cancellation);
        }
        catch (StorageFullException error)
        {
            return new ParameterAnswer(ParameterStatus.Full, error.Message);
        }
        catch (StoreFailedException error)
        {
            return new ParameterAnswer(ParameterStatus.StorageError, error.Message);
        }
        Publish(keys);
        return answer;
    }

    private void Publish(IReadOnlyList<ParameterKey> keys)
    {
        lock (_state.Lock)
        {
            foreach (var key in keys)
            {
                if (_machine.Values.TryGetValue(key, out var value)) _committed[key] = value;
                else _committed.TryRemove(key, out _);
            }
        }
        foreach (var key in keys)
        {
            Limits.Refresh(key);
            Changed?.Invoke(key);
        }
    }

    private static int SizeOf(ParameterKey key, string? value) =>
        Store.TypicalCommandBytes + 3 * (key.Component.Length + key.Name.Length + (key.Namespace?.Tenant.Length + key.Namespace?.Name.Length ?? 0) + (value?.Length ?? 0));
}

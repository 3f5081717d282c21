using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Configs;

/// <summary>The configurations of this node. What is not committed yet is in the registry, and nobody can find it.</summary>
[SuppressMessage("Naming", "CA1724", Justification = "The folder and the field's term are the same word.")]
internal sealed class Configs : IConfigs
{
    private readonly StateLog _state;
    private readonly ConfigRegistry _registry;
    private readonly ConcurrentDictionary<ConfigTarget, ImmutableSortedDictionary<string, string>> _committed = new();

    public Configs(StateLog state)
    {
        _state = state;
        _registry = (ConfigRegistry)state.Machine;
        foreach (var (target, values) in _registry.All) _committed[target] = values;
    }

    public event Action<ConfigTarget>? Changed;

    public ImmutableSortedDictionary<string, string> Get(ConfigTarget target) => _committed.GetValueOrDefault(target, ConfigRegistry.None);

    public IReadOnlyList<string> Names(ConfigKind kind)
    {
        var names = new List<string>();
        foreach (var target in _committed.Keys)
            if (target.Kind == kind) names.Add(target.Name);
        names.Sort(StringComparer.Ordinal);
        return names;
    }

    public async ValueTask<(ConfigStatus Status, string? Message)> ChangeAsync(
        ConfigTarget target, Func<ImmutableSortedDictionary<string, string>, ImmutableSortedDictionary<string, string>> change, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(change);
        try
        {
            // The function is called once to learn how much room its result takes, and once more when it counts.
            var size = SizeOf(change(Get(target)));
            await _state.ExecuteAsync(CommitMode.Fsync, commit =>
            {
                var before = _registry.All.GetValueOrDefault(target, ConfigRegistry.None);
                var after = change(before);
                if (SizeOf(after) > size) throw new StorageFullException("The configuration was changed by somebody else at the same moment; try again.");
                if (after != before) _state.Emit(commit, ConfigRegistry.Put(target, after));
                return true;
            }, Store.TypicalCommandBytes + 3 * target.Name.Length + size, urgent: false, cancellation);
        }
        catch (StorageFullException error)
        {
            return (ConfigStatus.Full, error.Message);
        }
        catch (StoreFailedException error)
        {
            return (ConfigStatus.StorageError, error.Message);
        }
        lock (_state.Lock)
        {
            if (_registry.All.TryGetValue(target, out var values)) _committed[target] = values;
            else _committed.TryRemove(target, out _);
        }
        Changed?.Invoke(target);
        return (ConfigStatus.Ok, null);
    }

    private static int SizeOf(ImmutableSortedDictionary<string, string> values)
    {
        var size = 256;
        foreach (var (name, value) in values) size += 16 + 3 * (name.Length + value.Length);
        return size;
    }
}

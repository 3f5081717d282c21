using System.Diagnostics.CodeAnalysis;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Topics;
using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Namespaces;

/// <summary>The namespaces of this node.</summary>
[SuppressMessage("Naming", "CA1724", Justification = "The folder and the field's term are the same word.")]
internal sealed class Namespaces(StateLog state, ITopics topics, IQueues queues, TimeProvider time) : INamespaces
{
    private const int MaxDescription = 1024;
    private const int MaxEntryBytes = 64 << 10;

    private readonly NamespaceState _machine = (NamespaceState)state.Machine;

    public bool Exists(NamespaceName name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name == NamespaceName.Default) return true;
        lock (state.Lock) return _machine.Entries.ContainsKey(name);
    }

    public NamespaceEntry? Find(NamespaceName name)
    {
        ArgumentNullException.ThrowIfNull(name);
        lock (state.Lock) return _machine.Entries.GetValueOrDefault(name) ?? (name == NamespaceName.Default ? NamespaceState.Default : null);
    }

    public IReadOnlyList<NamespaceEntry> List()
    {
        List<NamespaceEntry> all;
        lock (state.Lock) all = [.. _machine.Entries.Values];
        all.RemoveAll(static e => e.Name == NamespaceName.Default);
        all.Sort(static (a, b) => string.CompareOrdinal(a.Name.ToString(), b.Name.ToString()));
        return [Find(NamespaceName.Default)!, .. all];
    }

    public ValueTask<NamespaceAnswer> ChangeAsync(NamespaceName name, Func<NamespaceEntry, NamespaceEntry> change, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(change);
        if (Find(name) is not { } known) return ValueTask.FromResult(new NamespaceAnswer(NamespaceStatus.NotFound));
        var size = SizeOf(change(known));
        if (size > MaxEntryBytes) return ValueTask.FromResult(new NamespaceAnswer(NamespaceStatus.Invalid, $"What is said of '{name}' is too long."));
        return ExecuteAsync(
            commit =>
            {
                if (!_machine.Entries.TryGetValue(name, out var current) && name != NamespaceName.Default) return new NamespaceAnswer(NamespaceStatus.NotFound);
                var changed = change(current ?? NamespaceState.Default) with { Name = name };
                if (SizeOf(changed) > MaxEntryBytes) return new NamespaceAnswer(NamespaceStatus.Invalid, $"What is said of '{name}' is too long.");
                state.Emit(commit, _machine.Put(changed));
                return new NamespaceAnswer(NamespaceStatus.Ok);
            },
            cancellation, MaxEntryBytes);
    }

    public ValueTask<NamespaceAnswer> CreateAsync(NamespaceName name, string description, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(description);
        if (name == NamespaceName.Default) return ValueTask.FromResult(new NamespaceAnswer(NamespaceStatus.AlreadyExists));
        if (!IsName(name.Tenant) || !IsName(name.Name) || description.Length > MaxDescription)
            return ValueTask.FromResult(new NamespaceAnswer(NamespaceStatus.Invalid, $"'{name}' is not a name for a namespace."));
        return ExecuteAsync(
            commit =>
            {
                if (_machine.Entries.ContainsKey(name)) return new NamespaceAnswer(NamespaceStatus.AlreadyExists);
                state.Emit(commit, _machine.Put(new NamespaceEntry(name, description, time.GetUtcNow())));
                return new NamespaceAnswer(NamespaceStatus.Ok);
            },
            cancellation);
    }

    public ValueTask<NamespaceAnswer> DeleteAsync(NamespaceName name, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name == NamespaceName.Default) return ValueTask.FromResult(new NamespaceAnswer(NamespaceStatus.Invalid, "The default namespace is always there."));
        if (topics.List().Any(t => t.Name.Namespace == name) || queues.List().Any(q => q.Name.Namespace == name))
            return ValueTask.FromResult(new NamespaceAnswer(NamespaceStatus.InUse, $"There are topics or queues in '{name}'."));
        return ExecuteAsync(
            commit =>
            {
                if (!_machine.Entries.ContainsKey(name)) return new NamespaceAnswer(NamespaceStatus.NotFound);
                state.Emit(commit, _machine.Remove(name));
                return new NamespaceAnswer(NamespaceStatus.Ok);
            },
            cancellation);
    }

    private static bool IsName(string name)
    {
        if (name.Length is 0 or > 255) return false;
        foreach (var c in name)
            if (char.IsControl(c) || c == '/') return false;
        return true;
    }

    private static int SizeOf(NamespaceEntry entry)
    {
        var size = 128 + 3 * (entry.Name.Tenant.Length + entry.Name.Name.Length + entry.Description.Length);
        foreach (var (name, value) in entry.Attributes) size += 8 + 3 * (name.Length + value.Length);
        return size;
    }

    private async ValueTask<NamespaceAnswer> ExecuteAsync(Func<Commit, NamespaceAnswer> decide, CancellationToken cancellation, int maxBytes = 0)
    {
        try
        {
            return await state.ExecuteAsync(CommitMode.Fsync, decide, maxBytes + 2 * Store.TypicalCommandBytes, cancellation: cancellation);
        }
        catch (StorageFullException error)
        {
            return new NamespaceAnswer(NamespaceStatus.Full, error.Message);
        }
        catch (StoreFailedException error)
        {
            return new NamespaceAnswer(NamespaceStatus.StorageError, error.Message);
        }
    }
}

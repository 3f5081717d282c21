using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Topics;
using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Namespaces;

/// <summary>Which namespaces were created: the state machine behind <see cref="Namespaces"/>.</summary>
internal sealed class NamespaceState : IStateMachine
{
    private const byte Version = 1;

    private readonly Dictionary<NamespaceName, NamespaceEntry> _entries = [];

    private enum Kind : byte
    {
        Put = 1,
        Remove = 2,
    }

    public IReadOnlyDictionary<NamespaceName, NamespaceEntry> Entries => _entries;

    public static ReadOnlySpan<byte> Put(NamespaceEntry entry)
    {
        var buffer = new ArrayBufferWriter<byte>(128);
        var writer = new SnapshotWriter(buffer);
        writer.Byte(Version);
        writer.Byte((byte)Kind.Put);
        Write(writer, entry);
        return buffer.WrittenSpan;
    }

    public static ReadOnlySpan<byte> Remove(NamespaceName name)
    {
        var buffer = new ArrayBufferWriter<byte>(128);
        var writer = new SnapshotWriter(buffer);
        writer.Byte(Version);
        writer.Byte((byte)Kind.Remove);
        writer.Text(name.Tenant);
        writer.Text(name.Name);
        return buffer.WrittenSpan;
    }

    public void Apply(ReadOnlySpan<byte> evt)
    {
        var reader = new SnapshotReader(evt);
        reader.Version(Version, "namespace event");
        switch ((Kind)reader.Byte())
        {
            case Kind.Put:
                var entry = Read(ref reader);
                _entries[entry.Name] = entry;
                break;
            case Kind.Remove:
                Invariant.Check(_entries.Remove(new NamespaceName(reader.Text(), reader.Text())), "only what is there is removed");
                break;
            case var other:
                throw new CorruptDataException($"A namespace event of kind {(byte)other} is unknown.");
        }
        reader.End("namespace event");
    }

    public void WriteSnapshot(IBufferWriter<byte> target)
    {
        var writer = new SnapshotWriter(target);
        writer.Byte(Version);
        writer.Int32(_entries.Count);
        foreach (var entry in _entries.Values) Write(writer, entry);
    }

    public void ReadSnapshot(ReadOnlySpan<byte> source)
    {
        var reader = new SnapshotReader(source);
        reader.Version(Version, "namespaces");
        _entries.Clear();
        for (var n = reader.Count(); n > 0; n--)
        {
            var entry = Read(ref reader);
            _entries.Add(entry.Name, entry);
        }
        reader.End("namespaces");
    }

    private static void Write(in SnapshotWriter writer, NamespaceEntry entry)
    {
        writer.Text(entry.Name.Tenant);
        writer.Text(entry.Name.Name);
        writer.Text(entry.Description);
        writer.Int64(entry.CreatedAt.ToUnixTimeMilliseconds());
    }

    private static NamespaceEntry Read(ref SnapshotReader reader) =>
        new(new NamespaceName(reader.Text(), reader.Text()), reader.Text(), DateTimeOffset.FromUnixTimeMilliseconds(reader.Int64()));
}

/// <summary>The namespaces of this node.</summary>
[SuppressMessage("Naming", "CA1724", Justification = "The folder and the field's term are the same word.")]
internal sealed class Namespaces(StateLog state, ITopics topics, IQueues queues, TimeProvider time) : INamespaces
{
    private const int MaxDescription = 1024;

    private readonly NamespaceState _machine = (NamespaceState)state.Machine;

    public bool Exists(NamespaceName name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name == NamespaceName.Default) return true;
        lock (state.Lock) return _machine.Entries.ContainsKey(name);
    }

    public IReadOnlyList<NamespaceEntry> List()
    {
        List<NamespaceEntry> all;
        lock (state.Lock) all = [.. _machine.Entries.Values];
        all.Sort(static (a, b) => string.CompareOrdinal(a.Name.ToString(), b.Name.ToString()));
        return [new NamespaceEntry(NamespaceName.Default, "Where everything lives that names no namespace", DateTimeOffset.UnixEpoch), .. all];
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
                state.Emit(commit, NamespaceState.Put(new NamespaceEntry(name, description, time.GetUtcNow())));
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
                state.Emit(commit, NamespaceState.Remove(name));
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

    private async ValueTask<NamespaceAnswer> ExecuteAsync(Func<Commit, NamespaceAnswer> decide, CancellationToken cancellation)
    {
        try
        {
            return await state.ExecuteAsync(CommitMode.Fsync, decide, 2 * Store.TypicalCommandBytes, cancellation: cancellation);
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

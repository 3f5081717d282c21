using System.Buffers;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Namespaces;

/// <summary>A state machine that says which things of a kind there are, by name: one event puts an entry, another removes it.</summary>
/// <typeparam name="TName">What they are called by.</typeparam>
/// <typeparam name="TEntry">What is known of one.</typeparam>
/// <param name="version">The version in which entries are written; older ones are read.</param>
/// <param name="one">What one of them is called in errors.</param>
/// <param name="many">What several are called.</param>
internal abstract class NamedRegistry<TName, TEntry>(byte version, string one, string many) : IStateMachine
    where TName : notnull
{
    private readonly Dictionary<TName, TEntry> _entries = [];
    private readonly string _event = $"{one} event";

    private enum Kind : byte
    {
        Put = 1,
        Remove = 2,
    }

    /// <summary>Those that there are.</summary>
    public IReadOnlyDictionary<TName, TEntry> Entries => _entries;

    /// <summary>The event by which one comes to be, or is replaced by a new version of itself.</summary>
    public ReadOnlySpan<byte> Put(TEntry entry)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        Write(Begin(buffer, Kind.Put), entry);
        return buffer.WrittenSpan;
    }

    /// <summary>The event by which one is gone.</summary>
    public ReadOnlySpan<byte> Remove(TName name)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        WriteName(Begin(buffer, Kind.Remove), name);
        return buffer.WrittenSpan;
    }

    public void Apply(ReadOnlySpan<byte> evt)
    {
        var reader = new SnapshotReader(evt);
        var written = reader.Version(version, _event);
        switch ((Kind)reader.Byte())
        {
            case Kind.Put:
                var entry = Read(ref reader, written);
                _entries[NameOf(entry)] = entry;
                break;
            case Kind.Remove:
                Invariant.Check(_entries.Remove(ReadName(ref reader)), "only what is there is removed");
                break;
            case var other:
                throw new CorruptDataException($"A {_event} of kind {(byte)other} is unknown.");
        }
        reader.End(_event);
    }

    public void WriteSnapshot(IBufferWriter<byte> target)
    {
        var writer = new SnapshotWriter(target);
        writer.Byte(version);
        writer.Int32(_entries.Count);
        foreach (var entry in _entries.Values) Write(writer, entry);
    }

    public void ReadSnapshot(ReadOnlySpan<byte> source)
    {
        var reader = new SnapshotReader(source);
        var written = reader.Version(version, many);
        _entries.Clear();
        for (var n = reader.Count(); n > 0; n--)
        {
            var entry = Read(ref reader, written);
            _entries.Add(NameOf(entry), entry);
        }
        reader.End(many);
    }

    protected abstract TName NameOf(TEntry entry);

    protected abstract void Write(in SnapshotWriter writer, TEntry entry);

    /// <summary>Reads an entry as some version wrote it.</summary>
    protected abstract TEntry Read(ref SnapshotReader reader, byte written);

    protected abstract void WriteName(in SnapshotWriter writer, TName name);

    protected abstract TName ReadName(ref SnapshotReader reader);

    protected static void WriteName(in SnapshotWriter writer, NamespaceName space, string name)
    {
        WriteNamespace(writer, space);
        writer.Text(name);
    }

    protected static void WriteNamespace(in SnapshotWriter writer, NamespaceName space)
    {
        writer.Text(space.Tenant);
        writer.Text(space.Name);
    }

    protected static NamespaceName ReadNamespace(ref SnapshotReader reader) => new(reader.Text(), reader.Text());

    private SnapshotWriter Begin(ArrayBufferWriter<byte> buffer, Kind kind)
    {
        var writer = new SnapshotWriter(buffer);
        writer.Byte(version);
        writer.Byte((byte)kind);
        return writer;
    }
}

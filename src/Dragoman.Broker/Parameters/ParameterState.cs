using System.Buffers;
using Dragoman.Broker.Namespaces;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Parameters;

/// <summary>Which parameters are set: the state machine behind <see cref="Parameters"/>.</summary>
internal sealed class ParameterState : IStateMachine
{
    private const byte Version = 1;

    private readonly Dictionary<ParameterKey, string> _values = [];

    private enum Kind : byte
    {
        Put = 1,
        Remove = 2,
    }

    public IReadOnlyDictionary<ParameterKey, string> Values => _values;

    /// <summary>The event by which a parameter has a value.</summary>
    public static ReadOnlySpan<byte> Put(ParameterKey key, string value)
    {
        var buffer = Begin(Kind.Put, key, out var writer);
        writer.Text(value);
        return buffer.WrittenSpan;
    }

    /// <summary>The event by which a parameter is gone.</summary>
    public static ReadOnlySpan<byte> Remove(ParameterKey key) => Begin(Kind.Remove, key, out _).WrittenSpan;

    public void Apply(ReadOnlySpan<byte> evt)
    {
        var reader = new SnapshotReader(evt);
        reader.Version(Version, "parameter event");
        switch ((Kind)reader.Byte())
        {
            case Kind.Put:
                _values[ReadKey(ref reader)] = reader.Text();
                break;
            case Kind.Remove:
                Invariant.Check(_values.Remove(ReadKey(ref reader)), "only what is there is removed");
                break;
            case var other:
                throw new CorruptDataException($"A parameter event of kind {(byte)other} is unknown.");
        }
        reader.End("parameter event");
    }

    public void WriteSnapshot(IBufferWriter<byte> target)
    {
        var writer = new SnapshotWriter(target);
        writer.Byte(Version);
        writer.Int32(_values.Count);
        foreach (var (key, value) in _values)
        {
            WriteKey(writer, key);
            writer.Text(value);
        }
    }

    public void ReadSnapshot(ReadOnlySpan<byte> source)
    {
        var reader = new SnapshotReader(source);
        reader.Version(Version, "parameters");
        _values.Clear();
        for (var n = reader.Count(); n > 0; n--) _values.Add(ReadKey(ref reader), reader.Text());
        reader.End("parameters");
    }

    private static ArrayBufferWriter<byte> Begin(Kind kind, ParameterKey key, out SnapshotWriter writer)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        writer = new SnapshotWriter(buffer);
        writer.Byte(Version);
        writer.Byte((byte)kind);
        WriteKey(writer, key);
        return buffer;
    }

    private static void WriteKey(in SnapshotWriter writer, ParameterKey key)
    {
        writer.Byte((byte)key.Scope);
        writer.Bool(key.Namespace is not null);
        if (key.Namespace is not null)
        {
            writer.Text(key.Namespace.Tenant);
            writer.Text(key.Namespace.Name);
        }
        writer.Text(key.Component);
        writer.Text(key.Name);
    }

    private static ParameterKey ReadKey(ref SnapshotReader reader) => new(
        (ParameterScope)reader.Byte(), reader.Bool() ? new NamespaceName(reader.Text(), reader.Text()) : null, reader.Text(), reader.Text());
}

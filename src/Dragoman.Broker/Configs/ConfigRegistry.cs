using System.Buffers;
using System.Collections.Immutable;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Configs;

/// <summary>What was configured while the broker ran: the state machine behind <see cref="Configs"/>.</summary>
internal sealed class ConfigRegistry : IStateMachine
{
    private const byte Version = 1;

    private readonly Dictionary<ConfigTarget, ImmutableSortedDictionary<string, string>> _configs = [];

    public static ImmutableSortedDictionary<string, string> None { get; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    public IReadOnlyDictionary<ConfigTarget, ImmutableSortedDictionary<string, string>> All => _configs;

    /// <summary>The event by which a thing has these configurations and no others.</summary>
    public static ReadOnlySpan<byte> Put(ConfigTarget target, ImmutableSortedDictionary<string, string> values)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        var writer = new SnapshotWriter(buffer);
        writer.Byte(Version);
        Write(writer, target, values);
        return buffer.WrittenSpan;
    }

    public void Apply(ReadOnlySpan<byte> evt)
    {
        var reader = new SnapshotReader(evt);
        reader.Version(Version, "configuration event");
        var (target, values) = Read(ref reader);
        reader.End("configuration event");
        if (values.IsEmpty) _configs.Remove(target);
        else _configs[target] = values;
    }

    public void WriteSnapshot(IBufferWriter<byte> target)
    {
        var writer = new SnapshotWriter(target);
        writer.Byte(Version);
        writer.Int32(_configs.Count);
        foreach (var (of, values) in _configs) Write(writer, of, values);
    }

    public void ReadSnapshot(ReadOnlySpan<byte> source)
    {
        var reader = new SnapshotReader(source);
        reader.Version(Version, "configurations");
        _configs.Clear();
        for (var n = reader.Count(); n > 0; n--)
        {
            var (target, values) = Read(ref reader);
            _configs.Add(target, values);
        }
        reader.End("configurations");
    }

    private static void Write(in SnapshotWriter writer, ConfigTarget target, ImmutableSortedDictionary<string, string> values)
    {
        writer.Byte((byte)target.Kind);
        writer.Text(target.Name);
        writer.Int32(values.Count);
        foreach (var (name, value) in values)
        {
            writer.Text(name);
            writer.Text(value);
        }
    }

    private static (ConfigTarget Target, ImmutableSortedDictionary<string, string> Values) Read(ref SnapshotReader reader)
    {
        var target = new ConfigTarget((ConfigKind)reader.Byte(), reader.Text());
        var values = None.ToBuilder();
        for (var n = reader.Count(); n > 0; n--) values[reader.Text()] = reader.Text();
        return (target, values.ToImmutable());
    }
}

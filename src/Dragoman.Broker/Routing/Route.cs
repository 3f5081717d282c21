using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Routing;

/// <summary>What a route leads to.</summary>
public enum RouteTargetKind : byte
{
    /// <summary>A queue.</summary>
    Queue = 0,

    /// <summary>Another topic.</summary>
    Topic = 1,
}

/// <summary>Where a route leads: a queue or a topic of the same namespace as its source.</summary>
/// <param name="Kind">Which of the two.</param>
/// <param name="Name">Its name.</param>
/// <param name="Id">The queue's id, so that a queue created anew under the name is another; empty for topics.</param>
public sealed record RouteTarget(RouteTargetKind Kind, string Name, Guid Id);

/// <summary>A named value that a route matches headers with, or that a front end keeps with it.</summary>
/// <param name="Name">The name.</param>
/// <param name="Type">The type of the value as <see cref="Messages.HeaderTypes"/> has it; empty for text.</param>
/// <param name="Value">The value: text, or what the type says.</param>
public sealed record RouteArgument(string Name, string Type, ReadOnlyMemory<byte> Value)
{
    /// <inheritdoc/>
    public bool Equals(RouteArgument? other) => other is not null && Name == other.Name && Type == other.Type && Value.Span.SequenceEqual(other.Value.Span);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Type, Value.Length);
}

/// <summary>A rule that carries messages from a topic to a queue or to another topic.</summary>
public sealed record Route
{
    /// <summary>2 adds which log the first offsets belong to.</summary>
    private const byte Version = 2;

    /// <summary>The topic.</summary>
    public required TopicName Source { get; init; }

    /// <summary>Where it leads.</summary>
    public required RouteTarget Target { get; init; }

    /// <summary>The key or pattern that the source's type matches routing keys with.</summary>
    public string Key { get; init; } = "";

    /// <summary>What the source's type matches headers with, and what a front end keeps, in order.</summary>
    public IReadOnlyList<RouteArgument> Arguments { get; init; } = [];

    /// <summary>Whether it is there after a restart: where both ends are.</summary>
    public bool IsDurable { get; init; } = true;

    /// <summary>
    /// The first offsets that the route carries where its source keeps a log, by partition: what was published before the
    /// route was made is not carried.
    /// </summary>
    public IReadOnlyList<long> StartOffsets { get; init; } = [];

    /// <summary>
    /// The topic whose log <see cref="StartOffsets"/> speak of, or empty if there was none when the route was made. Of a log
    /// that came later everything is carried.
    /// </summary>
    public Guid StartsIn { get; init; }

    /// <summary>The first offset that the route carries of a partition.</summary>
    /// <param name="topic">The id of the topic that the partition belongs to.</param>
    /// <param name="partition">The partition's index.</param>
    public long FirstOffset(Guid topic, int partition) =>
        (topic == StartsIn || StartsIn == Guid.Empty) && partition < StartOffsets.Count ? StartOffsets[partition] : 0;

    /// <summary>Whether it is the same rule, whatever it keeps beside it.</summary>
    public bool IsSameRule(Route other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Source == other.Source && Target == other.Target && Key == other.Key && Arguments.SequenceEqual(other.Arguments);
    }

    internal int EncodedSize
    {
        get
        {
            var size = 144 + 3 * (Source.Namespace.Tenant.Length + Source.Namespace.Name.Length + Source.Name.Length + Target.Name.Length + Key.Length) + 8 * StartOffsets.Count;
            foreach (var argument in Arguments) size += 16 + 3 * argument.Name.Length + argument.Type.Length + argument.Value.Length;
            return size;
        }
    }

    internal void Write(in SnapshotWriter writer)
    {
        writer.Byte(Version);
        WriteName(writer, Source);
        writer.Byte((byte)Target.Kind);
        writer.Text(Target.Name);
        writer.Guid(Target.Id);
        writer.Text(Key);
        writer.Int32(Arguments.Count);
        foreach (var argument in Arguments)
        {
            writer.Text(argument.Name);
            writer.Text(argument.Type);
            writer.Bytes(argument.Value.Span);
        }
        writer.Int32(StartOffsets.Count);
        foreach (var offset in StartOffsets) writer.Int64(offset);
        writer.Guid(StartsIn);
    }

    internal static Route Read(ref SnapshotReader reader)
    {
        var version = reader.Version(Version, "route");
        var source = ReadName(ref reader);
        var target = new RouteTarget((RouteTargetKind)reader.Byte(), reader.Text(), reader.Guid());
        var key = reader.Text();
        var arguments = new RouteArgument[reader.Count()];
        for (var i = 0; i < arguments.Length; i++) arguments[i] = new RouteArgument(reader.Text(), reader.Text(), reader.Bytes().ToArray());
        var starts = new long[reader.Count()];
        for (var i = 0; i < starts.Length; i++) starts[i] = reader.Int64();
        return new Route { Source = source, Target = target, Key = key, Arguments = arguments, StartOffsets = starts, StartsIn = version < 2 ? Guid.Empty : reader.Guid() };
    }

    internal static void WriteName(in SnapshotWriter writer, TopicName name)
    {
        writer.Text(name.Namespace.Tenant);
        writer.Text(name.Namespace.Name);
        writer.Text(name.Name);
    }

    internal static TopicName ReadName(ref SnapshotReader reader) => new(new NamespaceName(reader.Text(), reader.Text()), reader.Text());
}

using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Namespaces;

/// <summary>Which namespaces were created: the state machine behind <see cref="Namespaces"/>. Version 2 added attributes.</summary>
internal sealed class NamespaceState() : NamedRegistry<NamespaceName, NamespaceEntry>(version: 2, "namespace", "namespaces")
{
    /// <summary>The default namespace as long as nothing else is said of it.</summary>
    public static NamespaceEntry Default { get; } = new(NamespaceName.Default, "Where everything lives that names no namespace", DateTimeOffset.UnixEpoch);

    protected override NamespaceName NameOf(NamespaceEntry entry) => entry.Name;

    protected override void Write(in SnapshotWriter writer, NamespaceEntry entry)
    {
        WriteNamespace(writer, entry.Name);
        writer.Text(entry.Description);
        writer.Int64(entry.CreatedAt.ToUnixTimeMilliseconds());
        writer.Int32(entry.Attributes.Count);
        foreach (var (name, value) in entry.Attributes)
        {
            writer.Text(name);
            writer.Text(value);
        }
    }

    protected override NamespaceEntry Read(ref SnapshotReader reader, byte written)
    {
        var entry = new NamespaceEntry(ReadNamespace(ref reader), reader.Text(), DateTimeOffset.FromUnixTimeMilliseconds(reader.Int64()));
        if (written < 2) return entry;
        var attributes = entry.Attributes.ToBuilder();
        for (var n = reader.Count(); n > 0; n--) attributes[reader.Text()] = reader.Text();
        return entry with { Attributes = attributes.ToImmutable() };
    }

    protected override void WriteName(in SnapshotWriter writer, NamespaceName name) => WriteNamespace(writer, name);

    protected override NamespaceName ReadName(ref SnapshotReader reader) => ReadNamespace(ref reader);
}

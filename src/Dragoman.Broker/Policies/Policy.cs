using System.Text.Json;
using Dragoman.Broker.Namespaces;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Policies;

/// <summary>What a policy applies to.</summary>
public enum PolicyTarget : byte
{
    /// <summary>Queues of all kinds, and exchanges.</summary>
    All = 0,

    /// <summary>Queues of all kinds.</summary>
    Queues = 1,

    /// <summary>Classic queues, which all are that are no others.</summary>
    ClassicQueues = 2,

    /// <summary>Quorum queues.</summary>
    QuorumQueues = 3,

    /// <summary>Streams.</summary>
    Streams = 4,

    /// <summary>Exchanges: topics as far as they route.</summary>
    Exchanges = 5,
}

/// <summary>Settings for the queues and exchanges of a namespace whose names a pattern matches.</summary>
public sealed record Policy
{
    private const byte Version = 1;

    /// <summary>The namespace.</summary>
    public required NamespaceName Namespace { get; init; }

    /// <summary>Its name, of which there is one policy and one operator policy in a namespace.</summary>
    public required string Name { get; init; }

    /// <summary>Whether it is an operator's, which applies beside the one that users set, and limits it.</summary>
    public bool IsOperator { get; init; }

    /// <summary>The regular expression that names have to contain a match of.</summary>
    public required string Pattern { get; init; }

    /// <summary>What it applies to.</summary>
    public PolicyTarget ApplyTo { get; init; }

    /// <summary>Of the policies that match, the one with the highest priority applies, and no other.</summary>
    public long Priority { get; init; }

    /// <summary>The settings: a JSON object.</summary>
    public required string Definition { get; init; }

    /// <summary>The settings, by name.</summary>
    public IEnumerable<KeyValuePair<string, JsonElement>> Settings
    {
        get
        {
            using var document = JsonDocument.Parse(Definition);
            var settings = new List<KeyValuePair<string, JsonElement>>();
            foreach (var setting in document.RootElement.EnumerateObject()) settings.Add(KeyValuePair.Create(setting.Name, setting.Value.Clone()));
            return settings;
        }
    }

    internal int EncodedSize => 64 + 3 * (Namespace.Tenant.Length + Namespace.Name.Length + Name.Length + Pattern.Length + Definition.Length);

    internal void Write(in SnapshotWriter writer)
    {
        writer.Byte(Version);
        writer.Text(Namespace.Tenant);
        writer.Text(Namespace.Name);
        writer.Text(Name);
        writer.Bool(IsOperator);
        writer.Text(Pattern);
        writer.Byte((byte)ApplyTo);
        writer.Int64(Priority);
        writer.Text(Definition);
    }

    internal static Policy Read(ref SnapshotReader reader)
    {
        reader.Version(Version, "policy");
        return new Policy
        {
            Namespace = new NamespaceName(reader.Text(), reader.Text()),
            Name = reader.Text(),
            IsOperator = reader.Bool(),
            Pattern = reader.Text(),
            ApplyTo = (PolicyTarget)reader.Byte(),
            Priority = reader.Int64(),
            Definition = reader.Text(),
        };
    }
}

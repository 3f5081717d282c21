using System.Text;
using Dragoman.Broker.Namespaces;

namespace Dragoman.Broker.Groups;

/// <summary>A consumer group's name: unique within its namespace.</summary>
/// <param name="Namespace">The namespace.</param>
/// <param name="Name">The name within it; may be empty, which is a name that only commits offsets.</param>
public sealed record GroupName(NamespaceName Namespace, string Name)
{
    /// <summary>The most bytes of UTF-8 that a name may have; the length that Kafka's oldest requests can spell.</summary>
    public const int MaxLength = short.MaxValue;

    /// <summary>A group of the default namespace.</summary>
    public static GroupName InDefault(string name) => new(NamespaceName.Default, name);

    /// <inheritdoc/>
    public override string ToString() => Namespace == NamespaceName.Default ? Name : $"{Namespace}/{Name}";

    /// <summary>A hash that is the same on every machine and in every release: it decides which shard holds the group.</summary>
    internal uint StableHash()
    {
        // FNV-1a. Not chosen for speed: it has to stay what it is for as long as there are data directories.
        var hash = 2166136261u;
        foreach (var part in (ReadOnlySpan<string>)[Namespace.Tenant, Namespace.Name, Name])
        {
            foreach (var b in Encoding.UTF8.GetBytes(part)) hash = (hash ^ b) * 16777619u;
            hash = (hash ^ (byte)'/') * 16777619u;
        }
        return hash;
    }
}

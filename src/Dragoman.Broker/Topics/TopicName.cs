using Dragoman.Broker.Namespaces;

namespace Dragoman.Broker.Topics;

/// <summary>A topic's name: unique among the topics of its namespace. Queues are named apart.</summary>
/// <param name="Namespace">The namespace.</param>
/// <param name="Name">The name within it; up to <see cref="MaxLength"/> UTF-8 bytes, no control characters.</param>
public sealed record TopicName(NamespaceName Namespace, string Name)
{
    /// <summary>The most bytes of UTF-8 that a name may have.</summary>
    public const int MaxLength = 1024;

    /// <summary>Names that start so belong to queues seen as topics.</summary>
    public const string QueuePrefix = "queue.";

    /// <summary>Whether it is the name of a queue, seen as a topic.</summary>
    public bool IsOfQueue => Name.Length > QueuePrefix.Length && Name.StartsWith(QueuePrefix, StringComparison.Ordinal);

    /// <summary>A topic of the default namespace.</summary>
    public static TopicName InDefault(string name) => new(NamespaceName.Default, name);

    /// <summary>Whether the name may be given to a topic.</summary>
    public static bool IsValid(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.Length == 0 || System.Text.Encoding.UTF8.GetByteCount(name) > MaxLength) return false;
        foreach (var c in name)
            if (char.IsControl(c)) return false;
        return !name.StartsWith(QueuePrefix, StringComparison.Ordinal);
    }

    /// <inheritdoc/>
    public override string ToString() => Namespace == NamespaceName.Default ? Name : $"{Namespace}/{Name}";
}

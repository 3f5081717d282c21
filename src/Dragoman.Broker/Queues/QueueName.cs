using Dragoman.Broker.Namespaces;

namespace Dragoman.Broker.Queues;

/// <summary>A queue's name: unique among the queues of its namespace. Topics are named apart.</summary>
/// <param name="Namespace">The namespace.</param>
/// <param name="Name">The name within it; up to <see cref="MaxLength"/> UTF-8 bytes, no control characters.</param>
public sealed record QueueName(NamespaceName Namespace, string Name)
{
    /// <summary>The most bytes of UTF-8 that a name may have.</summary>
    public const int MaxLength = 1024;

    /// <summary>A queue of the default namespace.</summary>
    public static QueueName InDefault(string name) => new(NamespaceName.Default, name);

    /// <summary>Whether the name may be given to a queue.</summary>
    public static bool IsValid(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.Length == 0 || System.Text.Encoding.UTF8.GetByteCount(name) > MaxLength) return false;
        foreach (var c in name)
            if (char.IsControl(c)) return false;
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => Namespace == NamespaceName.Default ? Name : $"{Namespace}/{Name}";
}

using Dragoman.Broker.Namespaces;

namespace Dragoman.Broker.Transactions;

/// <summary>
/// The name under which a producer of transactions is known across its restarts. Whoever takes it over fences those
/// who had it before.
/// </summary>
/// <param name="Namespace">The namespace.</param>
/// <param name="Name">The name within it.</param>
public readonly record struct TransactionalId(NamespaceName Namespace, string Name)
{
    /// <summary>An id of the default namespace.</summary>
    public static TransactionalId InDefault(string name) => new(NamespaceName.Default, name);

    /// <inheritdoc/>
    public override string ToString() => Namespace == NamespaceName.Default ? Name : $"{Namespace}/{Name}";
}

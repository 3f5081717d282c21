using System.Diagnostics.CodeAnalysis;

namespace Dragoman.Broker.Namespaces;

/// <summary>The isolation boundary that names live in: a tenant and a namespace of it.</summary>
/// <param name="Tenant">The tenant.</param>
/// <param name="Name">The namespace within the tenant.</param>
public sealed record NamespaceName(string Tenant, string Name)
{
    /// <summary>Where everything lives that names no namespace.</summary>
    public static NamespaceName Default { get; } = new("public", "default");

    /// <summary>Reads <c>tenant/namespace</c>.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out NamespaceName? name)
    {
        ArgumentNullException.ThrowIfNull(text);
        name = null;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash <= 0 || slash == text.Length - 1 || text.IndexOf('/', slash + 1) >= 0) return false;
        name = new NamespaceName(text[..slash], text[(slash + 1)..]);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Tenant}/{Name}";
}

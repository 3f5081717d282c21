using Dragoman.Broker.Namespaces;

namespace Dragoman.Amqp.Access;

/// <summary>
/// Which virtual host is which namespace: <c>/</c> is <c>public/default</c>, a name is that namespace of tenant
/// <c>public</c>, and <c>tenant/name</c> is itself.
/// </summary>
public static class VirtualHosts
{
    /// <summary>The virtual host of those who name none.</summary>
    public const string Default = "/";

    private const string PublicTenant = "public";

    /// <summary>The namespace that a virtual host is; null if the name cannot be one.</summary>
    public static NamespaceName? ToNamespace(string virtualHost)
    {
        ArgumentNullException.ThrowIfNull(virtualHost);
        if (virtualHost is Default) return NamespaceName.Default;
        if (virtualHost.Length == 0) return null;
        // One slash in the middle separates tenant and namespace; any other is a part of the name.
        var isPair = virtualHost.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash && slash < virtualHost.Length - 1 && slash == virtualHost.LastIndexOf('/');
        if (isPair && NamespaceName.TryParse(virtualHost, out var pair)) return pair;
        return new NamespaceName(PublicTenant, virtualHost.Replace("%", "%25", StringComparison.Ordinal).Replace("/", "%2F", StringComparison.Ordinal));
    }

    /// <summary>The virtual host that a namespace is.</summary>
    public static string FromNamespace(NamespaceName space)
    {
        ArgumentNullException.ThrowIfNull(space);
        if (space == NamespaceName.Default) return Default;
        if (space.Tenant != PublicTenant) return space.ToString();
        return space.Name.Replace("%2F", "/", StringComparison.Ordinal).Replace("%25", "%", StringComparison.Ordinal);
    }
}

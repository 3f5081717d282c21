using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Security;

namespace Dragoman.Protocols.RabbitMq;

/// <summary>
/// Which virtual host is which namespace: <c>/</c> is <c>public/default</c>, a name is that namespace of tenant
/// <c>public</c>, and <c>tenant/name</c> is itself.
/// </summary>
public static class VirtualHosts
{
    /// <summary>The virtual host of those who name none.</summary>
    public const string Default = "/";

    /// <summary>The attribute of a namespace that says of what type queues are of which nothing is said.</summary>
    public const string DefaultQueueTypeAttribute = "amqp.default-queue-type";

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

    /// <summary>Whether a user may use a virtual host: administrators may, and whoever has a permission there.</summary>
    /// <param name="accounts">Users and permissions.</param>
    /// <param name="user">The user's name; null for a client that has not logged in.</param>
    /// <param name="space">The namespace that the virtual host is.</param>
    public static bool MayEnter(IAccounts accounts, string? user, NamespaceName space)
    {
        ArgumentNullException.ThrowIfNull(accounts);
        if (!accounts.IsEnabled || (user is not null && accounts.Find(user) is { IsAdministrator: true })) return true;
        foreach (var rule in accounts.Permissions)
            if (rule.Effect == Effect.Allow && (rule.User == user || rule.User == Permission.Everyone) && (rule.Namespace is null || rule.Namespace == space)) return true;
        return false;
    }
}

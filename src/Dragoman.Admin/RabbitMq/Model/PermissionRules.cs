using System.Text.Json.Nodes;
using Dragoman.Admin.RabbitMq.Http;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Security;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Admin.RabbitMq.Model;

/// <summary>RabbitMQ's three regular expressions of a user in a virtual host.</summary>
internal readonly record struct PermissionTriple(string Configure, string Write, string Read);

/// <summary>What a user may do in a virtual host.</summary>
internal sealed record VhostPermission(string User, NamespaceName Space, PermissionTriple Patterns)
{
    /// <summary>As the API shows it.</summary>
    public JsonObject ToJson() => new()
    {
        ["user"] = User,
        ["vhost"] = VirtualHosts.FromNamespace(Space),
        ["configure"] = Patterns.Configure,
        ["write"] = Patterns.Write,
        ["read"] = Patterns.Read,
    };
}

/// <summary>
/// RabbitMQ's permissions as rules of the broker: each of the three expressions is a rule for topics and queues alike, from
/// any address. Rules that other protocols or the admin API made are not of this shape, and not RabbitMQ's.
/// </summary>
internal static class PermissionRules
{
    /// <summary>All permissions, by user and virtual host.</summary>
    public static List<VhostPermission> List(IAccounts accounts)
    {
        var found = new Dictionary<(string User, NamespaceName Space), PermissionTriple>();
        foreach (var rule in accounts.Permissions)
        {
            if (!IsOurs(rule)) continue;
            var key = (rule.User, rule.Namespace!);
            var triple = found.GetValueOrDefault(key, new PermissionTriple("", "", ""));
            found[key] = rule.Operations switch
            {
                Operations.Configure => triple with { Configure = rule.Pattern.Text },
                Operations.Write => triple with { Write = rule.Pattern.Text },
                _ => triple with { Read = rule.Pattern.Text },
            };
        }
        return [.. found.Select(static p => new VhostPermission(p.Key.User, p.Key.Space, p.Value)).OrderBy(static p => p.User, StringComparer.Ordinal).ThenBy(static p => VirtualHosts.FromNamespace(p.Space), StringComparer.Ordinal)];
    }

    /// <summary>The permission of a user in a virtual host; null if there is none.</summary>
    public static VhostPermission? Find(IAccounts accounts, string user, NamespaceName space) => List(accounts).Find(p => p.User == user && p.Space == space);

    /// <summary>Says what a user may do in a virtual host, in the place of what was said before.</summary>
    /// <exception cref="ManagementException">An expression is none, or the change was not made.</exception>
    public static async Task PutAsync(IAccounts accounts, string user, NamespaceName space, PermissionTriple triple)
    {
        Permission[] rules =
        [
            new(user, space, ResourceKind.Any, Pattern(triple.Configure), Operations.Configure),
            new(user, space, ResourceKind.Any, Pattern(triple.Write), Operations.Write),
            new(user, space, ResourceKind.Any, Pattern(triple.Read), Operations.Read),
        ];
        UserRules.Succeeded(await accounts.AddPermissionsAsync(rules));
        // The new ones come first, so that the user is never without.
        await accounts.RemovePermissionsAsync(p => IsOurs(p) && p.User == user && p.Namespace == space && !rules.Contains(p));
    }

    /// <summary>Takes a user's permission in a virtual host away.</summary>
    public static async Task DeleteAsync(IAccounts accounts, string user, NamespaceName space) =>
        await accounts.RemovePermissionsAsync(p => IsOurs(p) && p.User == user && p.Namespace == space);

    /// <summary>A permission for routing keys as the API shows it.</summary>
    public static JsonObject ToJson(TopicPermission permission) => new()
    {
        ["user"] = permission.User,
        ["vhost"] = VirtualHosts.FromNamespace(permission.Topic.Namespace),
        ["exchange"] = permission.Topic.Name,
        ["write"] = permission.Write,
        ["read"] = permission.Read,
    };

    /// <summary>An expression.</summary>
    /// <exception cref="ManagementException">It is none.</exception>
    public static NamePattern Pattern(string text)
    {
        try
        {
            return new NamePattern(PatternKind.Regex, text);
        }
        catch (ArgumentException error)
        {
            throw ManagementException.BadTerm("invalid_regexp", text, error.Message);
        }
    }

    private static bool IsOurs(Permission rule) =>
        rule is { Kind: ResourceKind.Any, Effect: Effect.Allow, Host: Permission.AnyHost, Pattern.Kind: PatternKind.Regex, Namespace: not null, Operations: Operations.Configure or Operations.Write or Operations.Read };
}

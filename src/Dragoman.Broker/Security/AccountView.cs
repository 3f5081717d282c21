using System.Collections.Frozen;
using System.Collections.Immutable;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Topics;

namespace Dragoman.Broker.Security;

/// <summary>Users and permissions at one moment, indexed for decisions. Immutable.</summary>
internal sealed class AccountView
{
    private readonly FrozenDictionary<string, ImmutableArray<Permission>> _byUser;

    private readonly FrozenDictionary<(string, TopicName), TopicPermission> _keyRules;

    public AccountView(long version, ImmutableSortedDictionary<string, User> users, ImmutableList<Permission> permissions, ImmutableList<TopicPermission> topicPermissions)
    {
        Version = version;
        Users = users;
        Permissions = permissions;
        TopicPermissions = topicPermissions;
        _keyRules = topicPermissions.ToFrozenDictionary(p => (p.User, p.Topic));
        _byUser = permissions.GroupBy(p => p.User, StringComparer.Ordinal).ToFrozenDictionary(g => g.Key, g => g.ToImmutableArray(), StringComparer.Ordinal);
        AccessKeys = users.Values.SelectMany(u => u.Credentials.OfType<AccessKey>().Select(k => (u, k))).DistinctBy(p => p.k.Id).ToFrozenDictionary(p => p.k.Id, p => p, StringComparer.Ordinal);
        Tokens = users.Values.SelectMany(u => u.Credentials.OfType<TokenHash>().Select(t => (u, Hash: Convert.ToHexString(t.Sha256.AsSpan())))).DistinctBy(p => p.Hash).ToFrozenDictionary(p => p.Hash, p => p.u, StringComparer.Ordinal);
    }

    public long Version { get; }

    public ImmutableSortedDictionary<string, User> Users { get; }

    public ImmutableList<Permission> Permissions { get; }

    public ImmutableList<TopicPermission> TopicPermissions { get; }

    public FrozenDictionary<string, (User User, AccessKey Key)> AccessKeys { get; }

    public FrozenDictionary<string, User> Tokens { get; }

    public bool Allows(string? user, string host, Operations operation, ResourceKind kind, NamespaceName? ns, string name)
    {
        if (Users.IsEmpty || IsAdministrator(user)) return true;
        var allowed = false;
        foreach (var rule in RulesOf(user))
        {
            if (!rule.Covers(kind, ns, name) || !IsFrom(rule, host)) continue;
            if (rule.Effect == Effect.Deny)
            {
                if ((rule.Operations & operation) != 0) return false;
            }
            else
            {
                allowed |= (WithImplied(rule.Operations) & operation) != 0;
            }
        }
        return allowed;
    }

    public bool AllowsKey(string? user, Operations operation, TopicName topic, string routingKey, string space) =>
        Users.IsEmpty || IsAdministrator(user) || user is null || !_keyRules.TryGetValue((user, topic), out var rule) || rule.Allows(operation, routingKey, space);

    /// <summary>
    /// As Kafka's authorizer decides it: some allowed pattern must not be hidden by a denied one that covers all of it.
    /// </summary>
    public bool AllowsAny(string? user, string host, Operations operation, ResourceKind kind)
    {
        if (Users.IsEmpty || IsAdministrator(user)) return true;
        var denied = RulesOf(user).Where(r => r.Effect == Effect.Deny && r.Kind == kind && (r.Operations & operation) != 0 && IsFrom(r, host)).ToList();
        return RulesOf(user).Any(r => r.Effect == Effect.Allow && (r.Kind == kind || r.Kind == ResourceKind.Any && kind is ResourceKind.Topic or ResourceKind.Queue)
            && (WithImplied(r.Operations) & operation) != 0 && IsFrom(r, host) && !denied.Any(d => Hides(d.Pattern, r.Pattern)));
    }

    private static bool Hides(NamePattern denied, NamePattern allowed) => denied.Kind switch
    {
        PatternKind.Literal => denied.Text == NamePattern.Wildcard || allowed.Equals(denied),
        PatternKind.Prefix => allowed.Kind is PatternKind.Literal or PatternKind.Prefix && allowed.Text != NamePattern.Wildcard && allowed.Text.StartsWith(denied.Text, StringComparison.Ordinal),
        _ => allowed.Equals(denied),
    };

    private bool IsAdministrator(string? user) => user is not null && Users.TryGetValue(user, out var known) && known.IsAdministrator;

    private IEnumerable<Permission> RulesOf(string? user)
    {
        if (_byUser.TryGetValue(Permission.Everyone, out var everyones))
            foreach (var rule in everyones) yield return rule;
        if (user is null || !_byUser.TryGetValue(user, out var own)) yield break;
        foreach (var rule in own) yield return rule;
    }

    private static bool IsFrom(Permission rule, string host) => rule.Host == Permission.AnyHost || rule.Host == host;

    private static Operations WithImplied(Operations operations)
    {
        if ((operations & (Operations.Read | Operations.Write | Operations.Delete | Operations.Alter)) != 0) operations |= Operations.Describe;
        if ((operations & Operations.AlterConfigs) != 0) operations |= Operations.DescribeConfigs;
        return operations;
    }
}

using Dragoman.Broker.Security;
using Dragoman.Kafka.Wire;

namespace Dragoman.Kafka.Security;

/// <summary>
/// A rule as Kafka spells it. A permission of several operations is several of these; one whose pattern Kafka cannot
/// spell (a regular expression, a glob) is none, and is seen by the other tools alone.
/// </summary>
internal readonly record struct Acl(AclResourceType Resource, string Name, AclPatternType Pattern, string Principal, string Host, AclOperation Operation, AclPermissionType Permission)
{
    private const string UserPrefix = "User:";

    private static readonly (AclOperation Acl, Operations Operation)[] Single =
    [
        (AclOperation.Read, Operations.Read), (AclOperation.Write, Operations.Write), (AclOperation.Create, Operations.Create),
        (AclOperation.Delete, Operations.Delete), (AclOperation.Alter, Operations.Alter), (AclOperation.Describe, Operations.Describe),
        (AclOperation.ClusterAction, Operations.ClusterAction), (AclOperation.DescribeConfigs, Operations.DescribeConfigs),
        (AclOperation.AlterConfigs, Operations.AlterConfigs), (AclOperation.IdempotentWrite, Operations.IdempotentWrite),
    ];

    /// <summary>The rules that a permission is.</summary>
    public static IEnumerable<Acl> Of(Permission permission)
    {
        if (permission.Pattern.Kind is not (PatternKind.Literal or PatternKind.Prefix) || KindOf(permission.Kind) is not { } kind) yield break;
        var pattern = permission.Pattern.Kind == PatternKind.Literal ? AclPatternType.Literal : AclPatternType.Prefixed;
        var effect = permission.Effect == Effect.Allow ? AclPermissionType.Allow : AclPermissionType.Deny;
        var whole = new Acl(kind, permission.Pattern.Text, pattern, UserPrefix + permission.User, permission.Host, AclOperation.All, effect);
        if (permission.Operations == Operations.All)
        {
            yield return whole;
            yield break;
        }
        foreach (var (acl, operation) in Single)
            if ((permission.Operations & operation) != 0) yield return whole with { Operation = acl };
    }

    /// <summary>The permission that this rule is.</summary>
    /// <exception cref="KafkaRequestException">It makes no sense.</exception>
    public Permission ToPermission()
    {
        if (Pattern is not (AclPatternType.Literal or AclPatternType.Prefixed)) throw Bad($"The pattern type of a rule is literal or prefixed, not {Pattern}.");
        if (Name.Length == 0) throw Bad("A rule names a resource.");
        if (!Principal.StartsWith(UserPrefix, StringComparison.Ordinal) || Principal.Length == UserPrefix.Length) throw Bad($"'{Principal}' is no principal; it should look like {UserPrefix}alice.");
        if (Permission is not (AclPermissionType.Allow or AclPermissionType.Deny)) throw Bad("A rule allows or denies.");
        var kind = Resource switch
        {
            AclResourceType.Topic => ResourceKind.Topic,
            AclResourceType.Group => ResourceKind.Group,
            AclResourceType.TransactionalId => ResourceKind.TransactionalId,
            AclResourceType.DelegationToken => ResourceKind.DelegationToken,
            AclResourceType.User => ResourceKind.User,
            AclResourceType.Cluster when Name == Broker.Security.Permission.ClusterName => ResourceKind.Cluster,
            AclResourceType.Cluster => throw Bad($"The only name of a cluster is '{Broker.Security.Permission.ClusterName}'."),
            _ => throw Bad($"A rule is about one kind of resource, not {Resource}."),
        };
        return new Permission(
            Principal[UserPrefix.Length..], null, kind, new NamePattern(Pattern == AclPatternType.Literal ? PatternKind.Literal : PatternKind.Prefix, Name),
            OperationOf(Operation), Permission == AclPermissionType.Allow ? Effect.Allow : Effect.Deny, Host.Length == 0 ? Broker.Security.Permission.AnyHost : Host);
    }

    /// <summary>The operation that a rule's operation is.</summary>
    /// <exception cref="KafkaRequestException">It is none.</exception>
    public static Operations OperationOf(AclOperation operation)
    {
        if (operation == AclOperation.All) return Operations.All;
        foreach (var (acl, single) in Single)
            if (acl == operation) return single;
        throw Bad($"There is nothing here that {operation} would let somebody do.");
    }

    /// <summary>What is left of a permission without the operations of some rules; null if nothing is.</summary>
    public static Permission? Without(Permission permission, IEnumerable<Acl> removed)
    {
        var left = permission.Operations;
        foreach (var acl in removed) left &= ~OperationOf(acl.Operation);
        return left == Operations.None ? null : permission with { Operations = left };
    }

    private static AclResourceType? KindOf(ResourceKind kind) => kind switch
    {
        ResourceKind.Any or ResourceKind.Topic => AclResourceType.Topic,
        ResourceKind.Group => AclResourceType.Group,
        ResourceKind.Cluster => AclResourceType.Cluster,
        ResourceKind.TransactionalId => AclResourceType.TransactionalId,
        ResourceKind.DelegationToken => AclResourceType.DelegationToken,
        ResourceKind.User => AclResourceType.User,
        _ => null,
    };

    private static KafkaRequestException Bad(string message) => new(ErrorCode.InvalidRequest, message);
}

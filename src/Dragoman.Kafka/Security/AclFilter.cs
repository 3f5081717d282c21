using Dragoman.Broker.Security;
using Dragoman.Kafka.Wire;

namespace Dragoman.Kafka.Security;

/// <summary>Picks rules as Kafka's administrators do.</summary>
internal readonly record struct AclFilter(
    AclResourceType Resource, string? Name, AclPatternType Pattern, string? Principal, string? Host, AclOperation Operation, AclPermissionType Permission)
{
    /// <summary>Refuses filters that mean nothing.</summary>
    /// <exception cref="KafkaRequestException">The filter has a part that is unknown.</exception>
    public void Check()
    {
        if (Resource == AclResourceType.Unknown || Pattern == AclPatternType.Unknown || Operation == AclOperation.Unknown || Permission == AclPermissionType.Unknown
            || !Enum.IsDefined(Resource) || !Enum.IsDefined(Pattern) || !Enum.IsDefined(Operation) || !Enum.IsDefined(Permission))
            throw new KafkaRequestException(ErrorCode.InvalidRequest, "The filter has a part that is unknown.");
    }

    /// <summary>Whether a rule is picked.</summary>
    public bool Picks(in Acl acl) =>
        (Resource == AclResourceType.Any || Resource == acl.Resource)
        && PicksName(acl)
        && (Principal is null || Principal == acl.Principal)
        && (Host is null || Host == acl.Host)
        && (Operation == AclOperation.Any || Operation == acl.Operation)
        && (Permission == AclPermissionType.Any || Permission == acl.Permission);

    private bool PicksName(in Acl acl) => Pattern switch
    {
        AclPatternType.Any => Name is null || Name == acl.Name,
        AclPatternType.Match => Name is null || acl.Pattern switch
        {
            AclPatternType.Literal => acl.Name == Name || acl.Name == NamePattern.Wildcard,
            _ => Name.StartsWith(acl.Name, StringComparison.Ordinal),
        },
        _ => Pattern == acl.Pattern && (Name is null || Name == acl.Name),
    };
}

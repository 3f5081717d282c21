namespace Dragoman.Broker.Groups.Consumer.Assignors;

/// <summary>What an assignor knows of a member.</summary>
/// <param name="Id">Its id.</param>
/// <param name="InstanceId">The id of a static member; null for others.</param>
/// <param name="Topics">The topics that it reads, as far as they are there.</param>
/// <param name="Present">What was assigned to it before.</param>
internal sealed record AssignedMember(string Id, string? InstanceId, IReadOnlySet<Guid> Topics, PartitionSet Present);

/// <summary>Deals partitions out to members: each partition of a topic that somebody reads to exactly one who reads it.</summary>
internal interface IAssignor
{
    /// <summary>The name by which members ask for it.</summary>
    string Name { get; }

    /// <summary>The shares, by member id. The result is a function of the arguments.</summary>
    IReadOnlyDictionary<string, PartitionSet> Assign(IReadOnlyList<AssignedMember> members, IReadOnlyDictionary<Guid, int> topics);
}

namespace Dragoman.Broker.Groups;

/// <summary>Who a request says it comes from.</summary>
/// <param name="MemberId">The member's id; empty if it is none.</param>
/// <param name="InstanceId">The id of a static member; null for others.</param>
/// <param name="Generation">The generation or member epoch that the member believes in; negative if it is none.</param>
public readonly record struct GroupCaller(string MemberId, string? InstanceId, int Generation)
{
    /// <summary>Somebody who is no member: a tool, or a consumer that chooses its partitions itself.</summary>
    public static GroupCaller Outsider { get; } = new("", null, -1);
}

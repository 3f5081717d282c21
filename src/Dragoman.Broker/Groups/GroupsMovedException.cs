namespace Dragoman.Broker.Groups;

/// <summary>A shard of groups is served by somebody else now. What was asked has had no effect.</summary>
internal sealed class GroupsMovedException() : Exception("The groups have moved.");

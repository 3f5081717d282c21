namespace Dragoman.Broker.Groups;

/// <summary>A group that has members, as far as time is concerned.</summary>
internal interface ILiveGroup
{
    /// <summary>Its name.</summary>
    GroupName Name { get; }

    /// <summary>When the shard will look at it next, in milliseconds of its clock.</summary>
    long ScheduledAt { get; set; }

    /// <summary>When something is due next.</summary>
    long NextDeadline();
}

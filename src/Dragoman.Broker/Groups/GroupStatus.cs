namespace Dragoman.Broker.Groups;

/// <summary>How a request to a consumer group ended.</summary>
public enum GroupStatus
{
    /// <summary>It did what was asked.</summary>
    Ok,

    /// <summary>There is no such group.</summary>
    NotFound,

    /// <summary>The name may not be given to a group that has members.</summary>
    InvalidName,

    /// <summary>The group has no such member.</summary>
    UnknownMember,

    /// <summary>The member belongs to another generation of the group.</summary>
    IllegalGeneration,

    /// <summary>Another member has taken the instance id over.</summary>
    FencedInstance,

    /// <summary>The member is in another epoch: it must give all it has up and join again.</summary>
    FencedMemberEpoch,

    /// <summary>The member is in another epoch than it says, as it will hear with its next heartbeat.</summary>
    StaleMemberEpoch,

    /// <summary>The static member that has the instance id has not gone.</summary>
    UnreleasedInstance,

    /// <summary>The broker has no such assignor.</summary>
    UnsupportedAssignor,

    /// <summary>The pattern of topic names is not valid.</summary>
    InvalidPattern,

    /// <summary>What was asked makes no sense; the message says why.</summary>
    InvalidRequest,

    /// <summary>The members are being assigned anew: join again.</summary>
    RebalanceInProgress,

    /// <summary>Join again with the id that comes with this answer.</summary>
    MemberIdRequired,

    /// <summary>The member is about something else than the others, or shares no way of assigning with them.</summary>
    InconsistentProtocol,

    /// <summary>The session timeout is shorter or longer than the broker allows.</summary>
    InvalidSessionTimeout,

    /// <summary>The group has as many members as the broker allows.</summary>
    GroupFull,

    /// <summary>The group has members and so cannot be deleted or changed from outside.</summary>
    NotEmpty,

    /// <summary>The group reads the topic and so its offsets cannot be deleted.</summary>
    SubscribedToTopic,

    /// <summary>A transaction that is still open may change the offset.</summary>
    UnstableOffset,

    /// <summary>What shall be kept beside an offset is too long.</summary>
    MetadataTooLarge,

    /// <summary>There is no such topic or partition.</summary>
    UnknownPartition,

    /// <summary>Another node has the group; ask for its coordinator again.</summary>
    Moved,

    /// <summary>There is no room on disk; later there may be.</summary>
    Full,

    /// <summary>The disk failed.</summary>
    StorageError,
}

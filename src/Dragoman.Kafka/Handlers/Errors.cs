using Dragoman.Broker.Groups;
using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;
using Dragoman.Kafka.Wire;

namespace Dragoman.Kafka.Handlers;

/// <summary>
/// The broker's answers in Kafka's error codes. Clients retry by code: a wrong one makes them give up, or never.
/// </summary>
internal static class Errors
{
    /// <summary>The code for what happened at a partition.</summary>
    public static ErrorCode Of(PartitionStatus status) => status switch
    {
        PartitionStatus.Ok or PartitionStatus.Duplicate => ErrorCode.None,
        PartitionStatus.OutOfOrderSequence => ErrorCode.OutOfOrderSequenceNumber,
        PartitionStatus.StaleProducerEpoch => ErrorCode.InvalidProducerEpoch,
        PartitionStatus.NotInTransaction => ErrorCode.InvalidTxnState,
        PartitionStatus.UnknownProducer => ErrorCode.InvalidProducerIdMapping,
        // What Kafka answers where its own check cannot be made: producers try again on it.
        PartitionStatus.CoordinatorBusy => ErrorCode.NotEnoughReplicas,
        PartitionStatus.CorruptBatch => ErrorCode.CorruptMessage,
        PartitionStatus.InvalidRecord => ErrorCode.InvalidRecord,
        PartitionStatus.TooLarge => ErrorCode.MessageTooLarge,
        PartitionStatus.UnsupportedFormat => ErrorCode.UnsupportedForMessageFormat,
        PartitionStatus.InvalidTimestamp => ErrorCode.InvalidTimestamp,
        PartitionStatus.OffsetOutOfRange => ErrorCode.OffsetOutOfRange,
        PartitionStatus.Full => ErrorCode.KafkaStorageError,
        PartitionStatus.NotFound => ErrorCode.UnknownTopicOrPartition,
        PartitionStatus.Moved => ErrorCode.NotLeaderOrFollower,
        PartitionStatus.StorageError => ErrorCode.KafkaStorageError,
        _ => ErrorCode.UnknownServerError,
    };

    /// <summary>The code for how a change of topics ended.</summary>
    public static ErrorCode Of(TopicStatus status) => status switch
    {
        TopicStatus.Ok => ErrorCode.None,
        TopicStatus.AlreadyExists => ErrorCode.TopicAlreadyExists,
        TopicStatus.NotFound => ErrorCode.UnknownTopicOrPartition,
        TopicStatus.InvalidName => ErrorCode.InvalidTopicException,
        TopicStatus.InvalidPartitions => ErrorCode.InvalidPartitions,
        TopicStatus.Full or TopicStatus.StorageError => ErrorCode.KafkaStorageError,
        _ => ErrorCode.UnknownServerError,
    };

    /// <summary>The code for how a request to a group ended.</summary>
    public static ErrorCode Of(GroupStatus status) => status switch
    {
        GroupStatus.Ok => ErrorCode.None,
        GroupStatus.NotFound => ErrorCode.GroupIdNotFound,
        GroupStatus.InvalidName => ErrorCode.InvalidGroupId,
        GroupStatus.UnknownMember => ErrorCode.UnknownMemberId,
        GroupStatus.IllegalGeneration => ErrorCode.IllegalGeneration,
        GroupStatus.FencedInstance => ErrorCode.FencedInstanceId,
        GroupStatus.RebalanceInProgress => ErrorCode.RebalanceInProgress,
        GroupStatus.MemberIdRequired => ErrorCode.MemberIdRequired,
        GroupStatus.InconsistentProtocol => ErrorCode.InconsistentGroupProtocol,
        GroupStatus.InvalidSessionTimeout => ErrorCode.InvalidSessionTimeout,
        GroupStatus.GroupFull => ErrorCode.GroupMaxSizeReached,
        GroupStatus.FencedMemberEpoch => ErrorCode.FencedMemberEpoch,
        GroupStatus.StaleMemberEpoch => ErrorCode.StaleMemberEpoch,
        GroupStatus.UnreleasedInstance => ErrorCode.UnreleasedInstanceId,
        GroupStatus.UnsupportedAssignor => ErrorCode.UnsupportedAssignor,
        GroupStatus.InvalidPattern => ErrorCode.InvalidRegularExpression,
        GroupStatus.InvalidRequest => ErrorCode.InvalidRequest,
        GroupStatus.NotEmpty => ErrorCode.NonEmptyGroup,
        GroupStatus.SubscribedToTopic => ErrorCode.GroupSubscribedToTopic,
        GroupStatus.UnstableOffset => ErrorCode.UnstableOffsetCommit,
        GroupStatus.MetadataTooLarge => ErrorCode.OffsetMetadataTooLarge,
        GroupStatus.UnknownPartition => ErrorCode.UnknownTopicOrPartition,
        GroupStatus.Moved => ErrorCode.NotCoordinator,
        // Clients look for the coordinator once more and then try again: the disk may have room by then.
        GroupStatus.Full or GroupStatus.StorageError => ErrorCode.CoordinatorNotAvailable,
        _ => ErrorCode.UnknownServerError,
    };

    /// <summary>
    /// Judges the leader epoch that a client believes in (KIP-320): behind ours, it must look up the leader again;
    /// ahead of ours, it should try again.
    /// </summary>
    public static ErrorCode OfEpoch(int clients, int ours) =>
        clients < 0 || clients == ours ? ErrorCode.None : clients < ours ? ErrorCode.FencedLeaderEpoch : ErrorCode.UnknownLeaderEpoch;

    /// <summary>The code for how a change to the accounts ended.</summary>
    public static ErrorCode Of(AccountStatus status) => status switch
    {
        AccountStatus.Ok => ErrorCode.None,
        AccountStatus.NotFound => ErrorCode.ResourceNotFound,
        AccountStatus.AlreadyExists => ErrorCode.DuplicateResource,
        AccountStatus.Full => ErrorCode.KafkaStorageError,
        AccountStatus.StorageError => ErrorCode.KafkaStorageError,
        _ => ErrorCode.InvalidRequest,
    };
}

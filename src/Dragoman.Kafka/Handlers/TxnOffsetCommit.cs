using Dragoman.Broker.Groups;
using Dragoman.Broker.Groups.Offsets;
using Dragoman.Broker.Security;
using Dragoman.Broker.Transactions;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Commits how far a group has read, if and when a producer's transaction is committed (KIP-98, KIP-447).</summary>
internal sealed class TxnOffsetCommitHandler : RequestHandler<TxnOffsetCommitRequest, TxnOffsetCommitResponse>
{
    private const short FirstWithAbortable = 4;

    /// <summary>From this version on, the group is added to the transaction without a request of its own (KIP-890).</summary>
    private const short FirstThatAdds = 5;

    protected override async ValueTask<TxnOffsetCommitResponse?> HandleAsync(TxnOffsetCommitRequest message, PendingRequest request)
    {
        var response = new TxnOffsetCommitResponse { Topics = new(message.Topics.Count) };
        var accepted = new List<OffsetCommit>();
        var answers = new List<TxnOffsetCommitResponse.TxnOffsetCommitResponsePartition>();
        foreach (var asked in message.Topics)
        {
            var topic = request.Broker.TopicsWithQueues.Find(KafkaTopicNames.Parse(asked.Name));
            var answer = new TxnOffsetCommitResponse.TxnOffsetCommitResponseTopic { Name = asked.Name, Partitions = new(asked.Partitions.Count) };
            response.Topics.Add(answer);
            var mayRead = request.MayUseTopic(Operations.Read, asked.Name);
            foreach (var partition in asked.Partitions)
            {
                var result = new TxnOffsetCommitResponse.TxnOffsetCommitResponsePartition { PartitionIndex = partition.PartitionIndex };
                answer.Partitions.Add(result);
                var metadata = partition.CommittedMetadata ?? "";
                if (!mayRead) result.ErrorCode = ErrorCode.TopicAuthorizationFailed;
                else if (topic is null || partition.PartitionIndex < 0) result.ErrorCode = ErrorCode.UnknownTopicOrPartition;
                else if (metadata.Length > request.Broker.Groups.Options.MaxOffsetMetadata) result.ErrorCode = ErrorCode.OffsetMetadataTooLarge;
                else
                {
                    accepted.Add(new(new(topic.Id, partition.PartitionIndex), new(partition.CommittedOffset, partition.CommittedLeaderEpoch, metadata)));
                    answers.Add(result);
                }
            }
        }
        var error = await CommitAsync(message, accepted, request).ConfigureAwait(false);
        foreach (var result in answers) result.ErrorCode = error;
        return response;
    }

    private static async ValueTask<ErrorCode> CommitAsync(TxnOffsetCommitRequest message, List<OffsetCommit> offsets, PendingRequest request)
    {
        if (message.TransactionalId.Length == 0) return ErrorCode.InvalidRequest;
        if (message.GroupId.Length == 0) return ErrorCode.InvalidGroupId;
        if (!request.MayUseTransactionalId(Operations.Write, message.TransactionalId)) return ErrorCode.TransactionalIdAuthorizationFailed;
        if (!request.MayUseGroup(Operations.Read, message.GroupId)) return ErrorCode.GroupAuthorizationFailed;
        var transactions = request.Broker.Transactions;
        var id = TransactionalId.InDefault(message.TransactionalId);
        var producer = new ProducerIdentity(message.ProducerId, message.ProducerEpoch);
        if (request.Version >= FirstThatAdds)
        {
            var added = await transactions.AddGroupAsync(id, producer, message.GroupId).ConfigureAwait(false);
            if (added != TransactionStatus.Ok) return ErrorOf(added, request.Version);
        }
        var caller = new GroupCaller(message.MemberId, message.GroupInstanceId, message.GenerationId);
        var answer = await transactions.CommitOffsetsAsync(id, producer, message.GroupId, caller, offsets).ConfigureAwait(false);
        return answer.Status == TransactionStatus.Ok ? Errors.Of(answer.Group) : ErrorOf(answer.Status, request.Version);
    }

    /// <summary>In Kafka it is the group's coordinator that answers, which knows of fencing by the epoch alone.</summary>
    private static ErrorCode ErrorOf(TransactionStatus status, short version) => status switch
    {
        TransactionStatus.NotInTransaction when version >= FirstWithAbortable => ErrorCode.TransactionAbortable,
        // Both codes are retried; this one by clients of all ages.
        TransactionStatus.Concurrent => ErrorCode.CoordinatorLoadInProgress,
        _ => TransactionErrors.Of(status, knowsFenced: false),
    };
}

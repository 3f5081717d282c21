using Dragoman.Broker.Security;
using Dragoman.Broker.Transactions;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;
using Topic = Dragoman.Kafka.Wire.Messages.AddPartitionsToTxnRequest.AddPartitionsToTxnTopic;
using TopicResult = Dragoman.Kafka.Wire.Messages.AddPartitionsToTxnResponse.AddPartitionsToTxnTopicResult;

namespace Dragoman.Kafka.Handlers;

/// <summary>
/// Adds partitions to a producer's transaction: all or none. From version 4 on, which brokers send to one another, of
/// several producers, and only to ask if that wants (KIP-890).
/// </summary>
internal sealed class AddPartitionsToTxnHandler : RequestHandler<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse>
{
    private const short FirstWithFenced = 2;
    private const short FirstBatched = 4;
    private const short FirstWithAbortable = 5;

    protected override async ValueTask<AddPartitionsToTxnResponse?> HandleAsync(AddPartitionsToTxnRequest message, PendingRequest request)
    {
        if (request.Version < FirstBatched)
        {
            var producer = new ProducerIdentity(message.V3AndBelowProducerId, message.V3AndBelowProducerEpoch);
            return new AddPartitionsToTxnResponse
            {
                ResultsByTopicV3AndBelow = await AddAsync(message.V3AndBelowTransactionalId, producer, message.V3AndBelowTopics, verifyOnly: false, request).ConfigureAwait(false),
            };
        }
        if (!request.MayUseCluster(Operations.ClusterAction)) return new AddPartitionsToTxnResponse { ErrorCode = ErrorCode.ClusterAuthorizationFailed };
        var response = new AddPartitionsToTxnResponse();
        foreach (var transaction in message.Transactions)
        {
            var producer = new ProducerIdentity(transaction.ProducerId, transaction.ProducerEpoch);
            var results = await AddAsync(transaction.TransactionalId, producer, transaction.Topics, transaction.VerifyOnly, request).ConfigureAwait(false);
            response.ResultsByTransaction.Add(new() { TransactionalId = transaction.TransactionalId, TopicResults = results });
        }
        return response;
    }

    private static async ValueTask<List<TopicResult>> AddAsync(string name, ProducerIdentity producer, List<Topic> topics, bool verifyOnly, PendingRequest request)
    {
        if (name.Length == 0) return Answer(topics, (_, _) => ErrorCode.InvalidRequest);
        if (!request.MayUseTransactionalId(Operations.Write, name)) return Answer(topics, (_, _) => ErrorCode.TransactionalIdAuthorizationFailed);
        var id = TransactionalId.InDefault(name);
        var partitions = new List<TransactionPartition>();
        var refused = new Dictionary<(string, int), ErrorCode>();
        foreach (var topic in topics)
        {
            var mayWrite = request.MayUseTopic(Operations.Write, topic.Name);
            var handle = request.Broker.TopicsWithQueues.Find(KafkaTopicNames.Parse(topic.Name));
            foreach (var index in topic.Partitions)
            {
                if (!mayWrite) refused[(topic.Name, index)] = ErrorCode.TopicAuthorizationFailed;
                else if (handle is { IsQueue: true }) refused[(topic.Name, index)] = ErrorCode.InvalidTopicException;
                else if (handle is not null && (uint)index < (uint)handle.Partitions.Count) partitions.Add(new TransactionPartition(handle.Id, index));
                else refused[(topic.Name, index)] = ErrorCode.UnknownTopicOrPartition;
            }
        }
        if (refused.Count > 0)
            return Answer(topics, (topic, index) => refused.GetValueOrDefault((topic, index), ErrorCode.OperationNotAttempted));
        if (verifyOnly) return await VerifyAsync(id, producer, topics, partitions, request).ConfigureAwait(false);
        var status = await request.Broker.Transactions.AddPartitionsAsync(id, producer, partitions.ToArray()).ConfigureAwait(false);
        var error = TransactionErrors.Of(status, request.Version >= FirstWithFenced);
        return Answer(topics, (_, _) => error);
    }

    private static async ValueTask<List<TopicResult>> VerifyAsync(
        TransactionalId id, ProducerIdentity producer, List<Topic> topics, List<TransactionPartition> partitions, PendingRequest request)
    {
        var errors = new Queue<ErrorCode>(partitions.Count);
        foreach (var partition in partitions)
        {
            var (status, _) = await request.Broker.Transactions.VerifyAsync(id, producer, partition).ConfigureAwait(false);
            errors.Enqueue(status == TransactionStatus.NotInTransaction && request.Version >= FirstWithAbortable
                ? ErrorCode.TransactionAbortable
                : TransactionErrors.Of(status, knowsFenced: true));
        }
        return Answer(topics, (_, _) => errors.Dequeue());
    }

    private static List<TopicResult> Answer(List<Topic> topics, Func<string, int, ErrorCode> errorOf)
    {
        var results = new List<TopicResult>(topics.Count);
        foreach (var topic in topics)
        {
            var result = new TopicResult { Name = topic.Name };
            results.Add(result);
            foreach (var index in topic.Partitions)
                result.ResultsByPartition.Add(new() { PartitionIndex = index, PartitionErrorCode = errorOf(topic.Name, index) });
        }
        return results;
    }
}

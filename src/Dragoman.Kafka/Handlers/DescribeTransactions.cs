using Dragoman.Broker.Security;
using Dragoman.Broker.Transactions;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Describes transactions (KIP-664).</summary>
internal sealed class DescribeTransactionsHandler : RequestHandler<DescribeTransactionsRequest, DescribeTransactionsResponse>
{
    protected override ValueTask<DescribeTransactionsResponse?> HandleAsync(DescribeTransactionsRequest message, PendingRequest request)
    {
        var response = new DescribeTransactionsResponse();
        foreach (var name in message.TransactionalIds) response.TransactionStates.Add(Describe(name, request));
        return ValueTask.FromResult<DescribeTransactionsResponse?>(response);
    }

    private static DescribeTransactionsResponse.DescribedTransaction Describe(string name, PendingRequest request)
    {
        var answer = new DescribeTransactionsResponse.DescribedTransaction { TransactionalId = name, ProducerId = -1, ProducerEpoch = -1, TransactionStartTimeMs = -1 };
        if (name.Length == 0)
        {
            answer.ErrorCode = ErrorCode.InvalidRequest;
            return answer;
        }
        if (!request.MayUseTransactionalId(Operations.Describe, name))
        {
            answer.ErrorCode = ErrorCode.TransactionalIdAuthorizationFailed;
            return answer;
        }
        if (request.Broker.Transactions.Describe(TransactionalId.InDefault(name)) is not { } transaction)
        {
            answer.ErrorCode = ErrorCode.TransactionalIdNotFound;
            return answer;
        }
        answer.TransactionState = TransactionStates.NameOf(transaction.State);
        answer.TransactionTimeoutMs = transaction.TimeoutMs;
        answer.TransactionStartTimeMs = transaction.StartedMs;
        answer.ProducerId = transaction.Producer.Id;
        answer.ProducerEpoch = transaction.Producer.Epoch;
        var topics = new Dictionary<Guid, DescribeTransactionsResponse.TopicData>();
        foreach (var partition in transaction.Partitions)
        {
            if (!topics.TryGetValue(partition.TopicId, out var topic))
            {
                // What is written to a topic that has been deleted since is nobody's concern.
                if (request.Broker.Topics.Find(partition.TopicId) is not { } handle || !request.MayUseTopic(Operations.Describe, handle.Name)) continue;
                topics.Add(partition.TopicId, topic = new() { Topic = KafkaTopicNames.Format(handle.Name) });
                answer.Topics.Add(topic);
            }
            topic.Partitions.Add(partition.Index);
        }
        return answer;
    }
}

using Dragoman.Broker.Security;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;
using Dragoman.Storage.Log;

namespace Dragoman.Kafka.Handlers;

/// <summary>Says which producers partitions know, and which of them have a transaction open there (KIP-664).</summary>
internal sealed class DescribeProducersHandler : RequestHandler<DescribeProducersRequest, DescribeProducersResponse>
{
    protected override ValueTask<DescribeProducersResponse?> HandleAsync(DescribeProducersRequest message, PendingRequest request)
    {
        var response = new DescribeProducersResponse();
        var producers = new List<ProducerSummary>();
        foreach (var asked in message.Topics)
        {
            var topic = request.Broker.TopicsWithQueues.Find(KafkaTopicNames.Parse(asked.Name));
            var answers = new DescribeProducersResponse.TopicResponse { Name = asked.Name };
            response.Topics.Add(answers);
            var mayRead = request.MayUseTopic(Operations.Read, asked.Name);
            foreach (var index in asked.PartitionIndexes)
            {
                var answer = new DescribeProducersResponse.PartitionResponse { PartitionIndex = index };
                answers.Partitions.Add(answer);
                if (!mayRead)
                {
                    answer.ErrorCode = ErrorCode.TopicAuthorizationFailed;
                    continue;
                }
                producers.Clear();
                if (topic is null || (uint)index >= (uint)topic.Partitions.Count || !topic.Partitions[index].TryCollectProducers(producers))
                {
                    answer.ErrorCode = ErrorCode.UnknownTopicOrPartition;
                    continue;
                }
                foreach (var producer in producers)
                {
                    answer.ActiveProducers.Add(new()
                    {
                        ProducerId = producer.Id,
                        ProducerEpoch = producer.Epoch,
                        LastSequence = producer.LastSequence,
                        LastTimestamp = producer.LastTimestamp,
                        CoordinatorEpoch = producer.LastEndedTransaction,
                        CurrentTxnStartOffset = producer.OpenTransactionStart,
                    });
                }
            }
        }
        return ValueTask.FromResult<DescribeProducersResponse?>(response);
    }
}

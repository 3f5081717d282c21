using Dragoman.Broker.Security;
using Dragoman.Broker.Transactions;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>
/// Writes markers by hand: what <c>Admin.abortTransaction</c> and <c>kafka-transactions.sh abort</c> ask for when a
/// transaction hangs at a partition. They bear no number, so the coordinator's own are taken all the same.
/// </summary>
internal sealed class WriteTxnMarkersHandler : RequestHandler<WriteTxnMarkersRequest, WriteTxnMarkersResponse>
{
    protected override async ValueTask<WriteTxnMarkersResponse?> HandleAsync(WriteTxnMarkersRequest message, PendingRequest request)
    {
        // Between brokers it is an action of the cluster; of people, who may alter the cluster is trusted with it.
        var may = request.MayUseCluster(Operations.Alter) || request.MayUseCluster(Operations.ClusterAction);
        var response = new WriteTxnMarkersResponse();
        foreach (var asked in message.Markers)
        {
            var marker = new TransactionMarker(new ProducerIdentity(asked.ProducerId, asked.ProducerEpoch), -1, asked.TransactionResult);
            var result = new WriteTxnMarkersResponse.WritableTxnMarkerResult { ProducerId = asked.ProducerId };
            response.Markers.Add(result);
            foreach (var topic in asked.Topics)
            {
                var handle = request.Broker.Topics.Find(KafkaTopicNames.Parse(topic.Name));
                var answers = new WriteTxnMarkersResponse.WritableTxnMarkerTopicResult { Name = topic.Name };
                result.Topics.Add(answers);
                foreach (var index in topic.PartitionIndexes)
                {
                    var error = may ? ErrorCode.UnknownTopicOrPartition : ErrorCode.ClusterAuthorizationFailed;
                    if (may && handle is not null && (uint)index < (uint)handle.Partitions.Count)
                        error = Errors.Of((await handle.Partitions[index].AppendMarkerAsync(marker).ConfigureAwait(false)).Status);
                    answers.Partitions.Add(new() { PartitionIndex = index, ErrorCode = error });
                }
            }
        }
        return response;
    }
}

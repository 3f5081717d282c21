using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;
using Dragoman.Kafka.Quotas;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Adds partitions to topics.</summary>
internal sealed class CreatePartitionsHandler : RequestHandler<CreatePartitionsRequest, CreatePartitionsResponse>
{
    // KIP-599: before this version clients only wait.
    private const short FirstWithRefusals = 3;

    protected override async ValueTask<CreatePartitionsResponse?> HandleAsync(CreatePartitionsRequest message, PendingRequest request)
    {
        var response = new CreatePartitionsResponse();
        foreach (var asked in message.Topics)
        {
            var result = new CreatePartitionsResponse.CreatePartitionsTopicResult { Name = asked.Name };
            response.Results.Add(result);
            try
            {
                if (message.Topics.Count(t => t.Name == asked.Name) > 1)
                    throw new KafkaRequestException(ErrorCode.InvalidRequest, $"The request names topic '{asked.Name}' more than once.");
                if (!request.MayUseTopic(Operations.Alter, asked.Name)) throw new KafkaRequestException(ErrorCode.TopicAuthorizationFailed, "The client may not change this topic.");
                response.ThrottleTimeMs = Math.Max(response.ThrottleTimeMs, await AddAsync(asked, message.ValidateOnly, request).ConfigureAwait(false));
            }
            catch (KafkaRequestException error)
            {
                if (error is QuotaExceededException exceeded) response.ThrottleTimeMs = Math.Max(response.ThrottleTimeMs, exceeded.WaitMs);
                result.ErrorCode = error.Code;
                result.ErrorMessage = error.Message;
            }
        }
        return response;
    }

    private static async ValueTask<int> AddAsync(CreatePartitionsRequest.CreatePartitionsTopic asked, bool validateOnly, PendingRequest request)
    {
        var broker = request.Broker;
        var topic = broker.TopicsWithQueues.Find(KafkaTopicNames.Parse(asked.Name))
            ?? throw new KafkaRequestException(ErrorCode.UnknownTopicOrPartition, $"There is no topic '{asked.Name}'.");
        if (topic.IsQueue) throw new KafkaRequestException(ErrorCode.InvalidPartitions, "A queue has one partition.");
        var now = topic.Partitions.Count;
        if (asked.Count <= now)
            throw new KafkaRequestException(ErrorCode.InvalidPartitions, $"Topic '{asked.Name}' has {now} partitions, and partitions are only added.");
        if (asked.Count > ITopics.MaxPartitions)
            throw new KafkaRequestException(ErrorCode.InvalidPartitions, $"A topic has at most {ITopics.MaxPartitions} partitions.");
        if (asked.Assignments is { } assignments)
        {
            if (assignments.Count != asked.Count - now)
                throw new KafkaRequestException(ErrorCode.InvalidReplicaAssignment, $"{asked.Count - now} partitions are added and {assignments.Count} assigned.");
            if (assignments.Any(a => a.BrokerIds is not [var only] || only != broker.Options.NodeId))
                throw new KafkaRequestException(ErrorCode.InvalidReplicaAssignment, $"There is broker {broker.Options.NodeId} alone.");
        }
        if (validateOnly) return 0;
        var throttle = request.TakeChanges(asked.Count - now, strict: request.Version >= FirstWithRefusals);
        var answer = await broker.Topics.AddPartitionsAsync(topic.Name, asked.Count).ConfigureAwait(false);
        if (answer.Status != TopicStatus.Ok) throw new KafkaRequestException(Errors.Of(answer.Status), answer.Message ?? answer.Status.ToString());
        return throttle;
    }
}

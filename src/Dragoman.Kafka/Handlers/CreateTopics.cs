using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;
using Dragoman.Kafka.Configs;
using Dragoman.Kafka.Quotas;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Creates topics.</summary>
internal sealed class CreateTopicsHandler : RequestHandler<CreateTopicsRequest, CreateTopicsResponse>
{
    private const int Unset = -1;

    // KIP-599: before this version clients only wait.
    private const short FirstWithRefusals = 6;

    protected override async ValueTask<CreateTopicsResponse?> HandleAsync(CreateTopicsRequest message, PendingRequest request)
    {
        var response = new CreateTopicsResponse();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var twice = message.Topics.Where(t => !seen.Add(t.Name)).Select(t => t.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var name in seen)
        {
            var topic = message.Topics.First(t => t.Name == name);
            var result = new CreateTopicsResponse.CreatableTopicResult { Name = name };
            response.Topics.Add(result);
            try
            {
                if (twice.Contains(name)) throw new KafkaRequestException(ErrorCode.InvalidRequest, $"The request names topic '{name}' more than once.");
                if (!request.MayCreateTopic(name)) throw new KafkaRequestException(ErrorCode.TopicAuthorizationFailed, "Authorization failed.");
                response.ThrottleTimeMs = Math.Max(response.ThrottleTimeMs, await CreateAsync(topic, message.ValidateOnly, request, result).ConfigureAwait(false));
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

    private static async ValueTask<int> CreateAsync(
        CreateTopicsRequest.CreatableTopic topic, bool validateOnly, PendingRequest request, CreateTopicsResponse.CreatableTopicResult result)
    {
        var broker = request.Broker;
        if (!KafkaTopicNames.IsLegal(topic.Name, out var why) || !TopicName.IsValid(topic.Name))
            throw new KafkaRequestException(ErrorCode.InvalidTopicException, why ?? $"Topic names do not begin with '{TopicName.QueuePrefix}': it means queues.");
        var name = KafkaTopicNames.Parse(topic.Name);
        if (broker.Topics.Find(name) is not null) throw new KafkaRequestException(ErrorCode.TopicAlreadyExists, $"Topic '{topic.Name}' already exists.");
        var partitions = CountPartitions(topic, broker);
        var defaults = broker.Options.DefaultTopicSettings;
        var settings = TopicConfigs.Change(defaults, defaults, topic.Configs.Select(c => KeyValuePair.Create(
            c.Name, c.Value ?? throw new KafkaRequestException(ErrorCode.InvalidConfig, $"Null value not supported for topic configs: {c.Name}"))!)!);
        var throttle = 0;
        if (!validateOnly)
        {
            throttle = request.TakeChanges(partitions, strict: request.Version >= FirstWithRefusals);
            var answer = await broker.Topics.CreateAsync(name, partitions, settings).ConfigureAwait(false);
            if (answer.Status != TopicStatus.Ok) throw new KafkaRequestException(Errors.Of(answer.Status), answer.Message ?? answer.Status.ToString());
            result.TopicId = answer.Topic!.Id;
        }
        if (!request.MayUseTopic(Operations.DescribeConfigs, topic.Name))
        {
            (result.TopicConfigErrorCode, result.Configs) = (ErrorCode.TopicAuthorizationFailed, []);
            return throttle;
        }
        result.NumPartitions = partitions;
        result.ReplicationFactor = 1;
        result.Configs = [.. TopicConfigs.All.Values.Select(config => new CreateTopicsResponse.CreatableTopicConfigs
        {
            Name = config.Name,
            Value = TopicConfigs.ValueOf(config, settings, defaults),
            ConfigSource = TopicConfigs.IsSet(config, settings, defaults) ? ConfigSource.Topic : ConfigSource.Default,
        })];
        return throttle;
    }

    private static int CountPartitions(CreateTopicsRequest.CreatableTopic topic, Broker.Broker broker)
    {
        if (topic.Assignments.Count > 0)
        {
            if (topic.NumPartitions != Unset || topic.ReplicationFactor != Unset)
                throw new KafkaRequestException(ErrorCode.InvalidRequest, "Where replicas are assigned, the numbers of partitions and replicas are -1.");
            CheckAssignments(topic.Assignments, broker.Options.NodeId);
            return topic.Assignments.Count;
        }
        if (topic.ReplicationFactor is 0 or < Unset)
            throw new KafkaRequestException(ErrorCode.InvalidReplicationFactor, "The replication factor is larger than 0, or -1 for the default.");
        // More replicas than there are brokers are taken, although there is one, and Metadata says so: what applications ask
        // for is written for clusters, and what they want with it, that a message survives, the commit mode promises here.
        if (topic.NumPartitions == Unset) return broker.Options.DefaultPartitions;
        if (topic.NumPartitions is < 1 or > ITopics.MaxPartitions)
            throw new KafkaRequestException(ErrorCode.InvalidPartitions, $"A topic has between 1 and {ITopics.MaxPartitions} partitions, or -1 for the default.");
        return topic.NumPartitions;
    }

    private static void CheckAssignments(List<CreateTopicsRequest.CreatableReplicaAssignment> assignments, int nodeId)
    {
        if (assignments.Count > ITopics.MaxPartitions)
            throw new KafkaRequestException(ErrorCode.InvalidPartitions, $"A topic has at most {ITopics.MaxPartitions} partitions.");
        if (!assignments.Select(a => a.PartitionIndex).Order().SequenceEqual(Enumerable.Range(0, assignments.Count)))
            throw new KafkaRequestException(ErrorCode.InvalidReplicaAssignment, "Partitions are assigned from 0 on, each once.");
        foreach (var assignment in assignments)
            if (assignment.BrokerIds is not [var only] || only != nodeId)
                throw new KafkaRequestException(ErrorCode.InvalidReplicaAssignment, $"Partition {assignment.PartitionIndex} is assigned to [{string.Join(", ", assignment.BrokerIds)}]; there is broker {nodeId} alone.");
    }
}

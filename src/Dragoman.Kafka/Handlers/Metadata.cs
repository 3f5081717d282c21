using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Says which topics there are and where, and creates one that is asked for where both sides allow that.</summary>
internal sealed class MetadataHandler : RequestHandler<MetadataRequest, MetadataResponse>
{
    protected override async ValueTask<MetadataResponse?> HandleAsync(MetadataRequest message, PendingRequest request)
    {
        var broker = request.Broker;
        var (host, port) = Cluster.AddressFor(request.Session);
        var response = new MetadataResponse
        {
            Brokers = [new() { NodeId = broker.Options.NodeId, Host = host, Port = port, Rack = request.FrontEnd.Options.Rack }],
            ClusterId = Cluster.IdOf(broker),
            ControllerId = broker.Options.NodeId,
        };
        if (message.IncludeClusterAuthorizedOperations) response.ClusterAuthorizedOperations = request.ClusterOperations();
        // No list means all topics; in version 0, which cannot leave the list out, an empty one does.
        if (message.Topics is null || (request.Version == 0 && message.Topics.Count == 0))
        {
            foreach (var topic in broker.TopicsWithQueues.List())
                if (topic.Name.Namespace == Broker.Namespaces.NamespaceName.Default && request.MayUseTopic(Operations.Describe, topic.Name)) response.Topics.Add(Describe(topic, request, message));
            return response;
        }
        foreach (var asked in message.Topics) response.Topics.Add(await DescribeAsync(asked, message, request).ConfigureAwait(false));
        return response;
    }

    private static async ValueTask<MetadataResponse.MetadataResponseTopic> DescribeAsync(
        MetadataRequest.MetadataRequestTopic asked, MetadataRequest message, PendingRequest request)
    {
        var broker = request.Broker;
        if (asked.Name is null || asked.TopicId != Guid.Empty)
        {
            // Versions 10 and 11 have the field and did not serve it yet.
            if (request.Version < 12) return Refuse(asked, ErrorCode.InvalidRequest);
            // Who may not see a topic does not learn its name either.
            return broker.TopicsWithQueues.Find(asked.TopicId) is { } byId && request.MayUseTopic(Operations.Describe, byId.Name) ? Describe(byId, request, message) : Refuse(asked, ErrorCode.UnknownTopicId);
        }
        var name = KafkaTopicNames.Parse(asked.Name);
        if (!request.MayUseTopic(Operations.Describe, asked.Name)) return Refuse(asked, ErrorCode.TopicAuthorizationFailed);
        if (broker.TopicsWithQueues.Find(name) is { } found) return Describe(found, request, message);
        if (!KafkaTopicNames.IsLegal(asked.Name, out _)) return Refuse(asked, ErrorCode.InvalidTopicException);
        // A queue is declared elsewhere, and exchanges that are always there get no log by being asked for.
        if (name.Name.StartsWith(TopicName.QueuePrefix, StringComparison.Ordinal) || name.Name.StartsWith("amq.", StringComparison.Ordinal)) return Refuse(asked, ErrorCode.UnknownTopicOrPartition);
        // What only other topics may publish to is not Kafka's to write.
        if (broker.Routing.Find(name) is { Facet.IsInternal: true }) return Refuse(asked, ErrorCode.UnknownTopicOrPartition);
        if (!message.AllowAutoTopicCreation || !broker.Options.AutoCreateTopics) return Refuse(asked, ErrorCode.UnknownTopicOrPartition);
        if (!request.MayCreateTopic(asked.Name)) return Refuse(asked, ErrorCode.TopicAuthorizationFailed);
        var answer = await broker.Topics.CreateAsync(name, broker.Options.DefaultPartitions, broker.Options.DefaultTopicSettings).ConfigureAwait(false);
        return answer is { Status: TopicStatus.Ok or TopicStatus.AlreadyExists, Topic: { } topic }
            ? Describe(topic, request, message)
            : Refuse(asked, answer.Status == TopicStatus.AlreadyExists ? ErrorCode.LeaderNotAvailable : Errors.Of(answer.Status));
    }

    private static MetadataResponse.MetadataResponseTopic Refuse(MetadataRequest.MetadataRequestTopic asked, ErrorCode error) =>
        new() { ErrorCode = error, Name = asked.Name, TopicId = asked.TopicId };

    private static MetadataResponse.MetadataResponseTopic Describe(ITopicHandle topic, PendingRequest request, MetadataRequest message)
    {
        var broker = request.Broker;
        var partitions = topic.Partitions;
        var described = new MetadataResponse.MetadataResponseTopic
        {
            Name = KafkaTopicNames.Format(topic.Name),
            TopicId = topic.Id,
            // Clients that read all topics, or those of a pattern, pass over what is marked so.
            IsInternal = topic.IsQueue,
            Partitions = new List<MetadataResponse.MetadataResponsePartition>(partitions.Count),
        };
        if (message.IncludeTopicAuthorizedOperations) described.TopicAuthorizedOperations = request.TopicOperations(topic.Name);
        List<int> nodes = [broker.Options.NodeId];
        foreach (var partition in partitions)
        {
            var there = partition.TryGetOffsets(out var offsets);
            described.Partitions.Add(new()
            {
                ErrorCode = there ? ErrorCode.None : ErrorCode.LeaderNotAvailable,
                PartitionIndex = partition.Index,
                LeaderId = broker.Options.NodeId,
                LeaderEpoch = there ? offsets.LeaderEpoch : -1,
                ReplicaNodes = nodes,
                IsrNodes = nodes,
            });
        }
        return described;
    }
}

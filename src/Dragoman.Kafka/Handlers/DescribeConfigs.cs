using System.Globalization;
using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;
using Dragoman.Kafka.Configs;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Says how topics and the node are configured: everything, with where each value comes from.</summary>
internal sealed class DescribeConfigsHandler : RequestHandler<DescribeConfigsRequest, DescribeConfigsResponse>
{
    protected override ValueTask<DescribeConfigsResponse?> HandleAsync(DescribeConfigsRequest message, PendingRequest request)
    {
        var response = new DescribeConfigsResponse();
        foreach (var resource in message.Resources)
        {
            var result = new DescribeConfigsResponse.DescribeConfigsResult { ResourceType = resource.ResourceType, ResourceName = resource.ResourceName };
            response.Results.Add(result);
            try
            {
                foreach (var config in Describe(resource, message, request))
                    if (resource.ConfigurationKeys is null || resource.ConfigurationKeys.Count == 0 || resource.ConfigurationKeys.Contains(config.Name)) result.Configs.Add(config);
            }
            catch (KafkaRequestException error)
            {
                result.ErrorCode = error.Code;
                result.ErrorMessage = error.Message;
            }
        }
        return ValueTask.FromResult<DescribeConfigsResponse?>(response);
    }

    private static IEnumerable<DescribeConfigsResponse.DescribeConfigsResourceResult> Describe(
        DescribeConfigsRequest.DescribeConfigsResource resource, DescribeConfigsRequest message, PendingRequest request)
    {
        if (resource.ResourceType == ConfigResourceType.Topic && !request.MayUseTopic(Operations.DescribeConfigs, resource.ResourceName))
            throw new KafkaRequestException(ErrorCode.TopicAuthorizationFailed, "The client may not see this topic's configuration.");
        if (resource.ResourceType != ConfigResourceType.Topic) request.RequireCluster(Operations.DescribeConfigs);
        switch (resource.ResourceType)
        {
            case ConfigResourceType.Topic:
                if (!KafkaTopicNames.IsLegal(resource.ResourceName, out var why) && request.Broker.Topics.Find(KafkaTopicNames.Parse(resource.ResourceName)) is null)
                    throw new KafkaRequestException(ErrorCode.InvalidTopicException, why);
                var topic = request.Broker.Topics.Find(KafkaTopicNames.Parse(resource.ResourceName))
                    ?? throw new KafkaRequestException(ErrorCode.UnknownTopicOrPartition, $"There is no topic '{resource.ResourceName}'.");
                return TopicConfigs.All.Values.Select(config => Describe(config, topic.Settings, request.Broker.Options.DefaultTopicSettings, message));
            case ConfigResourceType.Broker:
                var id = request.Broker.Options.NodeId.ToString(CultureInfo.InvariantCulture);
                // An empty name means what was set for all nodes while they ran: nothing ever is.
                if (resource.ResourceName.Length == 0) return [];
                if (resource.ResourceName != id)
                    throw new KafkaRequestException(ErrorCode.InvalidRequest, $"Unexpected broker id, expected {id}, but received {resource.ResourceName}");
                return BrokerConfigs.Describe(request.FrontEnd).Select(config => new DescribeConfigsResponse.DescribeConfigsResourceResult
                {
                    Name = config.Name,
                    Value = config.Default,
                    ReadOnly = true,
                    ConfigSource = ConfigSource.StaticBroker,
                    ConfigType = config.Type,
                    Documentation = message.IncludeDocumentation ? config.Documentation : null,
                });
            default:
                throw new KafkaRequestException(ErrorCode.InvalidRequest, $"Resources of type {resource.ResourceType} have no configuration here.");
        }
    }

    private static DescribeConfigsResponse.DescribeConfigsResourceResult Describe(
        TopicConfig config, TopicSettings settings, TopicSettings defaults, DescribeConfigsRequest message)
    {
        var isSet = TopicConfigs.IsSet(config, settings, defaults);
        var result = new DescribeConfigsResponse.DescribeConfigsResourceResult
        {
            Name = config.Name,
            Value = TopicConfigs.ValueOf(config, settings, defaults),
            ConfigSource = isSet ? ConfigSource.Topic : ConfigSource.Default,
            ConfigType = config.Type,
            Documentation = message.IncludeDocumentation ? config.Documentation : null,
        };
        if (!message.IncludeSynonyms) return result;
        if (isSet) result.Synonyms.Add(new() { Name = config.Name, Value = result.Value, Source = ConfigSource.Topic });
        result.Synonyms.Add(new() { Name = config.Name, Value = TopicConfigs.ValueOf(config, defaults, defaults), Source = ConfigSource.Default });
        return result;
    }
}

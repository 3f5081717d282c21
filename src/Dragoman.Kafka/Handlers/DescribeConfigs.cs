using Dragoman.Broker.Groups.Consumer;
using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;
using Dragoman.Kafka.Configs;
using Dragoman.Kafka.Groups;
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
        if (resource.ResourceType is not (ConfigResourceType.Topic or ConfigResourceType.Group)) request.RequireCluster(Operations.DescribeConfigs);
        return resource.ResourceType switch
        {
            ConfigResourceType.Topic => DescribeTopic(resource.ResourceName, message, request),
            ConfigResourceType.Broker => DescribeNode(resource.ResourceName, message, request),
            ConfigResourceType.Group => DescribeGroup(resource.ResourceName, message, request),
            ConfigResourceType.BrokerLogger =>
                throw new KafkaRequestException(ErrorCode.InvalidRequest, "What is logged is settled when the broker starts: its loggers have no configuration."),
            _ => throw new KafkaRequestException(ErrorCode.InvalidRequest, $"Resources of type {resource.ResourceType} have no configuration here."),
        };
    }

    private static IEnumerable<DescribeConfigsResponse.DescribeConfigsResourceResult> DescribeTopic(string name, DescribeConfigsRequest message, PendingRequest request)
    {
        if (!request.MayUseTopic(Operations.DescribeConfigs, name))
            throw new KafkaRequestException(ErrorCode.TopicAuthorizationFailed, "The client may not see this topic's configuration.");
        var topic = request.Broker.TopicsWithQueues.Find(KafkaTopicNames.Parse(name));
        if (topic is null && !KafkaTopicNames.IsLegal(name, out var why)) throw new KafkaRequestException(ErrorCode.InvalidTopicException, why);
        if (topic is null) throw new KafkaRequestException(ErrorCode.UnknownTopicOrPartition, $"There is no topic '{name}'.");
        return TopicConfigs.All.Values.Select(config => Describe(config, topic.Settings, message, request));
    }

    private static DescribeConfigsResponse.DescribeConfigsResourceResult Describe(TopicConfig config, TopicSettings settings, DescribeConfigsRequest message, PendingRequest request)
    {
        var defaults = request.Broker.Options.DefaultTopicSettings;
        var values = new List<(string Name, string Value, ConfigSource Source)>();
        if (TopicConfigs.IsSet(config, settings, defaults)) values.Add((config.Name, TopicConfigs.ValueOf(config, settings, defaults), ConfigSource.Topic));
        var standard = TopicConfigs.ValueOf(config, defaults, defaults);
        var nodeName = TopicConfigs.NodeNameOf(config) ?? config.Name;
        if (standard != config.Default) values.Add((nodeName, standard, ConfigSource.StaticBroker));
        values.Add((nodeName, config.Default, ConfigSource.Default));
        return Describe(config, values, isReadOnly: false, message);
    }

    private static IEnumerable<DescribeConfigsResponse.DescribeConfigsResourceResult> DescribeNode(string name, DescribeConfigsRequest message, PendingRequest request)
    {
        var nodes = request.FrontEnd.NodeConfigs;
        // Of all nodes together there is only what was set while they ran.
        if (nodes.Find(name) == NodeConfigs.AllNodes)
        {
            return request.Broker.Configs.Get(NodeConfigs.AllNodes).Where(set => nodes.All.ContainsKey(set.Key)).Select(set =>
                Describe(nodes.All[set.Key].Definition, [(set.Key, set.Value, ConfigSource.DynamicDefaultBroker)], isReadOnly: false, message));
        }
        return nodes.All.Values.Select(config => Describe(config.Definition, [.. nodes.ValuesOf(config).Select(v => (config.Name, v.Value, v.Source))], !config.IsDynamic, message));
    }

    private static IEnumerable<DescribeConfigsResponse.DescribeConfigsResourceResult> DescribeGroup(string name, DescribeConfigsRequest message, PendingRequest request)
    {
        if (!request.MayUseGroup(Operations.DescribeConfigs, name))
            throw new KafkaRequestException(ErrorCode.GroupAuthorizationFailed, "The client may not see this group's configuration.");
        var configured = request.Broker.Configs.Get(ConsumerSettings.TargetOf(KafkaGroupNames.Parse(name)));
        return GroupConfigs.All(request.Broker.Groups.Options).Select(config =>
        {
            var values = new List<(string Name, string Value, ConfigSource Source)>();
            if (configured.TryGetValue(config.Name, out var set)) values.Add((config.Name, set, ConfigSource.Group));
            values.Add((config.Name, config.Default, ConfigSource.Default));
            return Describe(config, values, isReadOnly: false, message);
        });
    }

    /// <summary>One configuration, given the values that it has, the one in force first.</summary>
    private static DescribeConfigsResponse.DescribeConfigsResourceResult Describe(
        TopicConfig config, List<(string Name, string Value, ConfigSource Source)> values, bool isReadOnly, DescribeConfigsRequest message) => new()
        {
            Name = config.Name,
            Value = values[0].Value,
            ReadOnly = isReadOnly,
            ConfigSource = values[0].Source,
            ConfigType = config.Type,
            Documentation = message.IncludeDocumentation ? config.Documentation : null,
            Synonyms = message.IncludeSynonyms ? [.. values.Select(v => new DescribeConfigsResponse.DescribeConfigsSynonym { Name = v.Name, Value = v.Value, Source = v.Source })] : [],
        };
}

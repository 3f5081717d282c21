using Dragoman.Broker.Topics;
using Dragoman.Kafka.Configs;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Changes some configurations of topics (KIP-339).</summary>
internal sealed class IncrementalAlterConfigsHandler : RequestHandler<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>
{
    protected override async ValueTask<IncrementalAlterConfigsResponse?> HandleAsync(IncrementalAlterConfigsRequest message, PendingRequest request)
    {
        var response = new IncrementalAlterConfigsResponse();
        foreach (var resource in message.Resources)
        {
            var result = new IncrementalAlterConfigsResponse.AlterConfigsResourceResponse { ResourceType = resource.ResourceType, ResourceName = resource.ResourceName };
            response.Responses.Add(result);
            try
            {
                if (resource.Configs.DistinctBy(c => c.Name).Count() != resource.Configs.Count)
                    throw new KafkaRequestException(ErrorCode.InvalidRequest, "The request names a configuration more than once.");
                await ConfigChanges.ApplyAsync(
                    resource.ResourceType, resource.ResourceName, (settings, defaults) => Change(settings, defaults, resource.Configs), message.ValidateOnly, request).ConfigureAwait(false);
            }
            catch (KafkaRequestException error)
            {
                result.ErrorCode = error.Code;
                result.ErrorMessage = error.Message;
            }
        }
        return response;
    }

    private static TopicSettings Change(TopicSettings settings, TopicSettings defaults, List<IncrementalAlterConfigsRequest.AlterableConfig> changes) =>
        TopicConfigs.Change(settings, defaults, [.. changes.Select(change => KeyValuePair.Create(change.Name, NewValue(settings, defaults, change)))]);

    private static string? NewValue(TopicSettings settings, TopicSettings defaults, IncrementalAlterConfigsRequest.AlterableConfig change)
    {
        var config = TopicConfigs.Find(change.Name);
        if (change.ConfigOperation == ConfigOperation.Delete) return null;
        var value = change.Value ?? throw new KafkaRequestException(ErrorCode.InvalidRequest, $"Null value not supported for : {change.Name}");
        if (change.ConfigOperation == ConfigOperation.Set) return value;
        if (change.ConfigOperation is not (ConfigOperation.Append or ConfigOperation.Subtract))
            throw new KafkaRequestException(ErrorCode.InvalidRequest, $"There is no operation {(sbyte)change.ConfigOperation} on configurations.");
        if (config.Type != ConfigValueType.List)
            throw new KafkaRequestException(ErrorCode.InvalidConfig, $"{config.Name} is no list: it cannot be added to or taken from.");
        var items = TopicConfig.SplitList(TopicConfigs.ValueOf(config, settings, defaults)).ToList();
        foreach (var item in TopicConfig.SplitList(value))
        {
            if (change.ConfigOperation == ConfigOperation.Subtract) items.Remove(item);
            else if (!items.Contains(item)) items.Add(item);
        }
        return string.Join(',', items);
    }
}

using Dragoman.Broker.Topics;
using Dragoman.Kafka.Configs;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Replaces all configurations of topics: what the request leaves out is at its default afterwards.</summary>
internal sealed class AlterConfigsHandler : RequestHandler<AlterConfigsRequest, AlterConfigsResponse>
{
    protected override async ValueTask<AlterConfigsResponse?> HandleAsync(AlterConfigsRequest message, PendingRequest request)
    {
        var response = new AlterConfigsResponse();
        foreach (var resource in message.Resources)
        {
            var result = new AlterConfigsResponse.AlterConfigsResourceResponse { ResourceType = resource.ResourceType, ResourceName = resource.ResourceName };
            response.Responses.Add(result);
            try
            {
                await ConfigChanges.ApplyAsync(
                    resource.ResourceType, resource.ResourceName, (settings, defaults) => Replace(settings, defaults, resource.Configs), message.ValidateOnly, request).ConfigureAwait(false);
            }
            catch (KafkaRequestException error)
            {
                result.ErrorCode = error.Code;
                result.ErrorMessage = error.Message;
            }
        }
        return response;
    }

    private static TopicSettings Replace(TopicSettings settings, TopicSettings defaults, List<AlterConfigsRequest.AlterableConfig> configs)
    {
        var changes = new Dictionary<string, string?>(StringComparer.Ordinal);
        // The commit mode of a topic in memory is what it is made of, and no client of Kafka's knows to repeat it.
        foreach (var config in TopicConfigs.All.Values)
            if (config.Name != TopicConfigs.CommitModeName && TopicConfigs.IsSet(config, settings, defaults)) changes[config.Name] = null;
        foreach (var config in configs)
            changes[config.Name] = config.Value ?? throw new KafkaRequestException(ErrorCode.InvalidRequest, $"Null value not supported for : {config.Name}");
        return TopicConfigs.Change(settings, defaults, changes);
    }
}

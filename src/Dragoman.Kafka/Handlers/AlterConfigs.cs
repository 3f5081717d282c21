using Dragoman.Kafka.Configs;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Replaces all configurations of topics and nodes: what the request leaves out is at its default afterwards.</summary>
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
                List<ConfigChange> changes = [.. resource.Configs.Select(c => new ConfigChange(c.Name, ConfigOperation.Set, c.Value))];
                await ConfigChanges.ApplyAsync(resource.ResourceType, resource.ResourceName, changes, replaceAll: true, message.ValidateOnly, request).ConfigureAwait(false);
            }
            catch (KafkaRequestException error)
            {
                result.ErrorCode = error.Code;
                result.ErrorMessage = error.Message;
            }
        }
        return response;
    }
}

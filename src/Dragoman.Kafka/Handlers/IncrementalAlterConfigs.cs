using Dragoman.Kafka.Configs;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Changes some configurations of topics and nodes (KIP-339).</summary>
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
                List<ConfigChange> changes = [.. resource.Configs.Select(c => new ConfigChange(c.Name, c.ConfigOperation, c.Value))];
                await ConfigChanges.ApplyAsync(resource.ResourceType, resource.ResourceName, changes, replaceAll: false, message.ValidateOnly, request).ConfigureAwait(false);
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

using Dragoman.Broker.Security;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Refuses to change the levels of features: the release settles them, and ApiVersions names them.</summary>
internal sealed class UpdateFeaturesHandler : RequestHandler<UpdateFeaturesRequest, UpdateFeaturesResponse>
{
    protected override ValueTask<UpdateFeaturesResponse?> HandleAsync(UpdateFeaturesRequest message, PendingRequest request)
    {
        var response = new UpdateFeaturesResponse();
        if (!request.MayUseCluster(Operations.Alter))
        {
            (response.ErrorCode, response.ErrorMessage) = (ErrorCode.ClusterAuthorizationFailed, "The client may not change the cluster.");
            return ValueTask.FromResult<UpdateFeaturesResponse?>(response);
        }
        foreach (var update in message.FeatureUpdates)
        {
            var why = $"Feature '{update.Feature}' cannot be set to level {update.MaxVersionLevel}: what this release does settles the levels of its features.";
            response.Results.Add(new() { Feature = update.Feature, ErrorCode = ErrorCode.InvalidUpdateVersion, ErrorMessage = why });
            // Since version 2 one error stands for all.
            if (request.Version >= 2) (response.ErrorCode, response.ErrorMessage) = (ErrorCode.InvalidUpdateVersion, why);
        }
        return ValueTask.FromResult<UpdateFeaturesResponse?>(response);
    }
}

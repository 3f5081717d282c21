using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Says which requests are served.</summary>
/// <remarks>
/// A version that is not known is answered, in version 0, with an error and the whole list, so that the client can
/// choose again (KIP-511); some clients fail on a list that has this request alone.
/// </remarks>
internal sealed class ApiVersionsHandler : RequestHandler<ApiVersionsRequest, ApiVersionsResponse>
{
    // What tells clients that consumer groups as of KIP-848 are to be had. Levels are settled by the release.
    private const string GroupVersion = "group.version";

    private static readonly List<ApiVersionsResponse.SupportedFeatureKey> s_supported = [new() { Name = GroupVersion, MinVersion = 0, MaxVersion = 1 }];
    private static readonly List<ApiVersionsResponse.FinalizedFeatureKey> s_finalized = [new() { Name = GroupVersion, MinVersionLevel = 1, MaxVersionLevel = 1 }];

    public override bool Handles(short version) => true;

    public override ValueTask HandleAsync(PendingRequest request)
    {
        if (base.Handles(request.Version)) return base.HandleAsync(request);
        request.ResponseVersion = 0;
        request.Response = Answer(request, ErrorCode.UnsupportedVersion);
        return ValueTask.CompletedTask;
    }

    protected override ValueTask<ApiVersionsResponse?> HandleAsync(ApiVersionsRequest message, PendingRequest request)
    {
        var valid = request.Version < 3 || (IsName(message.ClientSoftwareName) && IsName(message.ClientSoftwareVersion));
        return ValueTask.FromResult<ApiVersionsResponse?>(Answer(request, valid ? ErrorCode.None : ErrorCode.InvalidRequest));
    }

    private static ApiVersionsResponse Answer(PendingRequest request, ErrorCode error) => new()
    {
        ErrorCode = error,
        ApiKeys = error == ErrorCode.InvalidRequest ? [] : request.FrontEnd.Handlers.Advertised,
        // A range that begins with 0 is an error to clients that speak version 3 (KIP-1022).
        SupportedFeatures = request.Version >= 4 ? s_supported : [],
        FinalizedFeatures = s_finalized,
        FinalizedFeaturesEpoch = 0,
    };

    /// <summary>What KIP-511 allows: letters, digits, dots and dashes, and neither of these at an end.</summary>
    private static bool IsName(string text)
    {
        if (text.Length == 0 || !char.IsAsciiLetterOrDigit(text[0]) || !char.IsAsciiLetterOrDigit(text[^1])) return false;
        foreach (var c in text)
            if (!char.IsAsciiLetterOrDigit(c) && c is not '-' and not '.') return false;
        return true;
    }
}

using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>
/// Hands out record batches as they are stored. Fetch sessions (KIP-227) are declined: a client that asks for one gets
/// session 0, which means to go on with full requests.
/// </summary>
internal sealed class FetchHandler : RequestHandler<FetchRequest, FetchResponse>
{
    private const int FinalEpoch = -1;
    private const int InitialEpoch = 0;

    protected override ValueTask<FetchResponse?> HandleAsync(FetchRequest message, PendingRequest request)
    {
        // A request that continues a session, which no client of this node can have.
        if (message.SessionEpoch is not FinalEpoch and not InitialEpoch)
            return ValueTask.FromResult<FetchResponse?>(new FetchResponse { ErrorCode = ErrorCode.FetchSessionIdNotFound });
        request.Session.Fetches ??= new FetchOperation(request.Session);
        return request.Session.Fetches.RunAsync(message, request);
    }
}

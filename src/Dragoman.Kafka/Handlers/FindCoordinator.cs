using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Says which node coordinates groups and transactions: this one.</summary>
internal sealed class FindCoordinatorHandler : RequestHandler<FindCoordinatorRequest, FindCoordinatorResponse>
{
    // FindCoordinatorRequest.json: from this version on there are many keys.
    private const short Batched = 4;

    // FindCoordinatorResponse.java, NO_NODE_ID.
    private const int NoNode = -1;

    protected override ValueTask<FindCoordinatorResponse?> HandleAsync(FindCoordinatorRequest message, PendingRequest request)
    {
        var error = message.KeyType is CoordinatorType.Group or CoordinatorType.Transaction ? ErrorCode.None : ErrorCode.InvalidRequest;
        var why = error == ErrorCode.None ? null : $"There is no coordinator of type {message.KeyType}.";
        var node = error == ErrorCode.None ? request.Broker.Options.NodeId : NoNode;
        var (host, port) = error == ErrorCode.None ? Cluster.AddressFor(request.Session) : ("", NoNode);
        var response = new FindCoordinatorResponse();
        if (request.Version < Batched)
        {
            response.ErrorCode = error;
            response.ErrorMessage = why;
            response.NodeId = node;
            response.Host = host;
            response.Port = port;
        }
        else
        {
            foreach (var key in message.CoordinatorKeys)
                response.Coordinators.Add(new() { Key = key, ErrorCode = error, ErrorMessage = why, NodeId = node, Host = host, Port = port });
        }
        return ValueTask.FromResult<FindCoordinatorResponse?>(response);
    }
}

using Dragoman.Broker.Security;
using Dragoman.Kafka.Security;
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
        if (request.Version < Batched && Refusal(message.KeyType, message.Key, request) is var denied and not ErrorCode.None)
            return ValueTask.FromResult<FindCoordinatorResponse?>(new FindCoordinatorResponse { ErrorCode = denied, NodeId = NoNode, Host = "", Port = NoNode });
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
            {
                if (error == ErrorCode.None && Refusal(message.KeyType, key, request) is var refused and not ErrorCode.None)
                    response.Coordinators.Add(new() { Key = key, ErrorCode = refused, NodeId = NoNode, Host = "", Port = NoNode });
                else
                    response.Coordinators.Add(new() { Key = key, ErrorCode = error, ErrorMessage = why, NodeId = node, Host = host, Port = port });
            }
        }
        return ValueTask.FromResult<FindCoordinatorResponse?>(response);
    }

    private static ErrorCode Refusal(CoordinatorType type, string key, PendingRequest request) => type switch
    {
        CoordinatorType.Group when !request.MayUseGroup(Operations.Describe, key) => ErrorCode.GroupAuthorizationFailed,
        CoordinatorType.Transaction when !request.MayUseTransactionalId(Operations.Describe, key) => ErrorCode.TransactionalIdAuthorizationFailed,
        _ => ErrorCode.None,
    };
}

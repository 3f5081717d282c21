using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Says what the cluster consists of: this node.</summary>
internal sealed class DescribeClusterHandler : RequestHandler<DescribeClusterRequest, DescribeClusterResponse>
{
    private const sbyte Brokers = 1;
    private const sbyte Controllers = 2;

    protected override ValueTask<DescribeClusterResponse?> HandleAsync(DescribeClusterRequest message, PendingRequest request)
    {
        if (message.EndpointType != Brokers)
        {
            return ValueTask.FromResult<DescribeClusterResponse?>(new DescribeClusterResponse
            {
                ErrorCode = message.EndpointType == Controllers ? ErrorCode.MismatchedEndpointType : ErrorCode.UnsupportedEndpointType,
                ErrorMessage = "This is a broker's address, and there are no controllers apart from the broker.",
            });
        }
        var node = request.Broker.Options.NodeId;
        var (host, port) = Cluster.AddressFor(request.Session);
        return ValueTask.FromResult<DescribeClusterResponse?>(new DescribeClusterResponse
        {
            ClusterId = Cluster.IdOf(request.Broker),
            ControllerId = node,
            Brokers = [new() { BrokerId = node, Host = host, Port = port, Rack = request.FrontEnd.Options.Rack }],
            ClusterAuthorizedOperations = message.IncludeClusterAuthorizedOperations ? request.ClusterOperations() : int.MinValue,
        });
    }
}

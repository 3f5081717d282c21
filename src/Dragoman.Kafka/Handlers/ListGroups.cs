using Dragoman.Broker.Groups;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Security;
using Dragoman.Kafka.Groups;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Says which groups there are: of certain states and types, if asked so.</summary>
internal sealed class ListGroupsHandler : RequestHandler<ListGroupsRequest, ListGroupsResponse>
{
    protected override async ValueTask<ListGroupsResponse?> HandleAsync(ListGroupsRequest message, PendingRequest request)
    {
        var answer = await request.Broker.Groups.ListAsync().ConfigureAwait(false);
        var response = new ListGroupsResponse { ErrorCode = Errors.Of(answer.Status) };
        foreach (var group in answer.Groups)
        {
            if (group.Name.Namespace != NamespaceName.Default) continue;
            // Who may see the cluster sees all groups; others, those that they may see.
            if (!request.MayUseCluster(Operations.Describe) && !request.MayUseGroup(Operations.Describe, KafkaGroupNames.Format(group.Name))) continue;
            var state = group.State.ToString();
            var type = TypeOf(group.Kind);
            if (!Passes(message.StatesFilter, state) || !Passes(message.TypesFilter, type)) continue;
            response.Groups.Add(new() { GroupId = KafkaGroupNames.Format(group.Name), ProtocolType = group.ProtocolType, GroupState = state, GroupType = type });
        }
        return response;
    }

    // Group.java, GroupType: small letters, which clients read in any case.
    private static string TypeOf(GroupKind kind) => kind == GroupKind.Consumer ? "consumer" : "classic";

    private static bool Passes(List<string> filter, string value) => filter.Count == 0 || filter.Contains(value, StringComparer.OrdinalIgnoreCase);
}

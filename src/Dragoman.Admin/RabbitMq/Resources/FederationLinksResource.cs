using System.Text.Json.Nodes;
using Dragoman.Admin.RabbitMq.Http;
using Dragoman.Broker.Links;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Admin.RabbitMq.Resources;

/// <summary><c>/api/federation-links</c>: how the links of federated exchanges and queues are (rabbit_federation_mgmt).</summary>
internal sealed class FederationLinksResource : IResource
{
    public void Map(EndpointTable table)
    {
        table.Map("/federation-links").Get(static request => ListAsync(request, onlyDown: request.Http.Request.Query.ContainsKey("down")), Access.Monitoring);
        table.Map("/federation-links/:vhost").Get(static request => ListAsync(request, onlyDown: request.Http.Request.Query.ContainsKey("down")), Access.Monitoring);
        table.Map("/federation-links/state/down").Get(static request => ListAsync(request, onlyDown: true), Access.Monitoring);
        table.Map("/federation-links/:vhost/state/down").Get(static request => ListAsync(request, onlyDown: true), Access.Monitoring);
        table.Map("/federation-links/:vhost/down").Get(static request => ListAsync(request, onlyDown: true), Access.Monitoring);
        table.Map("/federation-links/vhost/:vhost/:id/:node/restart").Delete(RestartAsync, Access.Policies);
    }

    private static Task ListAsync(ApiRequest request, bool onlyDown)
    {
        var links = request.Node.Links?.FederationLinks ?? [];
        return request.WriteListAsync([.. links
            .Where(l => request.Wants(l.Namespace) && !(onlyDown && l.Status.State != LinkState.Terminated))
            .Select(l => ListEntry.Of(Describe(request.Node, l), l.IsExchange ? "exchange" : "queue"))]);
    }

    private static async Task RestartAsync(ApiRequest request)
    {
        var isKnown = request.Node.Links?.FederationLinks.Any(l => l.Id == request["id"] && l.Namespace == request.RequiredSpace) == true;
        if (!isKnown || request.Node.Links is not { } links || !await links.RestartFederationLinkAsync(request["id"])) throw ManagementException.NotFound();
        await request.NoContent();
    }

    private static JsonObject Describe(AdminNode node, FederationLink link)
    {
        var item = new JsonObject { ["node"] = node.RabbitMqName };
        if (link.IsExchange)
        {
            item["exchange"] = link.Name;
            item["upstream_exchange"] = link.UpstreamName;
        }
        else
        {
            item["queue"] = link.Name;
            item["upstream_queue"] = link.UpstreamName;
            item["consumer_tag"] = link.ConsumerTag;
        }
        item["type"] = link.IsExchange ? "exchange" : "queue";
        item["vhost"] = VirtualHosts.FromNamespace(link.Namespace);
        item["upstream"] = link.Upstream;
        item["id"] = link.Id;
        item["status"] = link.Status.State switch { LinkState.Starting => "starting", LinkState.Terminated => "error", _ => "running" };
        if (link.Status.State == LinkState.Terminated) item["error"] = link.Status.Reason ?? "";
        else if (link.Status.State != LinkState.Starting) item["local_connection"] = $"<{node.RabbitMqName}.federation.{link.Id}>";
        item["uri"] = link.Uri;
        item["timestamp"] = ShovelsResource.TimeOf(link.Status.Since);
        return item;
    }
}

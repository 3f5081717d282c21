using System.Text.Json.Nodes;
using Dragoman.Admin.RabbitMq.Http;

namespace Dragoman.Admin.RabbitMq.Resources;

/// <summary><c>/api/whoami</c>: who has logged in.</summary>
internal sealed class WhoAmI : IResource
{
    public void Map(EndpointTable table) => table.Map("/whoami").Get(static request => request.WriteAsync(new JsonObject
    {
        ["name"] = request.Caller.Name,
        ["tags"] = new JsonArray([.. request.Caller.Tags.Select(static tag => (JsonNode)tag)]),
    }));
}

using System.Text.Json.Nodes;
using Dragoman.Admin.RabbitMq.Http;

namespace Dragoman.Admin.RabbitMq.Resources;

/// <summary><c>/api/version</c>: the version of the behaviour that clients see.</summary>
internal sealed class VersionResource : IResource
{
    public void Map(EndpointTable table) => table.Map("/version").Get(static request => request.WriteAsync(JsonValue.Create(request.Node.RabbitMqVersion)));
}

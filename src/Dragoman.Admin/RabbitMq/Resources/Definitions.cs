using System.Text.Json.Nodes;
using Dragoman.Admin.RabbitMq.Http;
using Dragoman.Admin.RabbitMq.Model;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Dragoman.Admin.RabbitMq.Resources;

/// <summary><c>/api/definitions</c>: all that was declared and configured, as one document, out and in.</summary>
internal sealed class Definitions : IResource
{
    private const int MaxPartBytes = 20_000_000;

    public void Map(EndpointTable table)
    {
        table.Map("/definitions").Get(ExportAsync, Access.Administrator).Post(ImportAsync, Access.Administrator);
        table.Map("/all-configuration").Get(ExportAsync, Access.Administrator).Post(ImportAsync, Access.Administrator);
        table.Map("/definitions/:vhost").Get(ExportAsync, Access.Administrator).Post(ImportAsync, Access.Administrator);
    }

    private static Task ExportAsync(ApiRequest request)
    {
        RequireVhost(request);
        // The name is a token of HTTP's, or there is none.
        if (request.Query("download") is { Length: > 0 } name && name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
            request.Http.Response.Headers.ContentDisposition = $"attachment; filename={name}";
        return request.WriteAsync(new DefinitionsExport(request.Node, request.Topology).Write(request.Space));
    }

    private static async Task ImportAsync(ApiRequest request)
    {
        RequireVhost(request);
        var document = request.Http.Request.HasFormContentType ? await ReadFormAsync(request) : await request.ReadAsync();
        await new DefinitionsImport(request).RunAsync(document, request.Space);
        await request.NoContent();
    }

    /// <summary>Browsers and old tools send the document as a file of a form.</summary>
    private static async Task<JsonObject> ReadFormAsync(ApiRequest request)
    {
        var boundary = MediaTypeHeaderValue.Parse(request.Http.Request.ContentType).Boundary.Value;
        if (string.IsNullOrEmpty(boundary)) throw ManagementException.BadRequest("not_json");
        var reader = new MultipartReader(HeaderUtilities.RemoveQuotes(boundary).ToString(), request.Http.Request.Body);
        while (await reader.ReadNextSectionAsync(request.Cancellation) is { } section)
        {
            if (section.GetContentDispositionHeader()?.Name.Value?.Trim('"') != "file") continue;
            using var body = new MemoryStream();
            var buffer = new byte[16 << 10];
            for (int read; (read = await section.Body.ReadAsync(buffer, request.Cancellation)) > 0;)
            {
                if (body.Length + read > MaxPartBytes) throw ManagementException.BadRequest("Exceeded HTTP request body size limit");
                body.Write(buffer, 0, read);
            }
            return ApiRequest.Parse(body.GetBuffer().AsSpan(0, (int)body.Length));
        }
        throw ManagementException.BadRequest("not_json");
    }

    private static void RequireVhost(ApiRequest request)
    {
        if (request.Value("vhost") is not null && request.Space is null) throw ManagementException.BadRequest("vhost_not_found");
    }
}

using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.Http;

/// <summary>A failed request, as the client shall see it.</summary>
internal sealed class ProblemException(int status, string title, string detail) : Exception(detail)
{
    public int Status { get; } = status;

    public string Title { get; } = title;

    /// <summary>Further numbers that the client can use.</summary>
    public IReadOnlyDictionary<string, long>? Extra { get; init; }

    public static ProblemException BadRequest(string detail) => new(StatusCodes.Status400BadRequest, "Bad request", detail);

    public static ProblemException NotFound(string detail) => new(StatusCodes.Status404NotFound, "Not found", detail);
}

/// <summary>Writes errors as <c>application/problem+json</c> (RFC 9457).</summary>
internal static class Problem
{
    public static async Task WriteAsync(HttpContext context, int status, string title, string detail, IReadOnlyDictionary<string, long>? extra = null)
    {
        if (context.Response.HasStarted)
        {
            // Part of an answer is out. To end it regularly would pass it off as whole.
            context.Abort();
            return;
        }
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/problem+json";
        if (HttpMethods.IsHead(context.Request.Method)) return;
        await using var writer = new Utf8JsonWriter(context.Response.BodyWriter, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        writer.WriteStartObject();
        writer.WriteString("title", title);
        writer.WriteNumber("status", status);
        writer.WriteString("detail", detail);
        if (extra is not null)
            foreach (var (name, value) in extra) writer.WriteNumber(name, value);
        writer.WriteEndObject();
    }
}

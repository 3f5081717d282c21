using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Dragoman.Admin.Http;

/// <summary>JSON in and out of requests.</summary>
internal static class Json
{
    /// <summary>The largest body of a request that is read as a whole, in bytes.</summary>
    public const int MaxBodyBytes = 1 << 20;

    public static async Task WriteAsync<T>(HttpContext context, T value, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        if (HttpMethods.IsHead(context.Request.Method)) return;
        await JsonSerializer.SerializeAsync(context.Response.BodyWriter, value, type, context.RequestAborted);
    }

    /// <exception cref="ProblemException">The body is not what it should be.</exception>
    public static async Task<T> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type, int maxBytes = MaxBodyBytes)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = maxBytes;
        try
        {
            return await JsonSerializer.DeserializeAsync(context.Request.Body, type, context.RequestAborted)
                ?? throw ProblemException.BadRequest("The body is null; it should be an object.");
        }
        catch (JsonException error)
        {
            throw ProblemException.BadRequest($"The body is not what it should be: {Explain(error)}");
        }
    }

    /// <summary>Says what is wrong with a JSON text in the text's own terms.</summary>
    public static string Explain(JsonException error)
    {
        // Where the text itself is broken, the serializer wraps what its reader said.
        if (error.InnerException is JsonException || error.Path is null) return $"it is no valid JSON at line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1}.";
        if (error.Message.Contains("missing required", StringComparison.Ordinal)) return "a required property is missing.";
        return error.Path is "$" ? "it should be a JSON object." : $"{error.Path} is unknown here, or not of the right type.";
    }
}

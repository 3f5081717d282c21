using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.RabbitMq.Http;

/// <summary>A failed request, in the words that RabbitMQ's clients expect: <c>{"error": …, "reason": …}</c>.</summary>
internal sealed class ManagementException(int status, string error, string reason) : Exception(reason)
{
    /// <summary>The HTTP status.</summary>
    public int Status { get; } = status;

    /// <summary>The kind of error.</summary>
    public string Error { get; } = error;

    /// <summary>The reason, where it is more than a text.</summary>
    public JsonNode? Detail { get; init; }

    /// <summary>What is asked for is not there.</summary>
    public static ManagementException NotFound() => new(StatusCodes.Status404NotFound, "Object Not Found", "Not Found");

    /// <summary>What a request refers to is not there.</summary>
    public static ManagementException NotFound(string reason) => new(StatusCodes.Status404NotFound, "not_found", reason);

    /// <summary>The request says something that cannot be.</summary>
    public static ManagementException BadRequest(string reason) => new(StatusCodes.Status400BadRequest, "bad_request", reason);

    /// <summary>The request says something that cannot be, which RabbitMQ tells as a list of terms.</summary>
    public static ManagementException BadTerm(string kind, params ReadOnlySpan<string> terms)
    {
        var detail = new JsonArray(kind);
        foreach (var term in terms) detail.Add((JsonNode)term);
        return new ManagementException(StatusCodes.Status400BadRequest, "bad_request", kind) { Detail = detail };
    }

    /// <summary>The user may not do this. RabbitMQ says 401 to those who have logged in, too.</summary>
    public static ManagementException NotAuthorised(string reason) => new(StatusCodes.Status401Unauthorized, "not_authorised", reason);

    /// <summary>The disk is full, or has failed.</summary>
    public static ManagementException Unavailable(string reason) => new(StatusCodes.Status503ServiceUnavailable, "service_unavailable", reason);
}

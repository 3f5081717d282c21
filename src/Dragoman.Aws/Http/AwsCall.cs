using Dragoman.Protocols.Authentication;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Aws.Http;

/// <summary>One request of a service, and what it answers.</summary>
internal sealed class AwsCall
{
    /// <summary>The exchange.</summary>
    public required HttpContext Context { get; init; }

    /// <summary>The parameters.</summary>
    public required Input Input { get; init; }

    /// <summary>Takes the answer's members; written to once nothing can go wrong any more.</summary>
    public required Output Output { get; init; }

    /// <summary>Who asks.</summary>
    public required ClientIdentity Identity { get; init; }

    /// <summary>The region that the client thinks it is in.</summary>
    public required string Region { get; init; }

    /// <summary>The id of the access key that the request names, whether or not it is anybody's; null if it names none.</summary>
    public string? KeyId { get; init; }

    /// <summary>Whether the client speaks the Query protocol.</summary>
    public required bool IsQuery { get; init; }

    /// <summary>The request's id.</summary>
    public required string RequestId { get; init; }

    /// <summary>What addresses of this server begin with, as the client reached it: queue URLs are made of it.</summary>
    public string BaseUrl => $"{Context.Request.Scheme}://{(Context.Request.Host.HasValue ? Context.Request.Host.Value : $"localhost:{Context.Connection.LocalPort}")}";

    /// <summary>The trace that the request belongs to, as AWS X-Ray has it; null for none.</summary>
    public string? Trace => Context.Request.Headers["X-Amzn-Trace-Id"] is [{ Length: > 0 } trace, ..] ? trace : null;

    /// <summary>Ends when the client has gone.</summary>
    public CancellationToken Gone => Context.RequestAborted;
}

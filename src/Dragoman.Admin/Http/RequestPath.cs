using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Dragoman.Admin.Http;

/// <summary>Takes the path of a request apart.</summary>
internal static class RequestPath
{
    /// <summary>
    /// The segments, each unescaped by itself: a name may hold a slash, which the server's own decoding would not tell
    /// from a separator.
    /// </summary>
    public static string[] Parse(HttpContext context)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var query = target.IndexOf('?', StringComparison.Ordinal);
        var path = (query < 0 ? target : target[..query]).Trim('/');
        if (path.Length == 0) return [];
        var segments = path.Split('/');
        for (var i = 0; i < segments.Length; i++) segments[i] = Uri.UnescapeDataString(segments[i]);
        return segments;
    }

    /// <summary>Refuses methods that a resource does not have.</summary>
    /// <exception cref="ProblemException">The method is another.</exception>
    public static void RequireMethod(HttpContext context, string method)
    {
        var actual = context.Request.Method;
        if (HttpMethods.Equals(actual, method) || (HttpMethods.IsGet(method) && HttpMethods.IsHead(actual))) return;
        throw NotAllowed(context, method);
    }

    /// <summary>The refusal of a method.</summary>
    public static ProblemException NotAllowed(HttpContext context, string allowed)
    {
        context.Response.Headers.Allow = allowed;
        return new ProblemException(StatusCodes.Status405MethodNotAllowed, "Method not allowed", $"{context.Request.Method} does not apply to {context.Request.Path}; {allowed} does.");
    }
}

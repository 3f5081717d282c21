using System.Net;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.Http;

/// <summary>
/// Keeps web pages from using a browser inside the network as their hand: they can send requests to any address, and
/// this API asks nobody to log in yet.
/// </summary>
internal static class Origins
{
    /// <exception cref="ProblemException">A page of another origin sent the request.</exception>
    public static void Check(HttpRequest request)
    {
        var origin = request.Headers.Origin.ToString();
        if (origin.Length > 0 && !(Uri.TryCreate(origin, UriKind.Absolute, out var from) && from.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase)))
            throw new ProblemException(StatusCodes.Status403Forbidden, "Forbidden", "Web pages of other origins may not use this API.");
        // A name that a page's owner points at this machine makes the page's origin look like ours. On a loopback
        // connection only names of this machine are plausible.
        if (request.HttpContext.Connection.LocalIpAddress is { } local && IPAddress.IsLoopback(local)
            && !IPAddress.TryParse(request.Host.Host.Trim('[', ']'), out _)
            && !request.Host.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            && !request.Host.Host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase))
            throw new ProblemException(StatusCodes.Status403Forbidden, "Forbidden", $"'{request.Host.Host}' is not a name of this machine.");
    }
}

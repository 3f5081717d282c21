using Dragoman.Admin.Http;
using Dragoman.Admin.Model;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.Resources;

/// <summary>Whether the process lives, and whether it can serve: what orchestrators ask.</summary>
internal sealed class Health(AdminNode node)
{
    /// <summary><c>GET /health/live</c></summary>
    public static Task LiveAsync(HttpContext context)
    {
        RequestPath.RequireMethod(context, HttpMethods.Get);
        return Json.WriteAsync(context, new HealthReport("live", null), AdminJson.Default.HealthReport);
    }

    /// <summary><c>GET /health/ready</c></summary>
    public Task ReadyAsync(HttpContext context)
    {
        RequestPath.RequireMethod(context, HttpMethods.Get);
        if (node.Broker.Failed.IsCompletedSuccessfully) return NotReadyAsync(context, $"The disk failed: {node.Broker.Failed.Result.Message}");
        if (!node.IsReady) return NotReadyAsync(context, "The listeners are being opened or closed.");
        // A full disk still serves consumers, who make room; taking the node out would only make that worse.
        var detail = node.Broker.Store.Space.IsFull ? "The disk is full: publishers are refused until there is space." : null;
        return Json.WriteAsync(context, new HealthReport("ready", detail), AdminJson.Default.HealthReport);
    }

    private static Task NotReadyAsync(HttpContext context, string detail) =>
        Problem.WriteAsync(context, StatusCodes.Status503ServiceUnavailable, "Not ready", detail);
}

using Microsoft.AspNetCore.Http;

namespace Dragoman.Aws.Http;

/// <summary>Tells that the services run: what health checks made for emulators of AWS look at.</summary>
internal static class Health
{
    public static Task HandleAsync(HttpContext context) =>
        Response.WriteAsync(context, StatusCodes.Status200OK, "application/json", null,
            """{"status":"ok","services":{"sqs":"running","sns":"running","sts":"running"}}"""u8.ToArray()).AsTask();
}

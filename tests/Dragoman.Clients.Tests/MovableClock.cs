using System.Net;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests;

/// <summary>The clock of a broker that was started with <c>--test-mode</c>.</summary>
internal static class MovableClock
{
    /// <summary>Starts a broker whose clock can be moved.</summary>
    public static Task<DragomanServer> StartAsync(params string[] arguments) => DragomanServer.StartAsync(["--test-mode", .. arguments]);

    /// <summary>Moves the clock forward.</summary>
    public static async Task AdvanceAsync(this DragomanServer server, TimeSpan by)
    {
        using var http = new HttpClient();
        using var answer = await http.PostAsync(new Uri($"http://{server.Address("admin")}/_dragoman/v1/test/clock/advance?milliseconds={by.TotalMilliseconds:0}"), null);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }
}

using System.Globalization;
using Dragoman.Admin.Http;
using Dragoman.Admin.Model;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.Resources;

/// <summary><c>/_dragoman/v1/test/clock</c>: the clock of a broker in test mode.</summary>
internal sealed class ClockResource(AdminNode node)
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(3650);

    /// <summary>Tells the time.</summary>
    public Task ReadAsync(HttpContext context)
    {
        RequestPath.RequireMethod(context, HttpMethods.Get);
        Require();
        return Json.WriteAsync(context, new ClockModel(node.Broker.Time.GetUtcNow()), AdminJson.Default.ClockModel);
    }

    /// <summary>Moves the clock forward: by <c>seconds</c> or <c>milliseconds</c>, in the body or in the query.</summary>
    public async Task AdvanceAsync(HttpContext context)
    {
        RequestPath.RequireMethod(context, HttpMethods.Post);
        var advance = Require();
        var asked = new AdvanceClockRequest(FromQuery(context, "seconds"), FromQuery(context, "milliseconds") ?? FromQuery(context, "ms"));
        if (asked is { Seconds: null, Milliseconds: null }) asked = await Json.ReadAsync(context, AdminJson.Default.AdvanceClockRequest);
        var by = (asked.Seconds ?? 0) * 1000 + (asked.Milliseconds ?? 0);
        if (asked is { Seconds: null, Milliseconds: null } || !(by >= 0) || by > Longest.TotalMilliseconds)
            throw ProblemException.BadRequest($"The clock is moved forward by 'seconds' or 'milliseconds', at most {Longest.TotalDays} days at a time.");
        advance(TimeSpan.FromMilliseconds(by));
        await Json.WriteAsync(context, new ClockModel(node.Broker.Time.GetUtcNow()), AdminJson.Default.ClockModel);
    }

    private static double? FromQuery(HttpContext context, string name)
    {
        if (!context.Request.Query.TryGetValue(name, out var text)) return null;
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : throw ProblemException.BadRequest($"'{text}' is not a number.");
    }

    private Action<TimeSpan> Require() => node.AdvanceClock ?? throw ProblemException.NotFound("This broker's clock cannot be moved: it was not started with --test-mode.");
}

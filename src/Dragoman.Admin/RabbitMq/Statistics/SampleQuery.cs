using System.Globalization;
using Dragoman.Admin.RabbitMq.Http;

namespace Dragoman.Admin.RabbitMq.Statistics;

/// <summary>Which samples a request asks for: <c>NAME_age</c> seconds back, <c>NAME_incr</c> seconds apart.</summary>
/// <param name="AgeSeconds">How far back.</param>
/// <param name="StepSeconds">How far apart.</param>
internal readonly record struct SampleQuery(int AgeSeconds, int StepSeconds)
{
    /// <summary>The queues' lengths.</summary>
    public const string Lengths = "lengths";

    /// <summary>What is counted of messages.</summary>
    public const string MessageRates = "msg_rates";

    /// <summary>What goes over connections.</summary>
    public const string DataRates = "data_rates";

    /// <summary>The node's resources.</summary>
    public const string NodeStatistics = "node_stats";

    private const int MaxSamples = 2000;

    /// <summary>What a request asks for; null if it asks for no samples.</summary>
    /// <exception cref="ManagementException">It asks for what makes no sense.</exception>
    public static SampleQuery? Of(ApiRequest request, string name)
    {
        var age = Number(request, $"{name}_age");
        var step = Number(request, $"{name}_incr");
        if (age is not { } seconds || step is not { } apart) return null;
        if (seconds <= 0 || apart <= 0 || seconds / apart > MaxSamples) throw ManagementException.BadRequest($"Invalid {name}_age or {name}_incr");
        return new SampleQuery(seconds, apart);
    }

    private static int? Number(ApiRequest request, string name)
    {
        if (request.Query(name) is not { Length: > 0 } text) return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw ManagementException.BadRequest($"Invalid {name}");
    }
}

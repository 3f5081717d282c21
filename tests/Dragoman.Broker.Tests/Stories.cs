using System.Globalization;

namespace Dragoman.Broker.Tests;

/// <summary>How many random stories each property is told: more of them in the long tests.</summary>
internal static class Stories
{
    public static int Count { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("DRAGOMAN_SEEDS"), CultureInfo.InvariantCulture, out var seeds) ? Math.Max(seeds, 30) : 300;
}

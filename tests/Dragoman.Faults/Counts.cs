using System.Globalization;

namespace Dragoman.Faults;

/// <summary>How often faults are tried. The soak is the same code with larger numbers, which <c>test.sh</c> sets.</summary>
internal static class Counts
{
    /// <summary>Times that a broker under load is killed, for each protocol.</summary>
    public static int Kills { get; } = Read("DRAGOMAN_KILLS", 5);

    /// <summary>Messages that go through in one piece.</summary>
    public static int Messages { get; } = Read("DRAGOMAN_MESSAGES", 200_000);

    /// <summary>Queues that there are at once.</summary>
    public static int Queues { get; } = Read("DRAGOMAN_QUEUES", 500);

    private static int Read(string variable, int fallback) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : fallback;
}

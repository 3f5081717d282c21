using Dragoman.TestKit;

namespace Dragoman.Faults.Kills;

/// <summary>
/// Kills a broker under load with SIGKILL, again and again, at moments that a seed chooses. A kill counts only if writes
/// were in flight and at least <see cref="AcknowledgementsBetween"/> were acknowledged since the last that counted.
/// </summary>
internal sealed class KillCampaign(DragomanServer server, IRecordedLoad load, Action<string> print, int seed)
{
    /// <summary>Acknowledgements that a kill must put at risk to count.</summary>
    public const int AcknowledgementsBetween = 100;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Random _random = new(seed);

    /// <summary>Kills until so many have counted; the broker runs afterwards.</summary>
    public async Task RunAsync(int kills)
    {
        print($"{kills} kills, seed {seed}");
        long before = 0;
        var (idle, starts) = (0, 0);
        for (var counted = 0; counted < kills;)
        {
            await Eventually.TrueAsync(() => load.Failure is not null || load.Acknowledged - before >= AcknowledgementsBetween, $"{AcknowledgementsBetween} acknowledgements between two kills", Patience);
            await Task.Delay(_random.Next(400));
            if (load.Failure is { } failure) throw new InvalidOperationException($"The load broke off before kill {counted + 1}: {failure}");
            var (inFlight, since) = (load.InFlight, load.Acknowledged - before);
            await server.KillAsync();
            if (inFlight == 0) idle++;
            else print($"kill {++counted}: {inFlight} writes in flight, {since} acknowledged since the last");
            before = load.Acknowledged;
            // Recovery itself must be as sudden an end to survive as any other.
            for (; _random.Next(4) == 0; starts++) await server.StartAndKillAsync(TimeSpan.FromMilliseconds(_random.Next(600)));
            await server.StartAgainAsync();
        }
        print($"{idle} more kills did not count, as nothing was in flight; {starts} more came while the broker was starting");
    }
}

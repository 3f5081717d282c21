namespace Dragoman.Simulation.Groups;

/// <summary>A network between members and coordinator: requests are late, get lost, and so do their answers.</summary>
internal sealed class GroupNetwork(SimScheduler sim, SimRandom random, Coverage coverage)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    /// <summary>Whether it works as it should.</summary>
    public bool IsCalm { get; set; }

    /// <summary>Sends a request and waits for its answer, for as long as a client does.</summary>
    /// <param name="process">Whose life the request is part of.</param>
    /// <param name="call">The request.</param>
    /// <param name="patience">How long the client waits.</param>
    /// <param name="mayLoseAnswer">Whether the answer may get lost.</param>
    /// <returns>The answer, or null if none came: the request may have had its effect, or may have it yet.</returns>
    public async Task<T?> CallAsync<T>(SimProcess process, Func<ValueTask<T>> call, TimeSpan patience, bool mayLoseAnswer = true)
        where T : class
    {
        await DelayAsync();
        if (!IsCalm && random.OneIn(25))
        {
            coverage.Saw("lost a request");
            await sim.DelayAsync(patience);
            return null;
        }
        var running = process.RunAs("request", async () => await call());
        for (var start = sim.Time.Elapsed; !running.IsCompleted; await sim.DelayAsync(Look))
        {
            if (sim.Time.Elapsed - start <= patience) continue;
            coverage.Saw("gave up waiting");
            return null;
        }
        var answer = await running;
        await DelayAsync();
        if (IsCalm || !mayLoseAnswer || !random.OneIn(25)) return answer;
        coverage.Saw("lost an answer");
        return null;
    }

    /// <summary>Has a copy of a request arrive later.</summary>
    public void Repeat(SimProcess process, Func<Task> call)
    {
        var delay = TimeSpan.FromMilliseconds(random.Next(random.OneIn(2) ? 200 : 8000));
        _ = process.Run("late copy", async () =>
        {
            await sim.DelayAsync(delay);
            await call();
        });
    }

    public bool Repeats() => !IsCalm && random.OneIn(8);

    private Task DelayAsync() => sim.DelayAsync(TimeSpan.FromMilliseconds(!IsCalm && random.OneIn(6) ? random.Next(1500) : random.NextDouble() * 3));
}

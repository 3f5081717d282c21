using Dragoman.Broker.Routing.Forwarding;

namespace Dragoman.Simulation.Forwarding;

public sealed class ForwardingSimulationTests(ITestOutputHelper output)
{
    /// <summary>Seeds that failed once. They are run first, for ever.</summary>
    private static readonly ulong[] s_known = [];

    [Fact]
    public void What_a_log_holds_reaches_its_queues_once_and_in_order_through_crashes()
    {
        var coverage = new Coverage();
        Seeds.Check(Seeds.Fresh, seed =>
        {
            var run = new ForwardingRun(seed);
            run.Run();
            coverage.Add(run.Coverage);
        }, s_known);
        output.WriteLine($"{Seeds.Fresh} fresh seeds, {s_known.Length} known ones");
        foreach (var (what, count) in coverage.Counts) output.WriteLine($"{count,8} {what}");
    }

    [Fact]
    public void Progress_that_is_noted_later_is_found() => IsFound(new ForwardingDefects { ProgressLater = true });

    [Fact]
    public void Progress_that_is_noted_first_is_found() => IsFound(new ForwardingDefects { ProgressFirst = true });

    private void IsFound(ForwardingDefects defects)
    {
        foreach (var seed in Seeds.Fixed(300))
        {
            try
            {
                new ForwardingRun(seed, defects).Run();
            }
            catch (SimulationFailedException found) when (found is not (SimStepLimitException or SimDeadlockException))
            {
                output.WriteLine($"seed {seed}: {found.Message.Split('\n')[0]}");
                return;
            }
        }
        Assert.Fail("300 seeds went by and nothing was noticed.");
    }
}

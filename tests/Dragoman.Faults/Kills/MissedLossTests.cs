using Dragoman.Faults.Load;
using Dragoman.TestKit;

namespace Dragoman.Faults.Kills;

/// <summary>The provers are proved: a broker that loses what it acknowledged does not pass for one that keeps it.</summary>
public sealed class MissedLossTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Records_that_only_memory_held_are_missed_after_a_kill()
    {
        await using var server = await DragomanServer.StartAsync("--commit-mode", "memory");
        await using var load = KafkaLoad.Start(server.Address("kafka"), "volatile", partitions: 1, producers: 1);
        var missed = await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await new KillCampaign(server, load, output.WriteLine, seed: 1).RunAsync(1);
            var acknowledged = await load.FinishAsync();
            acknowledged.AssertAllIn(0, KafkaReader.ReadAll(server.Address("kafka"), "volatile", 0));
        });
        output.WriteLine(missed.Message);
        Assert.DoesNotContain("in vain", missed.Message, StringComparison.Ordinal);
    }
}

using Dragoman.Load.Reporting;

namespace Dragoman.Load.Amqp;

/// <summary>Rounds of one load, with one broker or two in turn.</summary>
internal static class AmqpRounds
{
    /// <summary>Runs them; the results of the first round are left out if there are more.</summary>
    public static async Task<List<AmqpLoadResult>> RunAsync(AmqpLoadOptions options, CancellationToken cancellation)
    {
        string[] targets = options.Peer is null ? [options.Address] : [options.Address, options.Peer];
        var results = new List<AmqpLoadResult>();
        for (var round = 0; round < options.Rounds; round++)
        {
            foreach (var target in targets)
            {
                cancellation.ThrowIfCancellationRequested();
                var run = new AmqpRun(options, target);
                var result = await Task.Run(() => options.Mode == "raw" ? Task.FromResult(new RawLoad(run).Run()) : new ClientLoad(run).RunAsync(), cancellation);
                Terminal.Note($"round {round + 1}, {target}: published {Sizes.Count(result.PublishedPerSecond)}/s, delivered {Sizes.Count(result.DeliveredPerSecond)}/s");
                if (round > 0 || options.Rounds == 1) results.Add(result);
            }
        }
        return results;
    }

    /// <summary>The round in the middle, by throughput.</summary>
    public static AmqpLoadResult Middle(IEnumerable<AmqpLoadResult> results, string target)
    {
        var sorted = results.Where(r => r.Target == target).OrderBy(r => r.PublishedPerSecond).ToList();
        return sorted[sorted.Count / 2];
    }
}

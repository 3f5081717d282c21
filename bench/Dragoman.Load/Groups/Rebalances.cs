using System.Diagnostics;
using Confluent.Kafka;
using Dragoman.Load.Reporting;

namespace Dragoman.Load.Groups;

/// <summary>How long a group took until its members had all partitions again.</summary>
/// <param name="FormSeconds">Seconds until the group had formed, from when its members subscribed at once.</param>
/// <param name="LeaveSeconds">Seconds from when a member began to close, for each round.</param>
/// <param name="JoinSeconds">Seconds from when another subscribed, for each round.</param>
internal sealed record RebalanceResult(double FormSeconds, IReadOnlyList<double> LeaveSeconds, IReadOnlyList<double> JoinSeconds);

/// <summary>A group of Confluent.Kafka consumers that members leave and join.</summary>
/// <param name="bootstrap">HOST:PORT of the broker.</param>
/// <param name="topic">A topic with so many partitions.</param>
/// <param name="members">Members when the group is complete.</param>
/// <param name="partitions">Partitions of the topic.</param>
/// <param name="rounds">How often one leaves and one joins.</param>
/// <param name="heartbeatMs">Milliseconds between heartbeats of a classic group; null for a group that the broker assigns (KIP-848), whose pace is the broker's.</param>
/// <param name="assignor">How the members of a classic group assign themselves.</param>
internal sealed class Rebalances(string bootstrap, string topic, int members, int partitions, int rounds, int? heartbeatMs, PartitionAssignmentStrategy assignor)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Ownership _ownership = new(partitions);
    private readonly List<Member> _members = [];
    private readonly string _group = $"load-{Guid.NewGuid():N}";
    private int _numbers;

    public async Task<RebalanceResult> RunAsync(IProgress<Step> progress, CancellationToken cancellation)
    {
        try
        {
            for (var i = 0; i < members; i++) _members.Add(Connect());
            // The clients find the broker meanwhile: what is measured begins with their wish to join.
            await Task.Delay(1000, cancellation);
            var form = await TimeAsync(members, () =>
            {
                foreach (var member in _members) member.Join(topic);
            }, cancellation);
            var (leave, join) = (new List<double>(), new List<double>());
            for (var round = 0; round < rounds; round++)
            {
                progress.Report(new Step(round / (double)rounds, "a member leaves"));
                var leaving = _members[0];
                leave.Add(await TimeAsync(members - 1, leaving.Leave, cancellation));
                await leaving.DisposeAsync();
                _members.RemoveAt(0);
                var joining = Connect();
                _members.Add(joining);
                await Task.Delay(1000, cancellation);
                progress.Report(new Step((round + 0.5) / rounds, "a member joins"));
                join.Add(await TimeAsync(members, () => joining.Join(topic), cancellation));
                await Task.Delay(500, cancellation);
            }
            return new RebalanceResult(form, leave, join);
        }
        finally
        {
            foreach (var member in _members) member.Leave();
            foreach (var member in _members) await member.DisposeAsync();
        }
    }

    private Member Connect() => new(bootstrap, _group, _numbers++, heartbeatMs, assignor, _ownership);

    private async Task<double> TimeAsync(int wanted, Action change, CancellationToken cancellation)
    {
        var start = Stopwatch.GetTimestamp();
        var balanced = _ownership.WhenBalancedAsync(wanted);
        change();
        foreach (var member in _members)
            if (member.Failure is { } failure) throw failure;
        try
        {
            return Stopwatch.GetElapsedTime(start, await balanced.WaitAsync(Patience, cancellation)).TotalSeconds;
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"The group was not balanced after {Patience.TotalSeconds:F0} s: {_ownership}.");
        }
    }

    /// <summary>A consumer and the thread that polls it.</summary>
    private sealed class Member : IAsyncDisposable
    {
        private readonly IConsumer<Ignore, Ignore> _consumer;
        private readonly Ownership _ownership;
        private readonly Task _polling;
        private readonly int _number;
        private volatile bool _leaving;

        public Member(string bootstrap, string group, int number, int? heartbeatMs, PartitionAssignmentStrategy assignor, Ownership ownership)
        {
            _ownership = ownership;
            _number = number;
            var config = new ConsumerConfig
            {
                BootstrapServers = bootstrap,
                GroupId = group,
                EnableAutoCommit = false,
                AutoOffsetReset = AutoOffsetReset.Latest,
                GroupProtocol = heartbeatMs is null ? GroupProtocol.Consumer : GroupProtocol.Classic,
            };
            if (heartbeatMs is { } interval)
            {
                config.HeartbeatIntervalMs = interval;
                config.PartitionAssignmentStrategy = assignor;
            }
            _consumer = new ConsumerBuilder<Ignore, Ignore>(config)
                .SetPartitionsAssignedHandler((_, given) => _ownership.Give(_number, given.Select(p => p.Partition.Value)))
                .SetPartitionsRevokedHandler((_, taken) => _ownership.Take(_number, taken.Select(p => p.Partition.Value)))
                .SetPartitionsLostHandler((_, lost) => _ownership.Take(_number, lost.Select(p => p.Partition.Value)))
                .Build();
            _polling = Task.Factory.StartNew(Poll, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }

        public Exception? Failure => _polling.Exception;

        public void Join(string topic) => _consumer.Subscribe(topic);

        public void Leave() => _leaving = true;

        private void Poll()
        {
            while (!_leaving) _consumer.Consume(TimeSpan.FromMilliseconds(50));
            _consumer.Close();
            _ownership.Remove(_number);
        }

        public async ValueTask DisposeAsync()
        {
            await _polling;
            _consumer.Dispose();
        }
    }
}

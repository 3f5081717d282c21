using Dragoman.Broker.Groups;
using Dragoman.Broker.Groups.Offsets;
using Dragoman.Broker.Topics;

namespace Dragoman.Simulation.Groups;

/// <summary>
/// A consumer in a group. It outlives the broker: what it was not answered it asks again, and what it believes it goes on
/// believing until it is told.
/// </summary>
internal abstract class SimMember(SimScheduler sim, SimRandom random, GroupModel model, GroupNetwork network, Coverage coverage, string group, int number)
{
    public const int SessionMs = 10_000;

    /// <summary>Far longer than answers can be lost in a row: it begins when a member is first told to give something up, heard or not.</summary>
    public const int RebalanceMs = 60_000;

    public const string Topic = "t";

    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    public string Group => group;

    /// <summary>Partitions that it reads at this moment.</summary>
    public SortedSet<int> Uses { get; } = [];

    /// <summary>Until when the group cannot have put it out, whatever happens to its requests.</summary>
    public TimeSpan Until { get; protected set; }

    /// <summary>Whether it is in, and knows its share.</summary>
    public abstract bool IsIn { get; }

    protected abstract bool IsClassic { get; }

    protected abstract GroupCaller Caller { get; }

    protected SimScheduler Sim => sim;

    protected SimRandom Random => random;

    protected GroupModel Model => model;

    protected GroupNetwork Network => network;

    protected Coverage Coverage => coverage;

    protected GroupName Name => GroupName.InDefault(group);

    /// <summary>Does the next thing: whatever keeps it in the group.</summary>
    public abstract Task StepAsync(SimProcess process, Broker.Broker broker);

    /// <summary>Leaves in good order.</summary>
    public abstract Task LeaveAsync(SimProcess process, Broker.Broker broker);

    /// <summary>Notes something for whoever looks into a failure.</summary>
    protected void Note(string what) => sim.Note($"{this}: {what}");

    /// <summary>Takes partitions up: from where they were committed.</summary>
    protected async Task TakeAsync(SimProcess process, Broker.Broker broker, List<int> partitions)
    {
        // All at once: the broker may die while it is asked where to begin.
        Uses.UnionWith(partitions);
        model.CheckOwners();
        foreach (var partition in partitions) await FetchAsync(process, broker, partition, Caller);
    }

    /// <summary>Asks for a committed offset.</summary>
    public async Task FetchAsync(SimProcess process, Broker.Broker broker, int partition, GroupCaller caller)
    {
        var asked = model.Now();
        var answer = await network.CallAsync(process, async () => new Fetched(await broker.Groups.FetchOffsetsAsync(Name, caller, [PartitionOf(broker, partition)], requireStable: true)), Patience);
        if (answer?.Offsets.Status != GroupStatus.Ok) return;
        coverage.Saw("fetched an offset");
        model.CheckOffset(group, partition, answer.Offsets.Offsets[0].Committed?.Offset, asked);
    }

    /// <summary>Commits how far it has read one of its partitions.</summary>
    protected async Task CommitAsync(SimProcess process, Broker.Broker broker)
    {
        if (Uses.Count == 0) return;
        var partition = random.Pick([.. Uses]);
        var attempt = model.Attempt(group, partition);
        var caller = Caller;
        if (network.Repeats())
        {
            attempt.Copies++;
            network.Repeat(process, async () =>
            {
                var late = await SendAsync(broker, attempt, caller);
                attempt.Copies--;
                attempt.CameLate |= late == GroupStatus.Ok;
                coverage.Saw($"a late commit: {late}");
            });
        }
        var answer = await network.CallAsync(process, async () => new Boxed(await SendAsync(broker, attempt, caller)), Patience);
        if (answer is not null) model.Answered(attempt, answer.Status);
        Note($"commit {attempt.Offset} of {partition} as {caller.Generation}: {answer?.Status}");
        coverage.Saw($"committed: {answer?.Status.ToString() ?? "no answer"}");
    }

    private async Task<GroupStatus> SendAsync(Broker.Broker broker, OffsetAttempt attempt, GroupCaller caller)
    {
        var mustFail = model.IsFenced(group, caller, IsClassic);
        var offset = new OffsetCommit(PartitionOf(broker, attempt.Partition), new CommittedOffset(attempt.Offset, -1, caller.MemberId));
        var status = await broker.Groups.CommitOffsetsAsync(Name, caller, [offset]);
        GroupModel.Check(!mustFail || status != GroupStatus.Ok, $"{this} as {caller}, which is fenced, cannot commit {attempt}");
        if (mustFail) coverage.Saw("was fenced");
        return status;
    }

    protected static GroupPartition PartitionOf(Broker.Broker broker, int partition) => new(broker.Topics.Find(TopicName.InDefault(Topic))!.Id, partition);

    public override string ToString() => $"{(IsClassic ? "classic" : "consumer")} member {number} of {group}";

    private sealed record Boxed(GroupStatus Status);

    private sealed record Fetched(OffsetsAnswer Offsets);
}

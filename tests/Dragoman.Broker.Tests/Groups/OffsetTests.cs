using Dragoman.Broker.Groups;
using Dragoman.Broker.Groups.Offsets;
using Dragoman.Storage.Journal;

namespace Dragoman.Broker.Tests.Groups;

public sealed class OffsetTests
{
    private static readonly GroupName s_group = GroupName.InDefault("readers");
    private static readonly Guid s_topic = new("11111111-2222-3333-4444-555555555555");

    private static GroupPartition P(int partition) => new(s_topic, partition);

    private static OffsetCommit At(int partition, long offset, string metadata = "", int epoch = 3) => new(P(partition), new(offset, epoch, metadata));

    private static async Task CommitAsync(TestBroker test, params OffsetCommit[] offsets) =>
        Assert.Equal(GroupStatus.Ok, await test.Broker.Groups.CommitOffsetsAsync(s_group, GroupCaller.Outsider, offsets));

    private static async Task<FetchedOffset> FetchAsync(TestBroker test, int partition, bool requireStable = false)
    {
        var answer = await test.Broker.Groups.FetchOffsetsAsync(s_group, GroupCaller.Outsider, [P(partition)], requireStable);
        Assert.Equal(GroupStatus.Ok, answer.Status);
        return Assert.Single(answer.Offsets);
    }

    private static async Task StageAsync(TestBroker test, long producer, params OffsetCommit[] offsets)
    {
        var transactional = test.Broker.Groups.Transactional;
        var shard = transactional.ShardOf(s_group);
        await shard.ExecuteAsync(CommitMode.Fsync, commit =>
        {
            transactional.Stage(commit, s_group, producer, 0, offsets);
            return 0;
        }, transactional.BytesOf(s_group, offsets));
    }

    private static async Task CompleteAsync(TestBroker test, long producer, bool committed)
    {
        var transactional = test.Broker.Groups.Transactional;
        var shard = transactional.ShardOf(s_group);
        await shard.ExecuteAsync(CommitMode.Fsync, commit =>
        {
            transactional.Complete(commit, shard, producer, committed);
            return 0;
        }, ITransactionalOffsets.CompletionBytes);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_committed_offset_comes_back_whole_and_survives_a_restart(bool checkpoint)
    {
        await using var test = await TestBroker.StartAsync();
        await CommitAsync(test, At(0, 41, "где я", 7), At(1, 5));
        await CommitAsync(test, At(0, 42, "here", 8));
        if (checkpoint) await test.Broker.Store.CheckpointAsync();
        await test.RestartAsync();
        var now = test.Time.GetUtcNow().ToUnixTimeMilliseconds();
        Assert.Equal(new FetchedOffset(P(0), GroupStatus.Ok, new CommittedOffset(42, 8, "here"), now), await FetchAsync(test, 0));
        Assert.Equal(new CommittedOffset(5, 3, ""), (await FetchAsync(test, 1)).Committed);
        Assert.Null((await FetchAsync(test, 2)).Committed);
        var all = await test.Broker.Groups.FetchOffsetsAsync(s_group, GroupCaller.Outsider, null, requireStable: true);
        Assert.Equal([P(0), P(1)], all.Offsets.Select(o => o.Partition).OrderBy(p => p.Partition));
    }

    [Fact]
    public async Task A_group_that_is_not_there_has_no_offsets_and_takes_none_from_a_member()
    {
        await using var test = await TestBroker.StartAsync();
        Assert.Null((await FetchAsync(test, 0)).Committed);
        Assert.Empty((await test.Broker.Groups.FetchOffsetsAsync(s_group, GroupCaller.Outsider, null, false)).Offsets);
        var member = new GroupCaller("m", null, 1);
        Assert.Equal(GroupStatus.NotFound, await test.Broker.Groups.CommitOffsetsAsync(s_group, member, [At(0, 1)]));
        Assert.Equal(GroupStatus.NotFound, (await test.Broker.Groups.DeleteOffsetsAsync(s_group, [P(0)])).Status);
        await CommitAsync(test, At(0, 1));
        Assert.Equal(GroupStatus.UnknownMember, await test.Broker.Groups.CommitOffsetsAsync(s_group, member, [At(0, 2)]));
    }

    [Fact]
    public async Task A_deleted_offset_is_gone_and_the_others_stay()
    {
        await using var test = await TestBroker.StartAsync();
        await CommitAsync(test, At(0, 1), At(1, 2));
        await StageAsync(test, 9, At(0, 7));
        var deleted = await test.Broker.Groups.DeleteOffsetsAsync(s_group, [P(0), P(5)]);
        Assert.Equal([GroupStatus.Ok, GroupStatus.Ok], deleted.Partitions);
        await CompleteAsync(test, 9, committed: true);
        await test.RestartAsync();
        Assert.Null((await FetchAsync(test, 0)).Committed);
        Assert.Equal(2, (await FetchAsync(test, 1)).Committed?.Offset);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public async Task Offsets_of_a_transaction_are_unstable_until_it_ends_and_become_the_groups_only_if_it_commits(bool committed, bool checkpoint)
    {
        await using var test = await TestBroker.StartAsync();
        await CommitAsync(test, At(0, 10));
        await StageAsync(test, 4, At(0, 20, "staged"), At(1, 30));
        await StageAsync(test, 4, At(0, 21, "later"));
        if (checkpoint) await test.Broker.Store.CheckpointAsync();
        await test.RestartAsync();
        Assert.Equal(10, (await FetchAsync(test, 0)).Committed?.Offset);
        Assert.Equal(GroupStatus.UnstableOffset, (await FetchAsync(test, 0, requireStable: true)).Status);
        Assert.Equal(GroupStatus.UnstableOffset, (await FetchAsync(test, 1, requireStable: true)).Status);
        Assert.Equal(GroupStatus.Ok, (await FetchAsync(test, 2, requireStable: true)).Status);
        var transactional = test.Broker.Groups.Transactional;
        var shard = transactional.ShardOf(s_group);
        lock (shard.Lock) Assert.True(transactional.HasPending(shard, 4));

        await CompleteAsync(test, 4, committed);
        await test.RestartAsync();
        Assert.Equal(committed ? new CommittedOffset(21, 3, "later") : new CommittedOffset(10, 3, ""), (await FetchAsync(test, 0, requireStable: true)).Committed);
        Assert.Equal(committed ? 30 : null, (await FetchAsync(test, 1, requireStable: true)).Committed?.Offset);
        shard = test.Broker.Groups.Transactional.ShardOf(s_group);
        lock (shard.Lock) Assert.False(test.Broker.Groups.Transactional.HasPending(shard, 4));
    }

    [Fact]
    public async Task What_was_committed_after_an_offset_was_staged_stays_when_the_transaction_commits()
    {
        await using var test = await TestBroker.StartAsync();
        await StageAsync(test, 4, At(0, 20), At(1, 20));
        await CommitAsync(test, At(0, 11));
        await CompleteAsync(test, 4, committed: true);
        Assert.Equal(11, (await FetchAsync(test, 0)).Committed?.Offset);
        Assert.Equal(20, (await FetchAsync(test, 1)).Committed?.Offset);
    }

    [Fact]
    public async Task Transactions_of_two_producers_end_apart()
    {
        await using var test = await TestBroker.StartAsync();
        await StageAsync(test, 4, At(0, 20));
        await StageAsync(test, 5, At(0, 30));
        await CompleteAsync(test, 5, committed: true);
        Assert.Equal(GroupStatus.UnstableOffset, (await FetchAsync(test, 0, requireStable: true)).Status);
        await CompleteAsync(test, 4, committed: false);
        await CompleteAsync(test, 77, committed: true);
        Assert.Equal(30, (await FetchAsync(test, 0, requireStable: true)).Committed?.Offset);
    }

    [Fact]
    public async Task In_a_transaction_a_member_that_the_group_does_not_have_commits_nothing()
    {
        await using var test = await TestBroker.StartAsync();
        var transactional = test.Broker.Groups.Transactional;
        var shard = transactional.ShardOf(s_group);
        lock (shard.Lock)
        {
            Assert.Equal(GroupStatus.Ok, transactional.Check(s_group, GroupCaller.Outsider));
            Assert.Equal(GroupStatus.IllegalGeneration, transactional.Check(s_group, new GroupCaller("m", null, 2)));
        }
        await CommitAsync(test, At(0, 1));
        lock (shard.Lock) Assert.Equal(GroupStatus.UnknownMember, transactional.Check(s_group, new GroupCaller("m", null, 2)));
    }

    [Fact]
    public void A_groups_shard_never_changes()
    {
        // Journals hold groups by these.
        Assert.Equal([4u, 7u, 6u, 2u], new[] { "", "orders", "readers", "漢" }.Select(n => GroupName.InDefault(n).StableHash() % 8));
    }
}

using Dragoman.Broker.Groups;
using Dragoman.Broker.Groups.Offsets;
using Dragoman.Broker.Topics;
using Dragoman.Broker.Transactions;
using Dragoman.Storage.Journal;

namespace Dragoman.Broker.Tests.Transactions;

public sealed class TransactionTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Where all is local, a transaction ends in one commit; where it is not, through transfers. Both must do the same.</summary>
    public static TheoryData<bool> LocalOrNot => [true, false];

    private static Task<TestBroker> StartAsync(bool local) =>
        TestBroker.StartAsync(seams: local ? null : new BrokerSeams { TopicsOfTransactions = InterceptedTopics.PassingOn });

    private static async Task UntilAsync(TestBroker broker, Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!condition())
        {
            patience.Token.ThrowIfCancellationRequested();
            broker.Time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Delay(5);
        }
    }

    private static TransactionState StateOf(TestBroker broker, TransactionalProducer producer) => broker.Broker.Transactions.Describe(producer.Id)!.State;

    private static Task CompleteAsync(TestBroker broker, TransactionalProducer producer) =>
        UntilAsync(broker, () => StateOf(broker, producer) is TransactionState.CompleteCommit or TransactionState.CompleteAbort);

    [Theory, MemberData(nameof(LocalOrNot))]
    public async Task What_is_committed_is_read_when_it_is_and_what_is_aborted_never(bool local)
    {
        await using var broker = await StartAsync(local);
        var topic = await broker.CreateTopicAsync("t", 2);
        var producer = new TransactionalProducer(broker.Broker.Transactions, "p");
        Assert.Equal(TransactionStatus.Ok, await producer.InitialiseAsync());
        Assert.Equal(TransactionState.Empty, StateOf(broker, producer));
        foreach (var commit in (bool[])[true, false, true])
        {
            Assert.Equal(TransactionStatus.Ok, await producer.AddAsync((topic, 0), (topic, 1)));
            Assert.Equal(TransactionState.Ongoing, StateOf(broker, producer));
            var before = await TransactionalProducer.ReadCommittedAsync(topic.Partitions[0]);
            Assert.Equal(PartitionStatus.Ok, await producer.SendAsync(topic, 0, $"a {commit}"));
            Assert.Equal(PartitionStatus.Ok, await producer.SendAsync(topic, 1, $"b {commit}"));
            Assert.Equal(before, await TransactionalProducer.ReadCommittedAsync(topic.Partitions[0]));
            Assert.Equal(TransactionStatus.Ok, await producer.EndAsync(commit));
            await CompleteAsync(broker, producer);
            Assert.Equal(commit ? TransactionState.CompleteCommit : TransactionState.CompleteAbort, StateOf(broker, producer));
            // The producer did not see the answer, and asks again.
            Assert.Equal(TransactionStatus.Ok, await producer.EndAsync(commit));
            Assert.Equal(TransactionStatus.InvalidState, await producer.EndAsync(!commit));
            Assert.True(topic.Partitions[0].TryGetOffsets(out var offsets));
            Assert.Equal(offsets.HighWatermark, offsets.LastStable);
        }
        await broker.RestartAsync();
        topic = broker.Broker.Topics.Find(topic.Name)!;
        Assert.Equal(["a True", "a True"], await TransactionalProducer.ReadCommittedAsync(topic.Partitions[0]));
        Assert.Equal(["b True", "b True"], await TransactionalProducer.ReadCommittedAsync(topic.Partitions[1]));
    }

    [Theory, MemberData(nameof(LocalOrNot))]
    public async Task Whoever_takes_an_id_over_fences_those_before_and_aborts_what_they_left_open(bool local)
    {
        await using var broker = await StartAsync(local);
        var topic = await broker.CreateTopicAsync("t", 2);
        var old = new TransactionalProducer(broker.Broker.Transactions, "p");
        await old.InitialiseAsync();
        await old.AddAsync((topic, 0), (topic, 1));
        Assert.Equal(PartitionStatus.Ok, await old.SendAsync(topic, 0, "of the zombie"));

        var young = new TransactionalProducer(broker.Broker.Transactions, "p");
        var status = await young.InitialiseAsync();
        if (!local)
        {
            Assert.Equal(TransactionStatus.Concurrent, status);
            await CompleteAsync(broker, young);
            status = await young.InitialiseAsync();
        }
        Assert.Equal(TransactionStatus.Ok, status);
        Assert.Equal(old.Identity.Id, young.Identity.Id);
        // The epoch in between fenced, and nobody has it.
        Assert.Equal(old.Identity.Epoch + 2, young.Identity.Epoch);

        Assert.Equal(PartitionStatus.StaleProducerEpoch, await old.SendAsync(topic, 0, "late"));
        Assert.Equal(PartitionStatus.StaleProducerEpoch, await old.SendAsync(topic, 1, "later"));
        Assert.Equal(TransactionStatus.Fenced, await old.AddAsync((topic, 1)));
        Assert.Equal(TransactionStatus.Fenced, await old.EndAsync(true));
        Assert.Equal(TransactionStatus.Fenced, await broker.Broker.Transactions.AddGroupAsync(old.Id, old.Identity, "g"));
        Assert.Equal(TransactionStatus.Fenced, await old.InitialiseAsync(known: old.Identity));

        await young.AddAsync((topic, 0));
        Assert.Equal(PartitionStatus.Ok, await young.SendAsync(topic, 0, "of the new one"));
        Assert.Equal(TransactionStatus.Ok, await young.EndAsync(true));
        await CompleteAsync(broker, young);
        Assert.Equal(["of the new one"], await TransactionalProducer.ReadCommittedAsync(topic.Partitions[0]));
    }

    [Theory, MemberData(nameof(LocalOrNot))]
    public async Task A_transaction_that_stands_still_is_aborted_and_its_producer_fenced(bool local)
    {
        await using var broker = await StartAsync(local);
        var topic = await broker.CreateTopicAsync("t");
        var producer = new TransactionalProducer(broker.Broker.Transactions, "p");
        await producer.InitialiseAsync(timeoutMs: 5000);
        await producer.AddAsync((topic, 0));
        await producer.SendAsync(topic, 0, "slow");
        broker.Time.Advance(TimeSpan.FromMilliseconds(4900));
        Assert.Equal(TransactionState.Ongoing, StateOf(broker, producer));
        await CompleteAsync(broker, producer);
        Assert.Equal(TransactionState.CompleteAbort, StateOf(broker, producer));
        Assert.Equal(TransactionStatus.Fenced, await producer.EndAsync(true));
        Assert.Equal(PartitionStatus.StaleProducerEpoch, await producer.SendAsync(topic, 0, "too late"));
        Assert.Empty(await TransactionalProducer.ReadCommittedAsync(topic.Partitions[0]));
        Assert.Equal(TransactionStatus.Ok, await producer.InitialiseAsync());
    }

    [Theory, MemberData(nameof(LocalOrNot))]
    public async Task Offsets_become_the_groups_when_the_transaction_is_committed(bool local)
    {
        await using var broker = await StartAsync(local);
        var topic = await broker.CreateTopicAsync("t");
        var transactions = broker.Broker.Transactions;
        var group = GroupName.InDefault("g");
        var partition = new GroupPartition(topic.Id, 0);
        var producer = new TransactionalProducer(transactions, "p");
        await producer.InitialiseAsync();
        OffsetCommit At(long offset) => new(partition, new CommittedOffset(offset, 3, "here"));
        async Task<FetchedOffset> FetchAsync(bool stable) =>
            (await broker.Broker.Groups.FetchOffsetsAsync(group, GroupCaller.Outsider, [partition], stable)).Offsets[0];

        var early = await transactions.CommitOffsetsAsync(producer.Id, producer.Identity, "g", GroupCaller.Outsider, [At(1)]);
        Assert.Equal(TransactionStatus.NotInTransaction, early.Status);
        Assert.Equal(TransactionStatus.Ok, await transactions.AddGroupAsync(producer.Id, producer.Identity, "g"));
        var staged = await transactions.CommitOffsetsAsync(producer.Id, producer.Identity, "g", GroupCaller.Outsider, [At(5)]);
        Assert.Equal(new TransactionalOffsetsAnswer(TransactionStatus.Ok, GroupStatus.Ok), staged);
        Assert.Null((await FetchAsync(false)).Committed);
        Assert.Equal(GroupStatus.UnstableOffset, (await FetchAsync(true)).Status);
        await producer.EndAsync(true);
        await CompleteAsync(broker, producer);
        Assert.Equal(5, (await FetchAsync(true)).Committed!.Value.Offset);

        await transactions.AddGroupAsync(producer.Id, producer.Identity, "g");
        await transactions.CommitOffsetsAsync(producer.Id, producer.Identity, "g", GroupCaller.Outsider, [At(9)]);
        await producer.EndAsync(false);
        await CompleteAsync(broker, producer);
        Assert.Equal(5, (await FetchAsync(true)).Committed!.Value.Offset);

        var stranger = producer.Identity with { Epoch = (short)(producer.Identity.Epoch - 1) };
        Assert.Equal(TransactionStatus.Fenced, (await transactions.CommitOffsetsAsync(producer.Id, stranger, "g", GroupCaller.Outsider, [At(1)])).Status);
        var member = new GroupCaller("nobody", null, 4);
        await transactions.AddGroupAsync(producer.Id, producer.Identity, "g");
        Assert.NotEqual(GroupStatus.Ok, (await transactions.CommitOffsetsAsync(producer.Id, producer.Identity, "g", member, [At(1)])).Group);
    }

    [Fact]
    public async Task A_partition_takes_no_batch_of_a_transaction_that_it_is_not_part_of()
    {
        await using var broker = await TestBroker.StartAsync();
        var topic = await broker.CreateTopicAsync("t", 2);
        var producer = new TransactionalProducer(broker.Broker.Transactions, "p");
        Assert.Equal(TransactionStatus.UnknownProducer, await producer.AddAsync((topic, 0)));
        await producer.InitialiseAsync();
        Assert.Equal(PartitionStatus.NotInTransaction, await producer.SendAsync(topic, 0, "before any"));
        await producer.AddAsync((topic, 0));
        Assert.Equal(PartitionStatus.NotInTransaction, await producer.SendAsync(topic, 1, "not this one"));
        var nobody = new TransactionalProducer(broker.Broker.Transactions, "nobody") { Identity = producer.Identity };
        Assert.Equal(PartitionStatus.UnknownProducer, await nobody.SendAsync(topic, 0, "under a wrong name"));
        Assert.Equal(PartitionStatus.Ok, await producer.SendAsync(topic, 0, "this one"));
        var plain = await topic.Partitions[0].AppendAsync(TransactionalProducer.BatchOf(producer.Identity, 1, "outside", isTransactional: false));
        Assert.Equal(PartitionStatus.NotInTransaction, plain.Status);
        await producer.EndAsync(true);
        Assert.Equal(PartitionStatus.NotInTransaction, await producer.SendAsync(topic, 0, "after the end"));
        Assert.Equal(TransactionStatus.InvalidState, await producer.EndAsync(false));
        var unlabelled = await topic.Partitions[0].AppendAsync(TransactionalProducer.BatchOf(producer.Identity, 1, "no id"));
        Assert.Equal(PartitionStatus.NotInTransaction, unlabelled.Status);
        Assert.Equal(["this one"], await TransactionalProducer.ReadCommittedAsync(topic.Partitions[0]));
    }

    [Fact]
    public async Task A_producer_that_goes_on_after_an_error_keeps_its_id_and_gets_a_new_epoch()
    {
        await using var broker = await TestBroker.StartAsync();
        var topic = await broker.CreateTopicAsync("t");
        var producer = new TransactionalProducer(broker.Broker.Transactions, "p");
        await producer.InitialiseAsync();
        await producer.AddAsync((topic, 0));
        await producer.SendAsync(topic, 0, "first");
        await producer.EndAsync(true);
        var first = producer.Identity;
        Assert.Equal(TransactionStatus.Ok, await producer.InitialiseAsync(known: first));
        Assert.Equal(first with { Epoch = 1 }, producer.Identity);
        // Its answer was lost, so it asks once more, and gets no second bump.
        Assert.Equal(TransactionStatus.Ok, await producer.InitialiseAsync(known: first));
        Assert.Equal(first with { Epoch = 1 }, producer.Identity);
        await producer.AddAsync((topic, 0));
        Assert.Equal(PartitionStatus.Ok, await producer.SendAsync(topic, 0, "sequences begin anew"));
        // In the midst of a transaction it aborts that, and stays who it is.
        Assert.Equal(TransactionStatus.Ok, await producer.InitialiseAsync(known: producer.Identity));
        Assert.Equal(first with { Epoch = 3 }, producer.Identity);
        Assert.Equal(["first"], await TransactionalProducer.ReadCommittedAsync(topic.Partitions[0]));

        var other = new TransactionalProducer(broker.Broker.Transactions, "p");
        await other.InitialiseAsync();
        Assert.Equal(TransactionStatus.Fenced, await producer.InitialiseAsync(known: producer.Identity));
        Assert.Equal(TransactionStatus.Fenced, await producer.InitialiseAsync(known: new ProducerIdentity(99_999, 0)));
        await other.AddAsync((topic, 0));
        Assert.Equal(TransactionStatus.Fenced, await producer.InitialiseAsync(known: producer.Identity));
        Assert.Equal(TransactionState.Ongoing, StateOf(broker, other));
    }

    [Fact]
    public async Task When_no_epoch_is_left_the_producer_gets_a_new_id()
    {
        await using var broker = await TestBroker.StartAsync();
        var topic = await broker.CreateTopicAsync("t");
        var producer = new TransactionalProducer(broker.Broker.Transactions, "p");
        await producer.InitialiseAsync();
        var worn = producer.Identity with { Epoch = ProducerIdentity.LastEpoch };
        await SetIdentityAsync(broker, producer.Id, worn);

        producer.Identity = worn;
        await producer.AddAsync((topic, 0));
        await producer.SendAsync(topic, 0, "of the last epoch");
        Assert.Equal(TransactionStatus.Ok, await producer.InitialiseAsync());
        Assert.NotEqual(worn.Id, producer.Identity.Id);
        Assert.Equal(0, producer.Identity.Epoch);
        Assert.Empty(await TransactionalProducer.ReadCommittedAsync(topic.Partitions[0]));

        await SetIdentityAsync(broker, producer.Id, producer.Identity with { Epoch = ProducerIdentity.LastEpoch });
        worn = producer.Identity with { Epoch = ProducerIdentity.LastEpoch };
        Assert.Equal(TransactionStatus.Ok, await producer.InitialiseAsync(known: worn));
        var fresh = producer.Identity;
        Assert.Equal(0, fresh.Epoch);
        Assert.NotEqual(worn.Id, fresh.Id);
        // And once more, as the answer was lost.
        Assert.Equal(TransactionStatus.Ok, await producer.InitialiseAsync(known: worn));
        Assert.Equal(fresh, producer.Identity);
    }

    private static async Task SetIdentityAsync(TestBroker broker, TransactionalId id, ProducerIdentity identity)
    {
        var store = broker.Broker.Store;
        for (var i = 0; i < TransactionContext.Shards; i++)
        {
            var shard = store.GetState(Broker.FirstTransactionState + i);
            await shard.ExecuteAsync(CommitMode.Fsync, commit =>
            {
                if (((TransactionShard)shard.Machine).Find(id) is not null) shard.Emit(commit, TransactionEvents.Initialised(id, identity, -1, 60_000, 0));
                return 0;
            });
        }
    }

    [Fact]
    public async Task Unreasonable_names_and_timeouts_are_refused()
    {
        await using var broker = await TestBroker.StartAsync();
        var limit = (int)TimeSpan.FromMinutes(15).TotalMilliseconds;
        var producer = new TransactionalProducer(broker.Broker.Transactions, "p");
        Assert.Equal(TransactionStatus.InvalidTimeout, await producer.InitialiseAsync(limit + 1));
        Assert.Equal(TransactionStatus.InvalidTimeout, await producer.InitialiseAsync(0));
        Assert.Equal(TransactionStatus.Ok, await producer.InitialiseAsync(limit));
        Assert.Equal(TransactionStatus.InvalidId, await new TransactionalProducer(broker.Broker.Transactions, "").InitialiseAsync());
        Assert.Equal(TransactionStatus.InvalidId, await new TransactionalProducer(broker.Broker.Transactions, new string('x', 40_000)).InitialiseAsync());
        Assert.Equal(TransactionStatus.Ok, await new TransactionalProducer(broker.Broker.Transactions, new string('é', 32_000)).InitialiseAsync());
    }

    [Fact]
    public async Task Ids_that_nobody_uses_are_forgotten()
    {
        await using var broker = await TestBroker.StartAsync();
        var topic = await broker.CreateTopicAsync("t");
        var idle = new TransactionalProducer(broker.Broker.Transactions, "idle");
        await idle.InitialiseAsync();
        broker.Time.Advance(TimeSpan.FromDays(6));
        var busy = new TransactionalProducer(broker.Broker.Transactions, "busy");
        await busy.InitialiseAsync();
        broker.Time.Advance(TimeSpan.FromDays(1));
        await UntilAsync(broker, () => broker.Broker.Transactions.Describe(idle.Id) is null);
        Assert.Equal([busy.Id], broker.Broker.Transactions.List().Select(t => t.Id));
        await broker.RestartAsync();
        Assert.Equal([busy.Id], broker.Broker.Transactions.List().Select(t => t.Id));
        var back = new TransactionalProducer(broker.Broker.Transactions, "idle");
        Assert.Equal(TransactionStatus.UnknownProducer, await back.AddAsync((topic, 0)));
        Assert.Equal(TransactionStatus.Ok, await back.InitialiseAsync(known: idle.Identity));
        Assert.NotEqual(idle.Identity.Id, back.Identity.Id);
    }

    [Fact]
    public async Task A_decision_outlives_restarts_until_every_partition_knows()
    {
        var open = false;
        var calls = 0;
        var seams = new BrokerSeams
        {
            TopicsOfTransactions = topics => new InterceptedTopics(topics, (partition, marker, cancellation) =>
            {
                Interlocked.Increment(ref calls);
                if (partition.Index == 0 || Volatile.Read(ref open)) return partition.AppendMarkerAsync(marker, cancellation);
                return ValueTask.FromResult(new AppendAnswer(calls % 2 == 0 ? PartitionStatus.Moved : PartitionStatus.StorageError, -1, -1, -1));
            }),
        };
        await using var broker = await TestBroker.StartAsync(seams: seams);
        var topic = await broker.CreateTopicAsync("t", 2);
        var producer = new TransactionalProducer(broker.Broker.Transactions, "p");
        await producer.InitialiseAsync();
        await producer.AddAsync((topic, 0), (topic, 1));
        await producer.SendAsync(topic, 0, "a");
        await producer.SendAsync(topic, 1, "b");
        Assert.Equal(TransactionStatus.Ok, await producer.EndAsync(true));
        Assert.Equal(TransactionStatus.Concurrent, await producer.EndAsync(true));
        Assert.Equal(TransactionStatus.InvalidState, await producer.EndAsync(false));
        Assert.Equal(TransactionStatus.Concurrent, await producer.AddAsync((topic, 0)));
        await UntilAsync(broker, () => Volatile.Read(ref calls) > 5);
        Assert.Equal(TransactionState.PrepareCommit, StateOf(broker, producer));
        Assert.Equal(TransactionStatus.Concurrent, await new TransactionalProducer(broker.Broker.Transactions, "p").InitialiseAsync());

        await broker.RestartAsync();
        topic = broker.Broker.Topics.Find(topic.Name)!;
        producer = new TransactionalProducer(broker.Broker.Transactions, "p") { Identity = producer.Identity };
        calls = 0;
        await UntilAsync(broker, () => Volatile.Read(ref calls) > 5);
        Assert.Equal(TransactionState.PrepareCommit, StateOf(broker, producer));
        Assert.Empty(await TransactionalProducer.ReadCommittedAsync(topic.Partitions[1]));

        await broker.Broker.MoveCoordinatorAsync();
        producer = new TransactionalProducer(broker.Broker.Transactions, "p") { Identity = producer.Identity };
        Volatile.Write(ref open, true);
        await CompleteAsync(broker, producer);
        Assert.Equal(["a"], await TransactionalProducer.ReadCommittedAsync(topic.Partitions[0]));
        Assert.Equal(["b"], await TransactionalProducer.ReadCommittedAsync(topic.Partitions[1]));
        // However often it was told, each partition has one marker.
        Assert.True(topic.Partitions[0].TryGetOffsets(out var offsets));
        Assert.Equal(2, offsets.HighWatermark);
    }

    [Fact]
    public async Task A_marker_that_comes_late_does_not_end_the_next_transaction()
    {
        TransactionMarker first = default;
        var seams = new BrokerSeams
        {
            TopicsOfTransactions = topics => new InterceptedTopics(topics, (partition, marker, cancellation) =>
            {
                if (first == default) first = marker;
                return partition.AppendMarkerAsync(marker, cancellation);
            }),
        };
        await using var broker = await TestBroker.StartAsync(seams: seams);
        var topic = await broker.CreateTopicAsync("t");
        var producer = new TransactionalProducer(broker.Broker.Transactions, "p");
        await producer.InitialiseAsync();
        await producer.AddAsync((topic, 0));
        await producer.SendAsync(topic, 0, "a");
        await producer.EndAsync(true);
        await CompleteAsync(broker, producer);
        await producer.AddAsync((topic, 0));
        await producer.SendAsync(topic, 0, "b");
        Assert.Equal(PartitionStatus.Duplicate, (await topic.Partitions[0].AppendMarkerAsync(first)).Status);
        Assert.Equal(["a"], await TransactionalProducer.ReadCommittedAsync(topic.Partitions[0]));
        await producer.EndAsync(false);
        await CompleteAsync(broker, producer);
        Assert.Equal(["a"], await TransactionalProducer.ReadCommittedAsync(topic.Partitions[0]));
    }

    [Fact]
    public async Task An_operator_can_end_what_hangs_at_a_partition()
    {
        await using var broker = await TestBroker.StartAsync();
        var topic = await broker.CreateTopicAsync("t");
        var producer = new TransactionalProducer(broker.Broker.Transactions, "p");
        await producer.InitialiseAsync();
        await producer.AddAsync((topic, 0));
        await producer.SendAsync(topic, 0, "hangs");
        var stale = producer.Identity with { Epoch = -1 };
        Assert.Equal(PartitionStatus.StaleProducerEpoch, (await topic.Partitions[0].AppendMarkerAsync(new TransactionMarker(stale, -1, false))).Status);
        Assert.Equal(PartitionStatus.Ok, (await topic.Partitions[0].AppendMarkerAsync(new TransactionMarker(producer.Identity, -1, false))).Status);
        Assert.True(topic.Partitions[0].TryGetOffsets(out var offsets));
        Assert.Equal(offsets.HighWatermark, offsets.LastStable);
        // The coordinator's own marker comes all the same.
        Assert.Equal(TransactionStatus.Ok, await producer.EndAsync(true));
        Assert.Empty(await TransactionalProducer.ReadCommittedAsync(topic.Partitions[0]));
        Assert.True(topic.Partitions[0].TryGetOffsets(out offsets));
        Assert.Equal(3, offsets.HighWatermark);
    }

    [Theory, MemberData(nameof(LocalOrNot))]
    public async Task A_topic_that_is_deleted_does_not_keep_a_transaction_from_ending(bool local)
    {
        await using var broker = await StartAsync(local);
        var doomed = await broker.CreateTopicAsync("doomed");
        var topic = await broker.CreateTopicAsync("t");
        var producer = new TransactionalProducer(broker.Broker.Transactions, "p");
        await producer.InitialiseAsync();
        await producer.AddAsync((doomed, 0), (topic, 0));
        await producer.SendAsync(doomed, 0, "a");
        await producer.SendAsync(topic, 0, "b");
        await broker.Broker.Topics.DeleteAsync(doomed.Name);
        var again = await broker.CreateTopicAsync("doomed");
        Assert.Equal(TransactionStatus.Ok, await producer.EndAsync(true));
        await CompleteAsync(broker, producer);
        Assert.Equal(["b"], await TransactionalProducer.ReadCommittedAsync(topic.Partitions[0]));
        Assert.True(again.Partitions[0].TryGetOffsets(out var offsets));
        Assert.Equal(0, offsets.HighWatermark);
    }

    [Theory]
    [InlineData(CommitMode.Written)]
    [InlineData(CommitMode.Memory)]
    public async Task Topics_of_every_mode_take_part(CommitMode mode)
    {
        await using var broker = await TestBroker.StartAsync();
        var durable = await broker.CreateTopicAsync("durable");
        var topic = await broker.CreateTopicAsync("t", 1, TopicSettings.Default with { CommitMode = mode });
        var producer = new TransactionalProducer(broker.Broker.Transactions, "p");
        await producer.InitialiseAsync();
        foreach (var commit in (bool[])[true, false])
        {
            await producer.AddAsync((durable, 0), (topic, 0));
            Assert.Equal(PartitionStatus.Ok, await producer.SendAsync(durable, 0, $"a {commit}"));
            Assert.Equal(PartitionStatus.Ok, await producer.SendAsync(topic, 0, $"b {commit}"));
            Assert.Equal(TransactionStatus.Ok, await producer.EndAsync(commit));
            await CompleteAsync(broker, producer);
        }
        Assert.Equal(["a True"], await TransactionalProducer.ReadCommittedAsync(durable.Partitions[0]));
        Assert.Equal(["b True"], await TransactionalProducer.ReadCommittedAsync(topic.Partitions[0]));
    }
}

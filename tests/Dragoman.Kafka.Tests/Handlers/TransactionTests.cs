using System.Buffers;
using Dragoman.Broker.Transactions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;
using Dragoman.Storage.Records;

namespace Dragoman.Kafka.Tests.Handlers;

public sealed class TransactionTests
{
    private static async Task<(long Id, short Epoch)> InitialiseAsync(TestConnection client, string name, short version = 4)
    {
        var answer = await client.AskAsync<InitProducerIdRequest, InitProducerIdResponse>(new() { TransactionalId = name, TransactionTimeoutMs = 60_000 }, version);
        Assert.Equal(ErrorCode.None, answer.ErrorCode);
        return (answer.ProducerId, answer.ProducerEpoch);
    }

    private static async Task<ErrorCode> AddAsync(TestConnection client, string name, (long Id, short Epoch) producer, string topic, int partition = 0, short version = 0)
    {
        var request = new AddPartitionsToTxnRequest
        {
            V3AndBelowTransactionalId = name,
            V3AndBelowProducerId = producer.Id,
            V3AndBelowProducerEpoch = producer.Epoch,
            V3AndBelowTopics = [new() { Name = topic, Partitions = [partition] }],
        };
        var answer = await client.AskAsync<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse>(request, version);
        return Assert.Single(Assert.Single(answer.ResultsByTopicV3AndBelow).ResultsByPartition).PartitionErrorCode;
    }

    private static async Task<ErrorCode> SendAsync(TestConnection client, string name, (long Id, short Epoch) producer, string topic, int sequence, string value, int partition = 0, short version = 8)
    {
        var batch = Batches.Of(new BatchOptions { IsTransactional = true, Producer = new BatchProducer(producer.Id, producer.Epoch, sequence) }, 1000, value);
        var request = TestConnection.ProduceOf(topic, batch, partition);
        request.TransactionalId = name;
        var answer = await client.AskAsync<ProduceRequest, ProduceResponse>(request, version);
        return Assert.Single(Assert.Single(answer.Responses).PartitionResponses).ErrorCode;
    }

    private static async Task<ErrorCode> EndAsync(TestConnection client, string name, (long Id, short Epoch) producer, bool commit, short version = 1) =>
        (await client.AskAsync<EndTxnRequest, EndTxnResponse>(new() { TransactionalId = name, ProducerId = producer.Id, ProducerEpoch = producer.Epoch, Committed = commit }, version)).ErrorCode;

    private static FetchRequest Fetch(string topic, long offset, IsolationLevel isolation, int maxWaitMs = 0) => new()
    {
        MaxWaitMs = maxWaitMs,
        MinBytes = 1,
        MaxBytes = 1 << 20,
        IsolationLevel = isolation,
        Topics = [new() { Topic = topic, Partitions = [new() { FetchOffset = offset, PartitionMaxBytes = 1 << 20 }] }],
    };

    private static async Task<FetchResponse.PartitionData> FetchAsync(TestConnection client, string topic, long offset, IsolationLevel isolation) =>
        Assert.Single(Assert.Single((await client.AskAsync<FetchRequest, FetchResponse>(Fetch(topic, offset, isolation), 11)).Responses).Partitions);

    private static async Task<long> LatestAsync(TestConnection client, string topic, IsolationLevel isolation, long timestamp = -1)
    {
        var request = new ListOffsetsRequest { IsolationLevel = isolation, Topics = [new() { Name = topic, Partitions = [new() { Timestamp = timestamp }] }] };
        return Assert.Single(Assert.Single((await client.AskAsync<ListOffsetsRequest, ListOffsetsResponse>(request, 7)).Topics).Partitions).Offset;
    }

    [Fact]
    public async Task Readers_of_committed_records_stop_at_the_last_stable_offset_and_are_told_what_to_skip()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t");
        var client = broker.Connect();
        var producer = await InitialiseAsync(client, "x");
        await client.ProduceAsync("t", Batches.Of("before"));
        Assert.Equal(ErrorCode.None, await AddAsync(client, "x", producer, "t"));
        Assert.Equal(ErrorCode.None, await SendAsync(client, "x", producer, "t", 0, "taken back"));
        await client.ProduceAsync("t", Batches.Of("after"));

        var stable = await FetchAsync(client, "t", 0, IsolationLevel.ReadCommitted);
        Assert.Equal((3, 1), (stable.HighWatermark, stable.LastStableOffset));
        Assert.Equal(["before"], Batches.ValuesIn(stable.Records));
        Assert.Empty(stable.AbortedTransactions!);
        var all = await FetchAsync(client, "t", 0, IsolationLevel.ReadUncommitted);
        Assert.Equal(["before", "taken back", "after"], Batches.ValuesIn(all.Records));
        Assert.Null(all.AbortedTransactions);
        Assert.Equal((3, 1), (await LatestAsync(client, "t", IsolationLevel.ReadUncommitted), await LatestAsync(client, "t", IsolationLevel.ReadCommitted)));
        Assert.Equal(-1, await LatestAsync(client, "t", IsolationLevel.ReadCommitted, timestamp: 5000));

        Assert.Equal(ErrorCode.None, await EndAsync(client, "x", producer, commit: false));
        stable = await FetchAsync(client, "t", 0, IsolationLevel.ReadCommitted);
        Assert.Equal((4, 4), (stable.HighWatermark, stable.LastStableOffset));
        var skipped = Assert.Single(stable.AbortedTransactions!);
        Assert.Equal((producer.Id, 1), (skipped.ProducerId, skipped.FirstOffset));
        Assert.Equal(4, await LatestAsync(client, "t", IsolationLevel.ReadCommitted));
        // Whoever begins behind the aborted records need not hear of them.
        Assert.Empty((await FetchAsync(client, "t", 4, IsolationLevel.ReadCommitted)).AbortedTransactions!);
        Assert.Single((await FetchAsync(client, "t", 2, IsolationLevel.ReadCommitted)).AbortedTransactions!);
    }

    [Fact]
    public async Task The_end_of_a_transaction_wakes_those_who_wait_for_committed_records()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t");
        var (client, consumer) = (broker.Connect(), broker.Connect());
        var producer = await InitialiseAsync(client, "x");
        await AddAsync(client, "x", producer, "t");
        await SendAsync(client, "x", producer, "t", 0, "a");
        var waiting = await consumer.SendAsync(Fetch("t", 0, IsolationLevel.ReadCommitted, maxWaitMs: 600_000), 11);
        Assert.False(await consumer.HasAnswerAsync(100));
        await SendAsync(client, "x", producer, "t", 1, "b");
        Assert.False(await consumer.HasAnswerAsync(100));
        Assert.Equal(ErrorCode.None, await EndAsync(client, "x", producer, commit: true));
        var answer = await consumer.ReceiveAsync<FetchResponse>(waiting, 11);
        Assert.Equal(["a", "b"], Batches.ValuesIn(Assert.Single(Assert.Single(answer.Responses).Partitions).Records).Take(2));
    }

    [Fact]
    public async Task Fenced_producers_hear_it_in_the_code_of_their_generation()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t");
        var client = broker.Connect();
        var old = await InitialiseAsync(client, "x");
        var young = await InitialiseAsync(client, "x");
        Assert.Equal((old.Id, old.Epoch + 1), (young.Id, young.Epoch));
        Assert.Equal(ErrorCode.InvalidProducerEpoch, await AddAsync(client, "x", old, "t", version: 0));
        Assert.Equal(ErrorCode.ProducerFenced, await AddAsync(client, "x", old, "t", version: 2));
        Assert.Equal(ErrorCode.InvalidProducerEpoch, await EndAsync(client, "x", old, true, version: 1));
        Assert.Equal(ErrorCode.ProducerFenced, await EndAsync(client, "x", old, true, version: 2));
        Assert.Equal(ErrorCode.InvalidProducerEpoch, await SendAsync(client, "x", old, "t", 0, "late"));
        Assert.Equal(ErrorCode.InvalidProducerIdMapping, await AddAsync(client, "x", (4711, 0), "t"));
        Assert.Equal(ErrorCode.InvalidProducerIdMapping, await EndAsync(client, "y", young, true));
        foreach (var (version, code) in ((short, ErrorCode)[])[(3, ErrorCode.InvalidProducerEpoch), (4, ErrorCode.ProducerFenced)])
        {
            var request = new InitProducerIdRequest { TransactionalId = "x", TransactionTimeoutMs = 1000, ProducerId = old.Id, ProducerEpoch = old.Epoch };
            // Once it is the epoch before the newest that asked for itself, it would be a repetition; it never was here.
            Assert.Equal(code, (await client.AskAsync<InitProducerIdRequest, InitProducerIdResponse>(request, version)).ErrorCode);
        }
        var half = new InitProducerIdRequest { TransactionalId = "x", TransactionTimeoutMs = 1000, ProducerId = old.Id };
        Assert.Equal(ErrorCode.InvalidRequest, (await client.AskAsync<InitProducerIdRequest, InitProducerIdResponse>(half, 4)).ErrorCode);
        var patient = new InitProducerIdRequest { TransactionalId = "x", TransactionTimeoutMs = 900_001 };
        Assert.Equal(ErrorCode.InvalidTransactionTimeout, (await client.AskAsync<InitProducerIdRequest, InitProducerIdResponse>(patient, 4)).ErrorCode);
        var nameless = new InitProducerIdRequest { TransactionalId = "", TransactionTimeoutMs = 1000 };
        Assert.Equal(ErrorCode.InvalidRequest, (await client.AskAsync<InitProducerIdRequest, InitProducerIdResponse>(nameless, 4)).ErrorCode);
    }

    [Fact]
    public async Task Partitions_are_added_all_or_none_and_batches_outside_are_refused()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t", 2);
        var client = broker.Connect();
        var producer = await InitialiseAsync(client, "x");
        var request = new AddPartitionsToTxnRequest
        {
            V3AndBelowTransactionalId = "x",
            V3AndBelowProducerId = producer.Id,
            V3AndBelowProducerEpoch = producer.Epoch,
            V3AndBelowTopics = [new() { Name = "t", Partitions = [0, 7] }, new() { Name = "none", Partitions = [0] }],
        };
        var answer = await client.AskAsync<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse>(request, 3);
        Assert.Equal(
            [ErrorCode.OperationNotAttempted, ErrorCode.UnknownTopicOrPartition, ErrorCode.UnknownTopicOrPartition],
            answer.ResultsByTopicV3AndBelow.SelectMany(t => t.ResultsByPartition).Select(p => p.PartitionErrorCode));
        Assert.Equal(ErrorCode.InvalidTxnState, await SendAsync(client, "x", producer, "t", 0, "none is open", version: 10));
        Assert.Equal(ErrorCode.TransactionAbortable, await SendAsync(client, "x", producer, "t", 0, "none is open", version: 11));
        Assert.Equal(ErrorCode.InvalidTxnState, await EndAsync(client, "x", producer, true));
        Assert.Equal(ErrorCode.None, await AddAsync(client, "x", producer, "t", 0));
        Assert.Equal(ErrorCode.InvalidTxnState, await SendAsync(client, "x", producer, "t", 0, "another partition", partition: 1));
        Assert.Equal(ErrorCode.None, await SendAsync(client, "x", producer, "t", 0, "this one"));
        Assert.Equal(ErrorCode.InvalidProducerIdMapping, await SendAsync(client, "y", producer, "t", 0, "another name", partition: 1));

        var batched = new AddPartitionsToTxnRequest
        {
            Transactions =
            [
                new() { TransactionalId = "x", ProducerId = producer.Id, ProducerEpoch = producer.Epoch, VerifyOnly = true, Topics = [new() { Name = "t", Partitions = [0, 1] }] },
                new() { TransactionalId = "z", ProducerId = producer.Id, ProducerEpoch = producer.Epoch, Topics = [new() { Name = "t", Partitions = [0] }] },
            ],
        };
        foreach (var (version, outside) in ((short, ErrorCode)[])[(4, ErrorCode.InvalidTxnState), (5, ErrorCode.TransactionAbortable)])
        {
            var verified = await client.AskAsync<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse>(batched, version);
            Assert.Equal([ErrorCode.None, outside, ErrorCode.InvalidProducerIdMapping], verified.ResultsByTransaction.SelectMany(r => r.TopicResults).SelectMany(t => t.ResultsByPartition).Select(p => p.PartitionErrorCode));
        }
    }

    [Fact]
    public async Task Offsets_of_a_group_go_with_the_transaction()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t");
        var client = broker.Connect();
        var producer = await InitialiseAsync(client, "x");
        TxnOffsetCommitRequest Commit(long offset) => new()
        {
            TransactionalId = "x",
            GroupId = "g",
            ProducerId = producer.Id,
            ProducerEpoch = producer.Epoch,
            Topics = [new() { Name = "t", Partitions = [new() { CommittedOffset = offset, CommittedMetadata = "m" }] }, new() { Name = "none", Partitions = [new()] }],
        };
        async Task<IEnumerable<ErrorCode>> CommitAsync(long offset, short version) =>
            (await client.AskAsync<TxnOffsetCommitRequest, TxnOffsetCommitResponse>(Commit(offset), version)).Topics.SelectMany(t => t.Partitions).Select(p => p.ErrorCode);

        Assert.Equal([ErrorCode.InvalidTxnState, ErrorCode.UnknownTopicOrPartition], await CommitAsync(3, 3));
        Assert.Equal([ErrorCode.TransactionAbortable, ErrorCode.UnknownTopicOrPartition], await CommitAsync(3, 4));
        var add = new AddOffsetsToTxnRequest { TransactionalId = "x", GroupId = "g", ProducerId = producer.Id, ProducerEpoch = producer.Epoch };
        Assert.Equal(ErrorCode.None, (await client.AskAsync<AddOffsetsToTxnRequest, AddOffsetsToTxnResponse>(add, 0)).ErrorCode);
        Assert.Equal([ErrorCode.None, ErrorCode.UnknownTopicOrPartition], await CommitAsync(3, 0));
        Assert.Equal((-1, ErrorCode.None), await OffsetAsync(client, false));
        Assert.Equal((-1, ErrorCode.UnstableOffsetCommit), await OffsetAsync(client, true));
        Assert.Equal(ErrorCode.None, await EndAsync(client, "x", producer, commit: true));
        Assert.Equal((3, ErrorCode.None), await OffsetAsync(client, true));
        // From version 5 on, the group need not be added first.
        Assert.Equal([ErrorCode.None, ErrorCode.UnknownTopicOrPartition], await CommitAsync(8, 5));
        Assert.Equal(ErrorCode.None, await EndAsync(client, "x", producer, commit: false));
        Assert.Equal((3, ErrorCode.None), await OffsetAsync(client, true));
        producer = (producer.Id, (short)(producer.Epoch - 1));
        Assert.Equal([ErrorCode.InvalidProducerEpoch, ErrorCode.UnknownTopicOrPartition], await CommitAsync(9, 3));
    }

    private static async Task<(long Offset, ErrorCode Error)> OffsetAsync(TestConnection client, bool requireStable)
    {
        var request = new OffsetFetchRequest { GroupId = "g", RequireStable = requireStable, Topics = [new() { Name = "t", PartitionIndexes = [0] }] };
        var partition = Assert.Single(Assert.Single((await client.AskAsync<OffsetFetchRequest, OffsetFetchResponse>(request, 7)).Topics).Partitions);
        return (partition.CommittedOffset, partition.ErrorCode);
    }

    [Fact]
    public async Task Administrators_see_transactions_and_end_those_that_hang()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t", 2);
        var client = broker.Connect();
        var producer = await InitialiseAsync(client, "x");
        var other = await InitialiseAsync(client, "idle");
        await AddAsync(client, "x", producer, "t", 1);
        await SendAsync(client, "x", producer, "t", 0, "a", partition: 1);

        var described = (await client.AskAsync<DescribeTransactionsRequest, DescribeTransactionsResponse>(new() { TransactionalIds = ["x", "idle", "none", ""] }, 0)).TransactionStates;
        Assert.Equal([ErrorCode.None, ErrorCode.None, ErrorCode.TransactionalIdNotFound, ErrorCode.InvalidRequest], described.Select(d => d.ErrorCode));
        Assert.Equal(("Ongoing", 60_000, producer.Id, producer.Epoch), (described[0].TransactionState, described[0].TransactionTimeoutMs, described[0].ProducerId, described[0].ProducerEpoch));
        Assert.Equal("t", Assert.Single(described[0].Topics).Topic);
        Assert.Equal([1], described[0].Topics[0].Partitions);
        Assert.True(described[0].TransactionStartTimeMs > 0);
        Assert.Equal(("Empty", -1), (described[1].TransactionState, described[1].TransactionStartTimeMs));

        async Task<ListTransactionsResponse> ListAsync(List<string> states, List<long> producers, long duration = -1) =>
            await client.AskAsync<ListTransactionsRequest, ListTransactionsResponse>(new() { StateFilters = states, ProducerIdFilters = producers, DurationFilter = duration }, 1);
        Assert.Equal(["idle", "x"], (await ListAsync([], [])).TransactionStates.Select(t => t.TransactionalId).Order());
        Assert.Equal(("x", "Ongoing", producer.Id), (await ListAsync(["Ongoing"], [])).TransactionStates.Select(t => (t.TransactionalId, t.TransactionState, t.ProducerId)).Single());
        Assert.Equal("idle", Assert.Single((await ListAsync([], [other.Id])).TransactionStates).TransactionalId);
        Assert.DoesNotContain("x", (await ListAsync([], [], 3_600_000)).TransactionStates.Select(t => t.TransactionalId));
        var odd = await ListAsync(["Odd", "Dead"], []);
        Assert.Equal(["Odd"], odd.UnknownStateFilters);
        Assert.Empty(odd.TransactionStates);

        async Task<List<DescribeProducersResponse.PartitionResponse>> ProducersAsync() =>
            Assert.Single((await client.AskAsync<DescribeProducersRequest, DescribeProducersResponse>(new() { Topics = [new() { Name = "t", PartitionIndexes = [1, 9] }] }, 0)).Topics).Partitions;
        var producers = await ProducersAsync();
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, producers[1].ErrorCode);
        var active = Assert.Single(producers[0].ActiveProducers);
        Assert.Equal((producer.Id, producer.Epoch, 0, 1000, -1, 0), (active.ProducerId, active.ProducerEpoch, active.LastSequence, active.LastTimestamp, active.CoordinatorEpoch, active.CurrentTxnStartOffset));

        var markers = new WriteTxnMarkersRequest
        {
            Markers = [new() { ProducerId = producer.Id, ProducerEpoch = producer.Epoch, Topics = [new() { Name = "t", PartitionIndexes = [1, 5] }] }],
        };
        var written = Assert.Single(Assert.Single((await client.AskAsync<WriteTxnMarkersRequest, WriteTxnMarkersResponse>(markers, 1)).Markers).Topics).Partitions;
        Assert.Equal([ErrorCode.None, ErrorCode.UnknownTopicOrPartition], written.Select(p => p.ErrorCode));
        Assert.Equal(-1, Assert.Single((await ProducersAsync())[0].ActiveProducers).CurrentTxnStartOffset);
        Assert.Equal(ErrorCode.None, await EndAsync(client, "x", producer, commit: true));
        Assert.Equal(1, Assert.Single((await ProducersAsync())[0].ActiveProducers).CoordinatorEpoch);
        Assert.Equal(TransactionState.CompleteCommit, broker.Broker.Transactions.Describe(TransactionalId.InDefault("x"))!.State);
    }
}

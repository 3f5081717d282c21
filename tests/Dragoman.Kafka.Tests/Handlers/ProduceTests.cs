using System.Buffers;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;
using Dragoman.Storage.Records;

namespace Dragoman.Kafka.Tests.Handlers;

public sealed class ProduceTests
{
    [Fact]
    public async Task Batches_get_offsets_in_every_version()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t");
        var client = broker.Connect();
        for (short version = 3; version <= 11; version++)
        {
            var answer = await client.ProduceAsync("t", Batches.Of("a", "b"), version: version, acks: (short)(version % 2 == 0 ? 1 : -1));
            Assert.Equal(ErrorCode.None, answer.ErrorCode);
            Assert.Equal(2 * (version - 3), answer.BaseOffset);
            Assert.Equal(-1, answer.LogAppendTimeMs);
            Assert.Equal(version >= 5 ? 0 : -1, answer.LogStartOffset);
        }
    }

    [Fact]
    [Trait("Row", "K29")]
    public async Task Log_append_time_is_told()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t", 1, ("message.timestamp.type", "LogAppendTime"));
        var answer = await broker.Connect().ProduceAsync("t", Batches.Of("a"));
        Assert.InRange(answer.LogAppendTimeMs, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() - 60_000, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
    }

    [Fact]
    [Trait("Row", "K8")]
    [Trait("Row", "K28")]
    public async Task What_cannot_be_appended_is_refused_in_kafkas_terms()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t", 1, ("max.message.bytes", "1000"));
        await broker.CreateTopicAsync("compacted", 1, ("cleanup.policy", "compact"));
        var client = broker.Connect();
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await client.ProduceAsync("none", Batches.Of("a"))).ErrorCode);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await client.ProduceAsync("t", Batches.Of("a"), partition: 1)).ErrorCode);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await client.ProduceAsync("t", Batches.Of("a"), partition: -1)).ErrorCode);
        Assert.Equal(ErrorCode.InvalidRequiredAcks, (await client.ProduceAsync("t", Batches.Of("a"), acks: 2)).ErrorCode);
        Assert.Equal(ErrorCode.MessageTooLarge, (await client.ProduceAsync("t", Batches.Sized(2000))).ErrorCode);
        Assert.Equal(ErrorCode.InvalidRecord, (await client.ProduceAsync("t", [])).ErrorCode);
        Assert.Equal(ErrorCode.InvalidRecord, (await client.ProduceAsync("t", [.. Batches.Of("a"), .. Batches.Of("b")])).ErrorCode);
        Assert.Equal(ErrorCode.CorruptMessage, (await client.ProduceAsync("t", new byte[20])).ErrorCode);

        var damaged = Batches.Of("abc");
        damaged[^2] ^= 1;
        Assert.Equal(ErrorCode.CorruptMessage, (await client.ProduceAsync("t", damaged)).ErrorCode);
        Assert.Equal(ErrorCode.CorruptMessage, (await client.ProduceAsync("t", Batches.Of("abc")[..^1])).ErrorCode);

        var old = Batches.Of("abc");
        old[Batches.MagicOffset] = 1;
        Assert.Equal(ErrorCode.InvalidRecord, (await client.ProduceAsync("t", old)).ErrorCode);

        var zstd = Batches.Of(new BatchOptions { Codec = CompressionCodec.Zstd }, 1, "a");
        Assert.Equal(ErrorCode.UnsupportedCompressionType, (await client.ProduceAsync("t", zstd, version: 6)).ErrorCode);
        Assert.Equal(ErrorCode.None, (await client.ProduceAsync("t", zstd, version: 7)).ErrorCode);

        var transactional = Batches.Of(new BatchOptions { IsTransactional = true, Producer = new BatchProducer(5, 0, 0) }, 1, "a");
        Assert.Equal(ErrorCode.TransactionalIdAuthorizationFailed, (await client.ProduceAsync("t", transactional)).ErrorCode);

        var keyless = await client.ProduceAsync("compacted", Batches.Of("a", "b"));
        Assert.Equal(ErrorCode.InvalidRecord, keyless.ErrorCode);
        Assert.Equal([0, 1], keyless.RecordErrors.Select(e => e.BatchIndex));
        Assert.Contains("key", keyless.ErrorMessage, StringComparison.Ordinal);
        Assert.Equal(1, (await client.ProduceAsync("t", Batches.Of("b"))).BaseOffset);
    }

    [Fact]
    [Trait("Row", "K14")]
    public async Task An_idempotent_producers_repetition_succeeds_at_its_first_offset_and_gaps_are_refused()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t");
        var client = broker.Connect();
        var id = (await client.AskAsync<InitProducerIdRequest, InitProducerIdResponse>(new() { TransactionTimeoutMs = 1 }, 4)).ProducerId;

        byte[] Batch(short epoch, int sequence) => Batches.Of(new BatchOptions { Producer = new BatchProducer(id, epoch, sequence) }, 1, "a");
        Assert.Equal(0, (await client.ProduceAsync("t", Batch(0, 0))).BaseOffset);
        Assert.Equal(1, (await client.ProduceAsync("t", Batch(0, 1))).BaseOffset);
        var again = await client.ProduceAsync("t", Batch(0, 0));
        Assert.Equal((ErrorCode.None, 0), (again.ErrorCode, again.BaseOffset));
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, (await client.ProduceAsync("t", Batch(0, 5))).ErrorCode);
        Assert.Equal(2, (await client.ProduceAsync("t", Batch(1, 0))).BaseOffset);
        Assert.Equal(ErrorCode.InvalidProducerEpoch, (await client.ProduceAsync("t", Batch(0, 2))).ErrorCode);
    }

    [Fact]
    [Trait("Row", "K8")]
    public async Task Without_acknowledgement_there_is_no_answer_and_an_error_closes()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t");
        var client = broker.Connect();
        await client.SendAsync(TestConnection.ProduceOf("t", Batches.Of("a"), acks: 0), 11);
        var answer = await client.ProduceAsync("t", Batches.Of("b"));
        Assert.Equal(1, answer.BaseOffset);

        await client.SendAsync(TestConnection.ProduceOf("none", Batches.Of("a"), acks: 0), 11);
        Assert.Null(await client.ReceiveFrameAsync());
        Assert.Contains("acks=0", Assert.Single(broker.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pipelined_requests_share_a_sync_and_are_answered_in_order()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t");
        var client = broker.Connect();
        broker.Disk.Close();
        var before = broker.Disk.Syncs;
        var expected = new List<int>();
        for (var i = 0; i < 50; i++) expected.Add(await client.SendAsync(TestConnection.ProduceOf("t", Batches.Of($"{i}")), 11));
        // All are appended while the first still waits for the disk.
        Assert.True(SpinWait.SpinUntil(() => broker.Broker.Store.Logs.Single().EndOffset == 50, 5000));
        Assert.False(await client.HasAnswerAsync(50));
        broker.Disk.Open();
        for (var i = 0; i < 50; i++)
        {
            var response = await client.ReceiveAsync<ProduceResponse>(expected[i], 11);
            Assert.Equal(i, response.Responses[0].PartitionResponses[0].BaseOffset);
        }
        Assert.InRange(broker.Disk.Syncs - before, 1, 10);
    }

    [Fact]
    public async Task Order_holds_where_requests_wait_for_room()
    {
        await using var broker = await BrokerFixture.StartAsync(store: store => store with { MaxPendingBytes = 20_000 });
        await broker.CreateTopicAsync("t");
        var client = broker.Connect();
        const int Count = 300;
        var sending = Task.Run(async () =>
        {
            for (var i = 0; i < Count; i++)
            {
                var batch = Batches.Of(new BatchOptions { Producer = new BatchProducer(1, 0, i) }, 1, new string('x', 100 + (37 * i % 5000)));
                await client.SendAsync(TestConnection.ProduceOf("t", batch), 11);
            }
        });
        for (var i = 0; i < Count; i++)
        {
            var answer = (await client.ReceiveAsync<ProduceResponse>(i + 1, 11)).Responses[0].PartitionResponses[0];
            Assert.Equal((ErrorCode.None, i), (answer.ErrorCode, answer.BaseOffset));
        }
        await sending;
    }

    [Fact]
    public async Task Requests_in_flight_are_bounded_and_a_client_sees_its_own_writes()
    {
        await using var broker = await BrokerFixture.StartAsync(options: new KafkaOptions { MaxInFlight = 3 });
        await broker.CreateTopicAsync("t");
        var client = broker.Connect();
        broker.Disk.Close();
        for (var i = 0; i < 10; i++) await client.SendAsync(TestConnection.ProduceOf("t", Batches.Of($"{i}")), 11);
        var list = await client.SendAsync(new ListOffsetsRequest { Topics = [new() { Name = "t", Partitions = [new() { Timestamp = -1 }] }] }, 7);
        await Task.Delay(100);
        Assert.Equal(3, broker.Broker.Store.Logs.Single().EndOffset);
        broker.Disk.Open();
        for (var i = 0; i < 10; i++) await client.ReceiveAsync<ProduceResponse>(i + 1, 11);
        Assert.Equal(10, (await client.ReceiveAsync<ListOffsetsResponse>(list, 7)).Topics[0].Partitions[0].Offset);
    }

    [Fact]
    [Trait("Row", "K28")]
    public async Task A_full_disk_is_an_error_that_producers_retry()
    {
        await using var broker = await BrokerFixture.StartAsync(store: store => store with { MaintenanceInterval = TimeSpan.FromMilliseconds(50) });
        await broker.CreateTopicAsync("t", 1, ("max.message.bytes", "3000000"), ("retention.ms", "-1"));
        var client = broker.Connect();
        broker.Disk.IsFull = true;
        ProduceResponse.PartitionProduceResponse answer;
        var sent = 0;
        do answer = await client.ProduceAsync("t", Batches.Sized(1 << 20));
        while (answer.ErrorCode == ErrorCode.None && ++sent < 100);
        Assert.Equal(ErrorCode.KafkaStorageError, answer.ErrorCode);
        broker.Disk.IsFull = false;
        var until = DateTime.UtcNow.AddSeconds(10);
        do answer = await client.ProduceAsync("t", Batches.Sized(1 << 20));
        while (answer.ErrorCode != ErrorCode.None && DateTime.UtcNow < until);
        Assert.Equal((ErrorCode.None, sent), (answer.ErrorCode, answer.BaseOffset));
    }

    [Fact]
    public async Task One_request_reaches_many_partitions()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("a", 3);
        await broker.CreateTopicAsync("b");
        var records = new Records(new ReadOnlySequence<byte>(Batches.Of("x")));
        var request = new ProduceRequest
        {
            Acks = -1,
            TopicData =
            [
                new() { Name = "a", PartitionData = [new() { Index = 2, Records = records }, new() { Index = 9, Records = records }, new() { Index = 0, Records = records }] },
                new() { Name = "b", PartitionData = [new() { Records = records }] },
            ],
        };
        var response = await broker.Connect().AskAsync<ProduceRequest, ProduceResponse>(request, 9);
        Assert.Equal([ErrorCode.None, ErrorCode.UnknownTopicOrPartition, ErrorCode.None], response.Responses[0].PartitionResponses.Select(p => p.ErrorCode));
        Assert.Equal([2, 9, 0], response.Responses[0].PartitionResponses.Select(p => p.Index));
        Assert.Equal(ErrorCode.None, Assert.Single(response.Responses[1].PartitionResponses).ErrorCode);
    }
}

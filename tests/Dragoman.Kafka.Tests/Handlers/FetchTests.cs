using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;
using Dragoman.Storage.Records;

namespace Dragoman.Kafka.Tests.Handlers;

public sealed class FetchTests
{
    private static FetchRequest Of(string topic, long offset, int maxWait = 0, int minBytes = 1, int maxBytes = int.MaxValue, int partitionMaxBytes = 1 << 20, Guid id = default, int partitions = 1) => new()
    {
        MaxWaitMs = maxWait,
        MinBytes = minBytes,
        MaxBytes = maxBytes,
        Topics =
        [
            new() { Topic = topic, TopicId = id, Partitions = [.. Enumerable.Range(0, partitions).Select(p => new FetchRequest.FetchPartition { Partition = p, FetchOffset = offset, PartitionMaxBytes = partitionMaxBytes })] },
        ],
    };

    private static Task<FetchResponse> AskAsync(TestConnection client, FetchRequest request, short version = 12) =>
        client.AskAsync<FetchRequest, FetchResponse>(request, version);

    private static FetchResponse.PartitionData Only(FetchResponse response) => Assert.Single(Assert.Single(response.Responses).Partitions);

    [Fact]
    [Trait("Row", "K6")]
    [Trait("Row", "K7")]
    public async Task Batches_come_back_as_they_went_in_every_version()
    {
        await using var broker = await BrokerFixture.StartAsync();
        var id = await broker.CreateTopicAsync("t");
        var client = broker.Connect();
        var sent = Batches.Of(new BatchOptions { Codec = CompressionCodec.Lz4 }, 1, "a", "b", "c");
        await client.ProduceAsync("t", sent);
        await client.ProduceAsync("t", Batches.Of("d"));
        for (short version = 4; version <= 16; version++)
        {
            var data = Only(await AskAsync(client, Of("t", 1, id: id), version));
            Assert.Equal(ErrorCode.None, data.ErrorCode);
            Assert.Equal((4, 4), (data.HighWatermark, data.LastStableOffset));
            Assert.Equal(version >= 5 ? 0 : -1, data.LogStartOffset);
            // The batch that holds the offset comes whole.
            Assert.Equal(["a", "b", "c", "d"], Batches.ValuesIn(data.Records));
            var got = System.Buffers.BuffersExtensions.ToArray(data.Records.Bytes).AsSpan(0, sent.Length);
            Assert.True(got[Batches.MagicOffset..].SequenceEqual(sent.AsSpan(Batches.MagicOffset)));
        }
    }

    [Fact]
    [Trait("Row", "K9")]
    public async Task An_empty_fetch_waits_and_is_woken_by_the_next_batch()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t");
        var consumer = broker.Connect();
        var asked = await consumer.SendAsync(Of("t", 0, maxWait: 10_000), 12);
        Assert.False(await consumer.HasAnswerAsync(100));
        await broker.Connect().ProduceAsync("t", Batches.Of("a"));
        Assert.Equal(["a"], Batches.ValuesIn(Only(await consumer.ReceiveAsync<FetchResponse>(asked, 12)).Records));
    }

    [Fact]
    [Trait("Row", "K9")]
    public async Task A_fetch_waits_for_as_much_as_it_asks_for()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t");
        var consumer = broker.Connect();
        var producer = broker.Connect();
        var asked = await consumer.SendAsync(Of("t", 0, maxWait: 10_000, minBytes: 2500), 12);
        await producer.ProduceAsync("t", Batches.Sized(1000));
        await producer.ProduceAsync("t", Batches.Sized(1000));
        Assert.False(await consumer.HasAnswerAsync(100));
        await producer.ProduceAsync("t", Batches.Sized(1000));
        Assert.InRange(Only(await consumer.ReceiveAsync<FetchResponse>(asked, 12)).Records.Length, 3000, 4000);
    }

    [Fact]
    public async Task A_fetch_ends_when_its_time_is_over()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t");
        var client = broker.Connect();
        var started = DateTime.UtcNow;
        var data = Only(await AskAsync(client, Of("t", 0, maxWait: 150)));
        Assert.InRange((DateTime.UtcNow - started).TotalMilliseconds, 140, 5000);
        Assert.Equal(0, data.Records.Length);
        Assert.False(data.Records.IsNull);
        // The next one has its own time.
        started = DateTime.UtcNow;
        await AskAsync(client, Of("t", 0, maxWait: 150));
        Assert.InRange((DateTime.UtcNow - started).TotalMilliseconds, 140, 5000);
    }

    [Fact]
    public async Task A_waiting_fetch_goes_with_its_client_and_with_its_topic()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t");
        var gone = broker.Connect();
        await gone.SendAsync(Of("t", 0, maxWait: 100_000), 12);
        await Task.Delay(50);
        gone.Disconnect();
        await gone.Ended.WaitAsync(TimeSpan.FromSeconds(5));

        var client = broker.Connect();
        var asked = await client.SendAsync(Of("t", 0, maxWait: 100_000), 12);
        await Task.Delay(50);
        await broker.Connect().AskAsync<DeleteTopicsRequest, DeleteTopicsResponse>(new() { TopicNames = ["t"] }, 5);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, Only(await client.ReceiveAsync<FetchResponse>(asked, 12)).ErrorCode);
    }

    [Fact]
    public async Task Stopping_answers_what_waits()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t");
        var client = broker.Connect();
        var asked = await client.SendAsync(Of("t", 0, maxWait: 100_000), 12);
        await Task.Delay(50);
        client.Session.Stop();
        Assert.Equal(ErrorCode.None, Only(await client.ReceiveAsync<FetchResponse>(asked, 12)).ErrorCode);
        Assert.Null(await client.ReceiveFrameAsync());
        Assert.Empty(broker.Warnings);
    }

    [Fact]
    [Trait("Row", "K9")]
    public async Task One_batch_comes_however_large_it_is_and_limits_hold_for_the_rest()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t");
        var client = broker.Connect();
        for (var i = 0; i < 5; i++) await client.ProduceAsync("t", Batches.Sized(10_000));
        Assert.InRange(Only(await AskAsync(client, Of("t", 0, partitionMaxBytes: 1))).Records.Length, 10_000, 11_000);
        Assert.InRange(Only(await AskAsync(client, Of("t", 0, maxBytes: 1))).Records.Length, 10_000, 11_000);
        Assert.InRange(Only(await AskAsync(client, Of("t", 0, partitionMaxBytes: 25_000))).Records.Length, 20_000, 22_000);
    }

    [Fact]
    [Trait("Row", "K9")]
    public async Task No_partition_starves()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t", 4);
        var client = broker.Connect();
        for (var p = 0; p < 4; p++)
            for (var i = 0; i < 3; i++) await client.ProduceAsync("t", Batches.Sized(10_000), p);
        var served = new int[4];
        for (var i = 0; i < 8; i++)
        {
            var response = await AskAsync(client, Of("t", 0, maxBytes: 12_000, partitions: 4));
            foreach (var data in response.Responses[0].Partitions)
                if (data.Records.Length > 0) served[data.PartitionIndex]++;
        }
        Assert.All(served, times => Assert.Equal(2, times));
    }

    [Fact]
    public async Task Large_answers_stream_and_a_client_that_does_not_read_holds_up_nobody()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t", 2);
        var producer = broker.Connect();
        for (var i = 0; i < 16; i++) await producer.ProduceAsync("t", Batches.Sized(500_000), i % 2);
        var lazy = broker.Connect();
        var asked = await lazy.SendAsync(Of("t", 0, partitionMaxBytes: 100 << 20, partitions: 2), 12);
        Assert.Equal(16 / 2, (await producer.ProduceAsync("t", Batches.Of("x"))).BaseOffset);
        var response = await lazy.ReceiveAsync<FetchResponse>(asked, 12);
        Assert.All(response.Responses[0].Partitions, data => Assert.Equal(8, Batches.ValuesIn(data.Records).Count(v => v.Length == 500_000)));
    }

    [Fact]
    [Trait("Row", "K28")]
    public async Task Errors_are_told_at_once_and_per_partition()
    {
        await using var broker = await BrokerFixture.StartAsync();
        var id = await broker.CreateTopicAsync("t");
        var client = broker.Connect();
        await client.ProduceAsync("t", Batches.Of("a", "b"));
        Assert.Equal(ErrorCode.OffsetOutOfRange, Only(await AskAsync(client, Of("t", 3, maxWait: 60_000))).ErrorCode);
        Assert.Equal(ErrorCode.OffsetOutOfRange, Only(await AskAsync(client, Of("t", -1, maxWait: 60_000))).ErrorCode);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, Only(await AskAsync(client, Of("none", 0, maxWait: 60_000))).ErrorCode);
        Assert.Equal(ErrorCode.UnknownTopicId, Only(await AskAsync(client, Of("", 0, maxWait: 60_000, id: Guid.NewGuid()), 13)).ErrorCode);
        var two = await AskAsync(client, Of("", 0, maxWait: 60_000, id: id, partitions: 2), 13);
        Assert.Equal([ErrorCode.None, ErrorCode.UnknownTopicOrPartition], two.Responses[0].Partitions.Select(p => p.ErrorCode));
        Assert.Equal(2, Batches.ValuesIn(two.Responses[0].Partitions[0].Records).Count);
    }

    [Fact]
    public async Task Leader_epochs_fence_and_tell_what_diverged()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t");
        var client = broker.Connect();
        await client.ProduceAsync("t", Batches.Of("a"));
        var epoch = broker.Broker.Store.Epoch;

        FetchRequest With(int current = -1, int last = -1, long offset = 0)
        {
            var request = Of("t", offset);
            request.Topics[0].Partitions[0].CurrentLeaderEpoch = current;
            request.Topics[0].Partitions[0].LastFetchedEpoch = last;
            return request;
        }

        Assert.Equal(ErrorCode.None, Only(await AskAsync(client, With(epoch))).ErrorCode);
        Assert.Equal(ErrorCode.UnknownLeaderEpoch, Only(await AskAsync(client, With(epoch + 1))).ErrorCode);
        if (epoch > 0) Assert.Equal(ErrorCode.FencedLeaderEpoch, Only(await AskAsync(client, With(epoch - 1))).ErrorCode);
        Assert.Null(Only(await AskAsync(client, With(last: epoch, offset: 1))).DivergingEpoch);
        var diverged = Only(await AskAsync(client, With(last: epoch, offset: 5)));
        Assert.Equal((epoch, 1), (diverged.DivergingEpoch?.Epoch, diverged.DivergingEpoch?.EndOffset));
        Assert.Equal(0, diverged.Records.Length);
        Assert.Equal(ErrorCode.OffsetOutOfRange, Only(await AskAsync(client, With(last: epoch + 5))).ErrorCode);
    }

    [Fact]
    [Trait("Row", "K9")]
    public async Task Sessions_are_declined()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t");
        var client = broker.Connect();
        var first = Of("t", 0);
        first.SessionEpoch = 0;
        Assert.Equal((ErrorCode.None, 0), ((await AskAsync(client, first)).ErrorCode, (await AskAsync(client, first)).SessionId));
        var next = Of("t", 0);
        (next.SessionId, next.SessionEpoch) = (17, 1);
        var refused = await AskAsync(client, next);
        Assert.Equal(ErrorCode.FetchSessionIdNotFound, refused.ErrorCode);
        Assert.Empty(refused.Responses);
    }

    [Fact]
    [Trait("Row", "K7")]
    public async Task Old_clients_do_not_get_zstd()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t");
        var client = broker.Connect();
        await client.ProduceAsync("t", Batches.Of("a"));
        await client.ProduceAsync("t", Batches.Of(new BatchOptions { Codec = CompressionCodec.Zstd }, 1, "b"));
        Assert.Equal(ErrorCode.UnsupportedCompressionType, Only(await AskAsync(client, Of("t", 0), 9)).ErrorCode);
        Assert.Equal(["a", "b"], Batches.ValuesIn(Only(await AskAsync(client, Of("t", 0), 10)).Records));
    }

    [Fact]
    public async Task Read_committed_gets_a_list_of_aborted_transactions_and_read_uncommitted_none()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t");
        var client = broker.Connect();
        await client.ProduceAsync("t", Batches.Of("a"));
        var request = Of("t", 0);
        Assert.Null(Only(await AskAsync(client, request)).AbortedTransactions);
        request.IsolationLevel = IsolationLevel.ReadCommitted;
        var data = Only(await AskAsync(client, request));
        Assert.NotNull(data.AbortedTransactions);
        Assert.Empty(data.AbortedTransactions);
        Assert.Equal(["a"], Batches.ValuesIn(data.Records));
    }
}

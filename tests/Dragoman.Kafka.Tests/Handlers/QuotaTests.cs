using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Tests.Handlers;

public sealed class QuotaTests
{
    private static async Task<AlterClientQuotasResponse.EntryData> AlterAsync(TestConnection client, string key, double value, bool remove = false, bool validateOnly = false, params (string Type, string? Name)[] entity)
    {
        var request = new AlterClientQuotasRequest
        {
            ValidateOnly = validateOnly,
            Entries =
            [
                new()
                {
                    Entity = [.. entity.Select(e => new AlterClientQuotasRequest.EntityData { EntityType = e.Type, EntityName = e.Name })],
                    Ops = [new() { Key = key, Value = value, Remove = remove }],
                },
            ],
        };
        return Assert.Single((await client.AskAsync<AlterClientQuotasRequest, AlterClientQuotasResponse>(request, 1)).Entries);
    }

    private static async Task<List<string>> DescribeAsync(TestConnection client, bool strict, params (string Type, sbyte How, string? Name)[] filter)
    {
        var request = new DescribeClientQuotasRequest
        {
            Strict = strict,
            Components = [.. filter.Select(f => new DescribeClientQuotasRequest.ComponentData { EntityType = f.Type, MatchType = f.How, Match = f.Name })],
        };
        var response = await client.AskAsync<DescribeClientQuotasRequest, DescribeClientQuotasResponse>(request, 1);
        Assert.Equal(ErrorCode.None, response.ErrorCode);
        return [.. response.Entries!.Select(e => string.Join("+", e.Entity.Select(p => $"{p.EntityType}:{p.EntityName ?? "*"}")) + "=" + string.Join(",", e.Values.Select(v => $"{v.Key}:{v.Value}"))).Order(StringComparer.Ordinal)];
    }

    [Fact]
    public async Task Quotas_are_set_found_and_removed()
    {
        await using var broker = await BrokerFixture.StartAsync();
        var client = broker.Connect();
        Assert.Equal(ErrorCode.None, (await AlterAsync(client, "producer_byte_rate", 1000, false, false, ("user", "ann"))).ErrorCode);
        Assert.Equal(ErrorCode.None, (await AlterAsync(client, "consumer_byte_rate", 2000, false, false, ("user", "ann"), ("client-id", null))).ErrorCode);
        Assert.Equal(ErrorCode.None, (await AlterAsync(client, "controller_mutation_rate", 1.5, false, false, ("client-id", "app"))).ErrorCode);
        Assert.Equal(ErrorCode.None, (await AlterAsync(client, "connection_creation_rate", 10, false, false, ("ip", "127.0.0.1"))).ErrorCode);
        Assert.Equal(ErrorCode.None, (await AlterAsync(client, "producer_byte_rate", 5, false, true, ("client-id", "only checked"))).ErrorCode);
        Assert.Equal(
            ["client-id:app=controller_mutation_rate:1.5", "ip:127.0.0.1=connection_creation_rate:10", "user:ann+client-id:*=consumer_byte_rate:2000", "user:ann=producer_byte_rate:1000"],
            await DescribeAsync(client, strict: false));
        Assert.Equal(["user:ann+client-id:*=consumer_byte_rate:2000", "user:ann=producer_byte_rate:1000"], await DescribeAsync(client, strict: false, ("user", 0, "ann")));
        Assert.Equal(["user:ann=producer_byte_rate:1000"], await DescribeAsync(client, strict: true, ("user", 2, null)));
        Assert.Equal(["user:ann+client-id:*=consumer_byte_rate:2000"], await DescribeAsync(client, strict: false, ("client-id", 1, null)));
        Assert.Equal(ErrorCode.None, (await AlterAsync(client, "producer_byte_rate", 0, true, false, ("user", "ann"))).ErrorCode);
        Assert.Empty(await DescribeAsync(client, strict: true, ("user", 0, "ann")));
    }

    [Fact]
    public async Task Quotas_that_make_no_sense_are_refused()
    {
        await using var broker = await BrokerFixture.StartAsync();
        var client = broker.Connect();
        foreach (var (key, value, entity) in new (string, double, (string, string?)[])[]
        {
            ("producer_byte_rate", 0, [("user", "u")]),
            ("producer_byte_rate", 1.5, [("user", "u")]),
            ("producer_byte_rate", double.NaN, [("user", "u")]),
            ("no_such_quota", 1, [("user", "u")]),
            ("request_percentage", 50, [("user", "u")]),
            ("connection_creation_rate", 1, [("user", "u")]),
            ("producer_byte_rate", 1, [("ip", "127.0.0.1")]),
            ("connection_creation_rate", 1, [("ip", "127.0.0.1"), ("user", "u")]),
            ("connection_creation_rate", 1, [("ip", "no address")]),
            ("producer_byte_rate", 1, [("planet", "earth")]),
            ("producer_byte_rate", 1, [("user", "u"), ("user", "v")]),
            ("producer_byte_rate", 1, []),
        })
        {
            Assert.Equal(ErrorCode.InvalidRequest, (await AlterAsync(client, key, value, false, false, entity)).ErrorCode);
        }
        Assert.Empty(await DescribeAsync(client, strict: false));
        var request = new DescribeClientQuotasRequest { Components = [new() { EntityType = "planet", MatchType = 2 }] };
        Assert.Equal(ErrorCode.UnsupportedVersion, (await client.AskAsync<DescribeClientQuotasRequest, DescribeClientQuotasResponse>(request, 1)).ErrorCode);
    }

    [Fact]
    public async Task A_producer_over_its_quota_is_answered_at_once_and_then_not_heard()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t");
        Assert.Equal(ErrorCode.None, (await AlterAsync(broker.Connect(), "producer_byte_rate", 1000, false, false, ("client-id", "tests"))).ErrorCode);
        var client = broker.Connect();
        var correlation = await client.SendAsync(TestConnection.ProduceOf("t", Batches.Sized(5_000)), 11);
        Assert.Equal(0, (await client.ReceiveAsync<ProduceResponse>(correlation, 11)).ThrottleTimeMs);
        correlation = await client.SendAsync(TestConnection.ProduceOf("t", Batches.Sized(1_000_000)), 11);
        var response = await client.ReceiveAsync<ProduceResponse>(correlation, 11);
        Assert.Equal(ErrorCode.None, response.Responses[0].PartitionResponses[0].ErrorCode);
        Assert.InRange(response.ThrottleTimeMs, 900_000, 1_100_000);
        await client.SendAsync(new MetadataRequest { Topics = [] }, 9);
        Assert.False(await client.HasAnswerAsync(300));
        client.Disconnect();
        await client.Ended;
        // Others are not concerned, unless they call themselves the same.
        Assert.Equal(ErrorCode.None, (await broker.Connect().AskAsync<ListOffsetsRequest, ListOffsetsResponse>(new() { Topics = [new() { Name = "t", Partitions = [new() { Timestamp = -1 }] }] }, 8)).Topics[0].Partitions[0].ErrorCode);
    }

    [Fact]
    public async Task A_consumer_over_its_quota_gets_nothing_and_waits()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t");
        var client = broker.Connect();
        for (var i = 0; i < 10; i++) await client.ProduceAsync("t", Batches.Sized(2_000));
        Assert.Equal(ErrorCode.None, (await AlterAsync(client, "consumer_byte_rate", 1000, false, false, ("user", null))).ErrorCode);
        var fetch = new FetchRequest { MaxWaitMs = 0, MinBytes = 1, MaxBytes = 1 << 20, Topics = [new() { Topic = "t", Partitions = [new() { PartitionMaxBytes = 1 << 20 }] }] };
        var first = await client.AskAsync<FetchRequest, FetchResponse>(fetch, 12);
        // No more at once than the quota lets through in ten seconds.
        Assert.Equal(0, first.ThrottleTimeMs);
        Assert.InRange(first.Responses[0].Partitions[0].Records.Length, 1, 10_000);
        var second = await client.AskAsync<FetchRequest, FetchResponse>(fetch, 12);
        Assert.True(second.ThrottleTimeMs > 0);
        Assert.Empty(second.Responses);
        await client.SendAsync(new MetadataRequest { Topics = [] }, 9);
        Assert.False(await client.HasAnswerAsync(300));
    }

    [Fact]
    public async Task Who_changes_too_much_is_refused_and_told_when_to_come_back()
    {
        await using var broker = await BrokerFixture.StartAsync();
        var client = broker.Connect();
        Assert.Equal(ErrorCode.None, (await AlterAsync(client, "controller_mutation_rate", 0.001, false, false, ("user", "ANONYMOUS"))).ErrorCode);
        var request = new CreateTopicsRequest { Topics = [new() { Name = "a", NumPartitions = 2, ReplicationFactor = 1 }, new() { Name = "b", NumPartitions = 2, ReplicationFactor = 1 }] };
        var created = await client.AskAsync<CreateTopicsRequest, CreateTopicsResponse>(request, 7);
        Assert.Equal([ErrorCode.None, ErrorCode.ThrottlingQuotaExceeded], created.Topics.Select(t => t.ErrorCode));
        Assert.True(created.ThrottleTimeMs > 1_000_000);
        var deleted = await broker.Connect().AskAsync<DeleteTopicsRequest, DeleteTopicsResponse>(new() { Topics = [new() { Name = "a" }] }, 6);
        Assert.Equal(ErrorCode.ThrottlingQuotaExceeded, Assert.Single(deleted.Responses).ErrorCode);
        // Clients before KIP-599 are done the favour, and wait.
        var lenient = await broker.Connect().AskAsync<CreatePartitionsRequest, CreatePartitionsResponse>(new() { Topics = [new() { Name = "a", Count = 3 }] }, 2);
        Assert.Equal(ErrorCode.None, Assert.Single(lenient.Results).ErrorCode);
        Assert.True(lenient.ThrottleTimeMs > 1_000_000);
    }
}

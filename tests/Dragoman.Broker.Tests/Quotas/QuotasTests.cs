using Dragoman.Broker.Quotas;

namespace Dragoman.Broker.Tests.Quotas;

public sealed class QuotasTests
{
    private static readonly QuotaName Default = new(null);

    private static QuotaEntity Of(QuotaName? user = null, QuotaName? client = null, QuotaName? address = null) => new(user, client, address);

    private static async Task SetAsync(IQuotas quotas, QuotaEntity entity, double? limit, QuotaKind kind = QuotaKind.PublishBytes) =>
        Assert.Equal(QuotaStatus.Ok, (await quotas.ChangeAsync([new QuotaChange(entity, kind, limit)])).Status);

    [Fact]
    public async Task Without_quotas_nobody_waits_and_nothing_is_measured()
    {
        await using var broker = await TestBroker.StartAsync();
        var quotas = broker.Broker.Quotas;
        Assert.False(quotas.Any);
        Assert.Equal(TimeSpan.Zero, quotas.Record(QuotaKind.PublishBytes, "u", "c", long.MaxValue / 2));
        Assert.Equal((true, TimeSpan.Zero), quotas.TakeChanges("u", "c", 1_000_000, strict: true));
        Assert.Null(quotas.LargestBurst(QuotaKind.ConsumeBytes, "u", "c"));
    }

    [Fact]
    public async Task Ten_seconds_worth_is_free_and_more_has_to_be_waited_for()
    {
        await using var broker = await TestBroker.StartAsync();
        var quotas = broker.Broker.Quotas;
        await SetAsync(quotas, Of(client: new("c")), 1000);
        Assert.Equal(10_000, quotas.LargestBurst(QuotaKind.PublishBytes, "u", "c"));
        Assert.Equal(TimeSpan.Zero, quotas.Record(QuotaKind.PublishBytes, "u", "c", 10_000));
        Assert.Equal(TimeSpan.Zero, quotas.Record(QuotaKind.ConsumeBytes, "u", "c", 10_000_000));
        Assert.Equal(TimeSpan.Zero, quotas.Record(QuotaKind.PublishBytes, "u", "another", 10_000_000));
        var wait = quotas.Record(QuotaKind.PublishBytes, "u", "c", 5_000);
        Assert.Equal(TimeSpan.FromSeconds(5), wait);
        broker.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(TimeSpan.Zero, quotas.Record(QuotaKind.PublishBytes, "u", "c", 10_000));
    }

    [Fact]
    public async Task What_was_taken_back_does_not_count()
    {
        await using var broker = await TestBroker.StartAsync();
        var quotas = broker.Broker.Quotas;
        await SetAsync(quotas, Of(user: Default), 100, QuotaKind.ConsumeBytes);
        Assert.Equal(TimeSpan.Zero, quotas.Record(QuotaKind.ConsumeBytes, "u", "c", 1000));
        Assert.NotEqual(TimeSpan.Zero, quotas.Record(QuotaKind.ConsumeBytes, "u", "c", 1000));
        quotas.Return(QuotaKind.ConsumeBytes, "u", "c", 1000);
        Assert.Equal(TimeSpan.Zero, quotas.Record(QuotaKind.ConsumeBytes, "u", "c", 0));
    }

    [Fact]
    public async Task The_quota_that_names_a_client_best_counts()
    {
        await using var broker = await TestBroker.StartAsync();
        var quotas = broker.Broker.Quotas;
        // From the weakest to the strongest, as Kafka's documentation orders them backwards.
        (QuotaEntity Entity, long Limit)[] order =
        [
            (Of(client: Default), 1), (Of(client: new("c")), 2), (Of(user: Default), 3), (Of(user: Default, client: Default), 4),
            (Of(user: Default, client: new("c")), 5), (Of(user: new("u")), 6), (Of(user: new("u"), client: Default), 7), (Of(user: new("u"), client: new("c")), 8),
        ];
        foreach (var (entity, limit) in order)
        {
            await SetAsync(quotas, entity, limit);
            Assert.Equal(limit * 10, quotas.LargestBurst(QuotaKind.PublishBytes, "u", "c"));
        }
        Assert.Equal(7 * 10, quotas.LargestBurst(QuotaKind.PublishBytes, "u", "x"));
        Assert.Equal(5 * 10, quotas.LargestBurst(QuotaKind.PublishBytes, "x", "c"));
        Assert.Equal(4 * 10, quotas.LargestBurst(QuotaKind.PublishBytes, "x", "x"));
        for (var i = order.Length - 1; i > 0; i--)
        {
            await SetAsync(quotas, order[i].Entity, null);
            Assert.Equal(order[i - 1].Limit * 10, quotas.LargestBurst(QuotaKind.PublishBytes, "u", "c"));
        }
    }

    [Fact]
    public async Task A_users_quota_is_shared_by_its_clients_and_a_default_is_not_shared_by_users()
    {
        await using var broker = await TestBroker.StartAsync();
        var quotas = broker.Broker.Quotas;
        await SetAsync(quotas, Of(user: Default), 100);
        Assert.Equal(TimeSpan.Zero, quotas.Record(QuotaKind.PublishBytes, "u", "a", 1000));
        Assert.NotEqual(TimeSpan.Zero, quotas.Record(QuotaKind.PublishBytes, "u", "b", 1000));
        Assert.Equal(TimeSpan.Zero, quotas.Record(QuotaKind.PublishBytes, "v", "b", 1000));
    }

    [Fact]
    public async Task Changes_are_refused_while_there_is_a_debt()
    {
        await using var broker = await TestBroker.StartAsync();
        var quotas = broker.Broker.Quotas;
        await SetAsync(quotas, Of(user: new("u")), 2, QuotaKind.PartitionChanges);
        Assert.Equal((true, TimeSpan.FromSeconds(4)), quotas.TakeChanges("u", "c", 30, strict: true));
        Assert.Equal((false, TimeSpan.FromSeconds(4)), quotas.TakeChanges("u", "c", 1, strict: true));
        Assert.Equal((true, TimeSpan.FromSeconds(4.5)), quotas.TakeChanges("u", "c", 1, strict: false));
        broker.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal((true, TimeSpan.Zero), quotas.TakeChanges("u", "c", 1, strict: true));
    }

    [Fact]
    public async Task Connections_are_counted_by_address()
    {
        await using var broker = await TestBroker.StartAsync();
        var quotas = broker.Broker.Quotas;
        await SetAsync(quotas, Of(address: Default), 1, QuotaKind.Connections);
        await SetAsync(quotas, Of(address: new("10.0.0.9")), 1000, QuotaKind.Connections);
        for (var i = 0; i < 10; i++) Assert.Equal(TimeSpan.Zero, quotas.RecordConnection("10.0.0.1"));
        Assert.Equal(TimeSpan.FromSeconds(1), quotas.RecordConnection("10.0.0.1"));
        Assert.Equal(TimeSpan.Zero, quotas.RecordConnection("10.0.0.2"));
        for (var i = 0; i < 100; i++) Assert.Equal(TimeSpan.Zero, quotas.RecordConnection("10.0.0.9"));
    }

    [Fact]
    public async Task Quotas_survive_a_restart()
    {
        await using var broker = await TestBroker.StartAsync();
        await SetAsync(broker.Broker.Quotas, Of(user: new("ü"), client: Default), 12.5, QuotaKind.PartitionChanges);
        await SetAsync(broker.Broker.Quotas, Of(address: Default), 7, QuotaKind.Connections);
        await SetAsync(broker.Broker.Quotas, Of(address: Default), null, QuotaKind.Connections);
        await broker.Broker.Store.CheckpointAsync();
        await SetAsync(broker.Broker.Quotas, Of(client: new("c")), 9);
        var before = broker.Broker.Quotas.List().ToHashSet();
        Assert.Equal(2, before.Count);
        await broker.RestartAsync();
        Assert.Equal(before, broker.Broker.Quotas.List().ToHashSet());
    }
}

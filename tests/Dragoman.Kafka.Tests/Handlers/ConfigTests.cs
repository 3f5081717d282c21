using Dragoman.Kafka.Configs;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Tests.Handlers;

/// <summary>Configurations of nodes, and what those of topics have to do with them.</summary>
public sealed class ConfigTests
{
    private static async Task<List<DescribeConfigsResponse.DescribeConfigsResourceResult>> DescribeAsync(TestConnection client, ConfigResourceType type, string name, params string[] keys)
    {
        var request = new DescribeConfigsRequest { IncludeSynonyms = true, IncludeDocumentation = true, Resources = [new() { ResourceType = type, ResourceName = name, ConfigurationKeys = keys.Length == 0 ? null : [.. keys] }] };
        var result = Assert.Single((await client.AskAsync<DescribeConfigsRequest, DescribeConfigsResponse>(request, 4)).Results);
        Assert.Equal(ErrorCode.None, result.ErrorCode);
        return result.Configs;
    }

    private static async Task<ErrorCode> AlterAsync(TestConnection client, string node, string name, ConfigOperation operation, string? value, ConfigResourceType type = ConfigResourceType.Broker, bool validateOnly = false)
    {
        var request = new IncrementalAlterConfigsRequest { ValidateOnly = validateOnly, Resources = [new() { ResourceType = type, ResourceName = node, Configs = [new() { Name = name, ConfigOperation = operation, Value = value }] }] };
        return Assert.Single((await client.AskAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(request, 1)).Responses).ErrorCode;
    }

    [Fact]
    public async Task Every_configuration_of_a_node_is_there_with_its_type_and_what_it_means()
    {
        await using var broker = await BrokerFixture.StartAsync(o => o with { DefaultPartitions = 3 });
        var configs = await DescribeAsync(broker.Connect(), ConfigResourceType.Broker, "7");
        Assert.True(configs.Count > 70);
        Assert.Equal(configs.Select(c => c.Name).Order(StringComparer.Ordinal), configs.Select(c => c.Name));
        Assert.All(configs, c => Assert.False(string.IsNullOrEmpty(c.Documentation)));
        Assert.All(configs, c => Assert.NotEqual(ConfigValueType.Unknown, c.ConfigType));
        Assert.All(configs, c => Assert.Equal((c.Value, c.ConfigSource), (c.Synonyms[0].Value, c.Synonyms[0].Source)));
        var partitions = configs.Single(c => c.Name == "num.partitions");
        Assert.Equal(("3", ConfigSource.StaticBroker, true), (partitions.Value, partitions.ConfigSource, partitions.ReadOnly));
        Assert.Equal(["3", "1"], partitions.Synonyms.Select(s => s.Value));
        Assert.Equal(("604800000", ConfigSource.Default), (configs.Single(c => c.Name == "log.retention.ms").Value, configs.Single(c => c.Name == "log.retention.ms").ConfigSource));
        Assert.Equal(broker.Broker.Options.Store.Directory, configs.Single(c => c.Name == "log.dirs").Value);
        Assert.Empty(await DescribeAsync(broker.Connect(), ConfigResourceType.Broker, ""));
    }

    [Fact]
    public async Task What_is_set_of_a_node_counts_before_what_is_set_of_all_and_survives_a_restart()
    {
        await using var broker = await BrokerFixture.StartAsync();
        var client = broker.Connect();
        const string Name = "log.cleaner.threads";
        Assert.Equal(ErrorCode.None, await AlterAsync(client, "", Name, ConfigOperation.Set, "2"));
        Assert.Equal(ErrorCode.None, await AlterAsync(client, "7", Name, ConfigOperation.Set, "3", validateOnly: true));
        Assert.Equal(["2", "1"], (await DescribeAsync(client, ConfigResourceType.Broker, "7", Name))[0].Synonyms.Select(s => s.Value));
        Assert.Equal(ErrorCode.None, await AlterAsync(client, "7", Name, ConfigOperation.Set, "4"));
        var config = Assert.Single(await DescribeAsync(client, ConfigResourceType.Broker, "7", Name));
        Assert.Equal(("4", ConfigSource.DynamicBroker, false), (config.Value, config.ConfigSource, config.ReadOnly));
        Assert.Equal([("4", ConfigSource.DynamicBroker), ("2", ConfigSource.DynamicDefaultBroker), ("1", ConfigSource.Default)], config.Synonyms.Select(s => (s.Value!, s.Source)));
        var all = Assert.Single(await DescribeAsync(client, ConfigResourceType.Broker, ""));
        Assert.Equal((Name, "2", ConfigSource.DynamicDefaultBroker), (all.Name, all.Value, all.ConfigSource));
        Assert.Equal(ErrorCode.None, await AlterAsync(client, "7", Name, ConfigOperation.Delete, null));
        Assert.Equal("2", Assert.Single(await DescribeAsync(client, ConfigResourceType.Broker, "7", Name)).Value);

        await client.AskAsync<AlterConfigsRequest, AlterConfigsResponse>(new() { Resources = [new() { ResourceType = ConfigResourceType.Broker, ResourceName = "", Configs = [new() { Name = "num.io.threads", Value = "9" }] }] }, 2);
        Assert.Equal("num.io.threads", Assert.Single(await DescribeAsync(client, ConfigResourceType.Broker, "")).Name);
    }

    [Fact]
    public async Task What_cannot_change_while_a_node_runs_is_refused()
    {
        await using var broker = await BrokerFixture.StartAsync();
        var client = broker.Connect();
        Assert.Equal(ErrorCode.InvalidRequest, await AlterAsync(client, "7", "log.retention.ms", ConfigOperation.Set, "1"));
        Assert.Equal(ErrorCode.InvalidConfig, await AlterAsync(client, "7", "no.such.thing", ConfigOperation.Set, "1"));
        Assert.Equal(ErrorCode.InvalidConfig, await AlterAsync(client, "7", "num.io.threads", ConfigOperation.Set, "many"));
        Assert.Equal(ErrorCode.InvalidConfig, await AlterAsync(client, "7", "num.io.threads", ConfigOperation.Append, "1"));
        Assert.Equal(ErrorCode.InvalidRequest, await AlterAsync(client, "8", "num.io.threads", ConfigOperation.Set, "1"));
        Assert.Equal(ErrorCode.InvalidRequest, await AlterAsync(client, "7", "root", ConfigOperation.Set, "DEBUG", ConfigResourceType.BrokerLogger));
        Assert.Equal(ErrorCode.InvalidRequest, await AlterAsync(client, "x", "interval.ms", ConfigOperation.Set, "1", ConfigResourceType.ClientMetrics));
    }

    [Fact]
    public async Task How_fast_compaction_goes_can_be_changed_while_the_node_runs()
    {
        await using var broker = await BrokerFixture.StartAsync();
        var client = broker.Connect();
        var before = broker.Broker.CompactionBytesPerSecond;
        Assert.Equal(ErrorCode.None, await AlterAsync(client, "", "log.cleaner.io.max.bytes.per.second", ConfigOperation.Set, "1000000.5"));
        Assert.Equal(1_000_000, broker.Broker.CompactionBytesPerSecond);
        Assert.Equal(ErrorCode.None, await AlterAsync(client, "", "log.cleaner.io.max.bytes.per.second", ConfigOperation.Delete, null));
        Assert.Equal(before, broker.Broker.CompactionBytesPerSecond);
    }

    [Fact]
    public async Task A_topics_configurations_name_the_nodes_as_where_a_value_comes_from()
    {
        await using var broker = await BrokerFixture.StartAsync(o => o with { DefaultTopicSettings = o.DefaultTopicSettings with { RetentionMs = 5000 } });
        await broker.CreateTopicAsync("t", 1, ("max.message.bytes", "100"), ("min.cleanable.dirty.ratio", "0.1"));
        var client = broker.Connect();
        var retention = Assert.Single(await DescribeAsync(client, ConfigResourceType.Topic, "t", "retention.ms"));
        Assert.Equal([("log.retention.ms", "5000", ConfigSource.StaticBroker), ("log.retention.ms", "604800000", ConfigSource.Default)], retention.Synonyms.Select(s => (s.Name, s.Value!, s.Source)));
        var size = Assert.Single(await DescribeAsync(client, ConfigResourceType.Topic, "t", "max.message.bytes"));
        Assert.Equal([("max.message.bytes", "100", ConfigSource.Topic), ("message.max.bytes", "1048588", ConfigSource.Default)], size.Synonyms.Select(s => (s.Name, s.Value!, s.Source)));
    }

    [Fact]
    public async Task Configurations_of_compaction_reach_the_log_and_have_to_make_sense_together()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync(
            "t", 1, ("cleanup.policy", "compact"), ("min.cleanable.dirty.ratio", "0.1"), ("min.compaction.lag.ms", "5"), ("max.compaction.lag.ms", "50"), ("delete.retention.ms", "7"), ("segment.ms", "9"), ("segment.bytes", "1000"));
        var settings = broker.Broker.Topics.List()[0].Settings.Compaction;
        Assert.Equal((0.1, 5, 50, 7, 9, 1000), (settings.MinDirtyRatio, settings.MinLagMs, settings.MaxLagMs, settings.TombstoneRetentionMs, settings.SealAfterMs, settings.SealAfterBytes));
        var client = broker.Connect();
        Assert.Equal(ErrorCode.InvalidConfig, await AlterAsync(client, "t", "min.compaction.lag.ms", ConfigOperation.Set, "51", ConfigResourceType.Topic));
        Assert.Equal(ErrorCode.InvalidConfig, await AlterAsync(client, "t", "min.cleanable.dirty.ratio", ConfigOperation.Set, "1.5", ConfigResourceType.Topic));
        Assert.Equal(ErrorCode.InvalidConfig, await AlterAsync(client, "t", "cleanup.policy", ConfigOperation.Append, "shred", ConfigResourceType.Topic));
    }

    [Fact]
    public async Task More_replicas_than_there_are_brokers_are_taken_and_one_is_made()
    {
        await using var broker = await BrokerFixture.StartAsync();
        var request = new CreateTopicsRequest { Topics = [new() { Name = "a", NumPartitions = 1, ReplicationFactor = 3 }, new() { Name = "b", NumPartitions = -1, ReplicationFactor = -1 }] };
        var created = (await broker.Connect().AskAsync<CreateTopicsRequest, CreateTopicsResponse>(request, 7)).Topics;
        Assert.Equal([ErrorCode.None, ErrorCode.None], created.Select(t => t.ErrorCode));
        Assert.All(created, topic => Assert.Equal((1, 1), (topic.NumPartitions, topic.ReplicationFactor)));
    }

    [Fact]
    public async Task Timestamps_too_far_from_the_brokers_clock_are_refused_where_the_topic_says_so()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t", 1, ("message.timestamp.before.max.ms", "60000"), ("message.timestamp.after.max.ms", "60000"));
        var client = broker.Connect();
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        Assert.Equal(ErrorCode.None, (await client.ProduceAsync("t", Batches.Of(default, now, "a"))).ErrorCode);
        Assert.Equal(ErrorCode.InvalidTimestamp, (await client.ProduceAsync("t", Batches.Of(default, now - 3_600_000, "a"))).ErrorCode);
        Assert.Equal(ErrorCode.InvalidTimestamp, (await client.ProduceAsync("t", Batches.Of(default, now + 3_600_000, "a"))).ErrorCode);
    }
}

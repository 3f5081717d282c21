using System.Net;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Records;

namespace Dragoman.Admin.Tests;

public sealed class TopicTests
{
    [Fact]
    public async Task A_topic_is_created_with_its_settings_described_and_listed()
    {
        await using var server = await AdminServer.StartAsync();
        var (status, created) = await server.SendAsync("POST", "topics", """{"name":"orders","partitions":3,"settings":{"commitMode":"written","retentionMs":5000,"maxMessageBytes":2000,"timestampType":"logAppendTime","compacted":true,"attributes":{"cleanup.policy":"compact"}}}""");
        Assert.Equal(HttpStatusCode.Created, status);
        Assert.Equal(3, created!["partitions"]!.AsArray().Count);
        var (_, described) = await server.SendAsync("GET", "topics/orders");
        Assert.Equal(created.ToJsonString(), described!.ToJsonString());
        Assert.Equal("""{"retentionMs":5000,"retentionBytes":-1,"maxMessageBytes":2000,"timestampType":"logAppendTime","commitMode":"written","compacted":true,"attributes":{"cleanup.policy":"compact"}}""", described["settings"]!.ToJsonString());
        var (_, list) = await server.SendAsync("GET", "topics");
        Assert.Equal("orders", (string?)Assert.Single(list!["topics"]!.AsArray())!["name"]);
        Assert.Equal(5000, server.Broker.Topics.Find(TopicName.InDefault("orders"))!.Settings.RetentionMs);
    }

    [Fact]
    public async Task How_far_routes_have_carried_a_topic_is_described()
    {
        await using var server = await AdminServer.StartAsync();
        await server.SendAsync("POST", "topics", """{"name":"orders"}""");
        Assert.Null((await server.SendAsync("GET", "topics/orders")).Body!["partitions"]![0]!["routes"]);
        var queue = (await server.Broker.Queues.DeclareAsync(QueueName.InDefault("q"), QueueSettings.Default)).Queue!;
        await server.Broker.Routing.BindAsync(TopicName.InDefault("orders"), queue, "", []);
        using var batch = new RecordBatchBuilder();
        batch.Add(1000, default, (NullableBytes)"hello"u8);
        await server.Broker.Topics.Find(TopicName.InDefault("orders"))!.Partitions[0].AppendAsync(batch.Build(new BatchOptions()));
        for (var limit = DateTime.UtcNow.AddSeconds(20); ; await Task.Delay(5))
        {
            var routes = (await server.SendAsync("GET", "topics/orders")).Body!["partitions"]![0]!["routes"]!.ToJsonString();
            if (routes == """{"nextOffset":1,"lag":0,"lost":0,"refused":0}""") break;
            Assert.True(DateTime.UtcNow < limit, routes);
        }
    }

    [Fact]
    public async Task The_location_of_a_new_topic_leads_to_it_whatever_its_name()
    {
        await using var server = await AdminServer.StartAsync();
        using var response = await server.Client.PostAsync("topics?namespace=acme/sales", new StringContent("""{"name":"a/b ?#%é"}""", null, "application/json"));
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        using var found = await server.Client.GetAsync(response.Headers.Location);
        Assert.Equal(HttpStatusCode.OK, found.StatusCode);
        Assert.NotNull(server.Broker.Topics.Find(new TopicName(new NamespaceName("acme", "sales"), "a/b ?#%é")));
        var (_, list) = await server.SendAsync("GET", "topics?namespace=public/default");
        Assert.Empty(list!["topics"]!.AsArray());
    }

    [Fact]
    public async Task Settings_change_one_by_one_and_partitions_grow()
    {
        await using var server = await AdminServer.StartAsync();
        await server.SendAsync("POST", "topics", """{"name":"t","settings":{"attributes":{"a":"1","b":"2"}}}""");
        var (status, changed) = await server.SendAsync("PATCH", "topics/t", """{"partitions":2,"settings":{"retentionBytes":77,"attributes":{"a":null,"c":"3"}}}""");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(2, changed!["partitions"]!.AsArray().Count);
        Assert.Equal(77, (long)changed["settings"]!["retentionBytes"]!);
        Assert.Equal(604800000, (long)changed["settings"]!["retentionMs"]!);
        Assert.Equal("""{"b":"2","c":"3"}""", changed["settings"]!["attributes"]!.ToJsonString());
        Assert.Equal(HttpStatusCode.BadRequest, (await server.SendAsync("PATCH", "topics/t", """{"partitions":1}""")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await server.SendAsync("PATCH", "topics/t", """{"settings":{"commitMode":"memory"}}""")).Status);
    }

    [Fact]
    public async Task A_deleted_topic_is_gone()
    {
        await using var server = await AdminServer.StartAsync();
        await server.SendAsync("POST", "topics", """{"name":"t"}""");
        Assert.Equal(HttpStatusCode.NoContent, (await server.SendAsync("DELETE", "topics/t")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await server.SendAsync("GET", "topics/t")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await server.SendAsync("DELETE", "topics/t")).Status);
    }

    [Theory]
    [InlineData("""{"name":"t"}""", HttpStatusCode.Conflict, "there already")]
    [InlineData("""{"name":""}""", HttpStatusCode.BadRequest, "no name")]
    [InlineData("""{}""", HttpStatusCode.BadRequest, "required")]
    [InlineData("""{"name":"queue.x"}""", HttpStatusCode.BadRequest, "queue.x")]
    [InlineData("""{"name":"x","partitions":0}""", HttpStatusCode.BadRequest, "10000")]
    [InlineData("""{"name":"x","partitons":1}""", HttpStatusCode.BadRequest, "$.partitons")]
    [InlineData("""{"name":"x","partitions":"many"}""", HttpStatusCode.BadRequest, "$.partitions")]
    [InlineData("""{"name":"x","settings":{"commitMode":"sometimes"}}""", HttpStatusCode.BadRequest, "fsync, written or memory")]
    [InlineData("""{"name":"x","settings":{"retentionMs":-2}}""", HttpStatusCode.BadRequest, "retentionMs")]
    [InlineData("""{"name":"x""", HttpStatusCode.BadRequest, "JSON")]
    [InlineData("null", HttpStatusCode.BadRequest, "null")]
    public async Task What_cannot_be_a_topic_is_refused_with_the_reason(string body, HttpStatusCode expected, string reason)
    {
        await using var server = await AdminServer.StartAsync();
        await server.SendAsync("POST", "topics", """{"name":"t"}""");
        var (status, problem) = await server.SendAsync("POST", "topics", body);
        Assert.Equal(expected, status);
        Assert.Contains(reason, (string?)problem!["detail"]);
        Assert.Single(server.Broker.Topics.List());
    }

    [Fact]
    public async Task A_body_beyond_the_limit_is_refused()
    {
        await using var server = await AdminServer.StartAsync();
        var (status, _) = await server.SendAsync("POST", "topics", "{\"name\":\"" + new string('x', 2 << 20) + "\"}");
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, status);
    }
}

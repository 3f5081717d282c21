using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Dragoman.Broker.Groups;
using Dragoman.Broker.Groups.Classic;
using Dragoman.Broker.Groups.Consumer;
using Dragoman.Broker.Groups.Offsets;
using Dragoman.Broker.Topics;

namespace Dragoman.Admin.Tests;

public sealed class GroupTests
{
    private static async Task<AdminServer> StartAsync(int partitions = 2)
    {
        var server = await AdminServer.StartAsync();
        await server.SendAsync("POST", "topics", $$"""{"name":"orders","partitions":{{partitions}}}""");
        for (var partition = 0; partition < partitions; partition++)
            await server.SendAsync("POST", $"topics/orders/records?partition={partition}", "a\nb\nc\nd\n", "text/plain");
        return server;
    }

    private static async Task CommitAsync(AdminServer server, string group, params (int Partition, long Offset)[] offsets)
    {
        var topic = server.Broker.Topics.Find(TopicName.InDefault("orders"))!;
        Assert.Equal(GroupStatus.Ok, await server.Broker.Groups.CommitOffsetsAsync(
            GroupName.InDefault(group), GroupCaller.Outsider, [.. offsets.Select(o => new OffsetCommit(new GroupPartition(topic.Id, o.Partition), new CommittedOffset(o.Offset, -1, "note")))]));
    }

    /// <summary>Has a member join whose partitions the broker assigns.</summary>
    private static async Task<ConsumerHeartbeat> JoinConsumerAsync(AdminServer server, string group)
    {
        var join = new ConsumerHeartbeat
        {
            Group = GroupName.InDefault(group),
            MemberId = "member-1",
            Epoch = 0,
            RebalanceTimeoutMs = 60_000,
            Topics = [TopicName.InDefault("orders")],
            Owned = [],
            ClientId = "app",
            ClientHost = "/10.0.0.1",
        };
        var answer = await server.Broker.Groups.HeartbeatAsync(join);
        Assert.Equal(GroupStatus.Ok, answer.Status);
        return join;
    }

    /// <summary>Has a member join whose group assigns itself.</summary>
    private static async Task JoinClassicAsync(AdminServer server, string group)
    {
        var request = new JoinRequest
        {
            Group = GroupName.InDefault(group),
            MemberId = "",
            ClientId = "app",
            ClientHost = "/10.0.0.2",
            SessionTimeoutMs = 60_000,
            RebalanceTimeoutMs = 60_000,
            ProtocolType = "consumer",
            Protocols = [new GroupProtocol("range", [])],
        };
        var answer = await server.Broker.Groups.JoinAsync(request);
        Assert.Equal(GroupStatus.Ok, answer.Status);
    }

    private static string Offsets(JsonNode? partitions, string field) =>
        string.Join(' ', partitions!.AsArray().Select(p => $"{p!["partition"]}:{p[field]?.ToString() ?? "-"}"));

    [Fact]
    public async Task A_group_is_listed_and_described_with_its_lag()
    {
        await using var server = await StartAsync();
        await CommitAsync(server, "billing", (0, 1), (1, 4));
        await JoinConsumerAsync(server, "billing2");
        var (_, list) = await server.SendAsync("GET", "groups");
        Assert.Equal(
            """[{"namespace":"public/default","name":"billing","kind":"classic","state":"empty","members":0,"topics":["orders"],"lag":3},{"namespace":"public/default","name":"billing2","kind":"consumer","state":"reconciling","members":1,"topics":["orders"]}]""",
            list!["groups"]!.ToJsonString().Replace("stable", "reconciling", StringComparison.Ordinal));
        var (status, billing) = await server.SendAsync("GET", "groups/billing");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(3, (long)billing!["lag"]!);
        Assert.Equal("0:1 1:4", Offsets(billing["partitions"], "committedOffset"));
        Assert.Equal("0:3 1:0", Offsets(billing["partitions"], "lag"));
        Assert.Equal("note", (string?)billing["partitions"]![0]!["metadata"]);
        var (_, second) = await server.SendAsync("GET", "groups/billing2");
        Assert.Null(second!["lag"]);
        Assert.Equal("app", (string?)Assert.Single(second["members"]!.AsArray())!["clientId"]);
        Assert.Equal("0:member-1 1:member-1", Offsets(second["partitions"], "memberId"));
        Assert.Equal(HttpStatusCode.NotFound, (await server.SendAsync("GET", "groups/none")).Status);
    }

    [Theory]
    [InlineData("earliest", "0:0 1:0", "0:false 1:false")]
    [InlineData("latest", "0:4 1:4", "0:false 1:false")]
    [InlineData("2", "0:2 1:2", "0:false 1:false")]
    [InlineData("99", "0:4 1:4", "0:true 1:true")]
    [InlineData("2001-01-01T00:00:00Z", "0:0 1:0", "0:false 1:false")]
    [InlineData("2101-01-01T00:00:00Z", "0:4 1:4", "0:false 1:false")]
    [InlineData("1h", "0:0 1:0", "0:false 1:false")]
    public async Task A_group_without_members_goes_on_where_it_is_told(string to, string expected, string clamped)
    {
        await using var server = await StartAsync();
        await CommitAsync(server, "g", (0, 1), (1, 3));
        var (_, planned) = await server.SendAsync("POST", "groups/g/reset-offsets", $$"""{"to":"{{to}}","dryRun":true}""");
        Assert.Equal("0:1 1:3", Offsets((await server.SendAsync("GET", "groups/g")).Body!["partitions"], "committedOffset"));
        var (status, done) = await server.SendAsync("POST", "groups/g/reset-offsets", $$"""{"to":"{{to}}"}""");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(planned!["partitions"]!.ToJsonString(), done!["partitions"]!.ToJsonString());
        Assert.Equal("0:1 1:3", Offsets(done["partitions"], "from"));
        Assert.Equal(expected, Offsets(done["partitions"], "to"));
        Assert.Equal(clamped, Offsets(done["partitions"], "isClamped"));
        Assert.Equal(expected, Offsets((await server.SendAsync("GET", "groups/g")).Body!["partitions"], "committedOffset"));
    }

    [Fact]
    public async Task Topics_and_partitions_can_be_named_and_make_a_group_that_is_not_there()
    {
        await using var server = await StartAsync();
        await CommitAsync(server, "g", (0, 1), (1, 3));
        await server.SendAsync("POST", "groups/g/reset-offsets", """{"to":"0","topics":["orders"],"partitions":[1]}""");
        Assert.Equal("0:1 1:0", Offsets((await server.SendAsync("GET", "groups/g")).Body!["partitions"], "committedOffset"));
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync("POST", "groups/new/reset-offsets", """{"to":"latest","topics":["orders"]}""")).Status);
        Assert.Equal("0:4 1:4", Offsets((await server.SendAsync("GET", "groups/new")).Body!["partitions"], "committedOffset"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_group_with_active_members_is_left_alone(bool isClassic)
    {
        await using var server = await StartAsync();
        await CommitAsync(server, "g", (0, 1));
        if (isClassic) await JoinClassicAsync(server, "g");
        else await JoinConsumerAsync(server, "g");
        foreach (var (method, path, body) in new[] { ("POST", "groups/g/reset-offsets", """{"to":"earliest"}"""), ("DELETE", "groups/g", null) })
        {
            var (status, problem) = await server.SendAsync(method, path, body);
            Assert.Equal(HttpStatusCode.Conflict, status);
            Assert.Contains("1 active member (app at 10.0.0.", (string?)problem!["detail"]);
        }
        var (_, planned) = await server.SendAsync("POST", "groups/g/reset-offsets", """{"to":"earliest","dryRun":true}""");
        Assert.Equal(1, (int)planned!["members"]!);
        Assert.Equal("0:0", Offsets(planned["partitions"], "to"));
    }

    [Fact]
    public async Task A_deleted_group_is_gone_with_its_offsets()
    {
        await using var server = await StartAsync();
        await CommitAsync(server, "g", (0, 1));
        Assert.Equal(HttpStatusCode.NoContent, (await server.SendAsync("DELETE", "groups/g")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await server.SendAsync("DELETE", "groups/g")).Status);
        Assert.Empty((await server.SendAsync("GET", "groups")).Body!["groups"]!.AsArray());
    }

    [Theory]
    [InlineData("""{"to":"soon"}""", HttpStatusCode.BadRequest, "to is 'soon'")]
    [InlineData("""{"to":""}""", HttpStatusCode.BadRequest, "to is empty")]
    [InlineData("""{}""", HttpStatusCode.BadRequest, "required")]
    [InlineData("""{"to":"earliest","topics":["nothing"]}""", HttpStatusCode.NotFound, "no topic 'nothing'")]
    [InlineData("""{"to":"earliest","topics":["orders"],"partitions":[2]}""", HttpStatusCode.BadRequest, "no partition 2")]
    [InlineData("""{"to":"earliest","partitions":[1]}""", HttpStatusCode.BadRequest, "one topic")]
    public async Task What_makes_no_sense_is_refused_with_the_reason(string body, HttpStatusCode expected, string reason)
    {
        await using var server = await StartAsync();
        await CommitAsync(server, "g", (0, 1));
        var (status, problem) = await server.SendAsync("POST", "groups/g/reset-offsets", body);
        Assert.Equal(expected, status);
        Assert.Contains(reason, (string?)problem!["detail"]);
        Assert.Equal("0:1", Offsets((await server.SendAsync("GET", "groups/g")).Body!["partitions"], "committedOffset"));
        Assert.Equal(HttpStatusCode.NotFound, (await server.SendAsync("POST", "groups/typo/reset-offsets", """{"to":"earliest"}""")).Status);
    }

    [Fact]
    public async Task A_long_list_comes_in_pages()
    {
        await using var server = await StartAsync(partitions: 1);
        for (var i = 0; i < 25; i++) await CommitAsync(server, $"g{i:00}", (0, 1));
        var names = new StringBuilder();
        var pages = 0;
        for (var path = "groups?limit=10"; ; pages++)
        {
            var (_, page) = await server.SendAsync("GET", path);
            foreach (var group in page!["groups"]!.AsArray()) names.Append((string?)group!["name"]).Append(' ');
            if ((string?)page["next"] is not { } next) break;
            path = $"groups?limit=10&after={next}";
        }
        Assert.Equal(2, pages);
        Assert.Equal(string.Concat(Enumerable.Range(0, 25).Select(i => $"g{i:00} ")), names.ToString());
        Assert.Equal(HttpStatusCode.BadRequest, (await server.SendAsync("GET", "groups?limit=0")).Status);
        Assert.Empty((await server.SendAsync("GET", "groups?namespace=acme/sales")).Body!["groups"]!.AsArray());
    }
}

using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Kafka;

[Uses<KafkaJs>]
public sealed class KafkaJsTests(SharedBroker broker) : ScriptedClientTests(broker)
{
    [Theory, Rows("K1", "K6", "K7", "K9")]
    [InlineData("none")]
    [InlineData("gzip")]
    [InlineData("snappy")]
    public Task Records_of_every_codec_come_back_from_any_offset(string codec) => RoundTripAsync<KafkaJs>(codec);

    [Fact, Rows("K29")]
    public Task Null_and_empty_differ_headers_keep_order_and_times_are_whose_the_topic_says() => NullsHeadersAndTimesAsync<KafkaJs>();

    [Theory, Rows("K8")]
    [InlineData("0")]
    [InlineData("1")]
    [InlineData("all")]
    public Task Every_kind_of_acknowledgement(string acks) => AcknowledgementsAsync<KafkaJs>(acks);

    [Fact, Rows("K10")]
    public Task Offsets_are_found_by_time_and_at_both_ends() => OffsetsAsync<KafkaJs>();

    [Fact, Rows("K8", "K28")]
    public Task What_is_too_large_is_refused_and_the_rest_goes_on() => TooLargeAsync<KafkaJs>("MESSAGE_TOO_LARGE");

    [Fact, Rows("K4")]
    public Task A_producer_makes_its_topic() => AutomaticTopicAsync<KafkaJs>();

    [Fact, Rows("K4")]
    public Task Topics_are_created_described_grown_and_deleted() => TopicsAsync<KafkaJs>(exists: "TOPIC_ALREADY_EXISTS", unknown: "UNKNOWN_TOPIC_OR_PARTITION");

    [Fact, Rows("K14")]
    public async Task An_idempotent_producer_keeps_order()
    {
        var topic = await CreateAsync();
        await KafkaScript<KafkaJs>.SendAsync(Broker, Numbers(3_000), new { topic, idempotent = true, batch = 20 });
        AssertSame(Numbers(3_000), await KafkaScript<KafkaJs>.ConsumeAsync(Broker, new { topic }));
    }

    [Fact, Rows("K11", "K12")]
    public Task Members_come_leave_and_die_and_nothing_is_lost_or_read_twice() => GroupAsync<KafkaJs>();

    [Fact, Rows("K12", "K19")]
    public Task Groups_are_listed_described_and_deleted() => GroupAdminAsync<KafkaJs>("NON_EMPTY_GROUP");

    [Fact, Rows("K12", "K19")]
    public async Task Offsets_of_a_group_are_set_and_reset()
    {
        var topic = await CreateAsync();
        var group = SharedBroker.Unique("g");
        await KafkaScript<KafkaJs>.SendAsync(Broker, Numbers(10), new { topic });
        Assert.Null((await AskAsync(new { action = "setOffsets", topic, group, offsets = new Dictionary<string, int> { ["0"] = 7 } }))["error"]);
        Assert.Equal(7, (int)(await AskAsync(new { action = "groupOffsets", topic, group }))["0"]!);
        await using (var member = ScriptedMember.Start<KafkaJs>(Broker, new { topic, group }))
        {
            await Eventually.TrueAsync(() => member.Read.Count == 3, "it reads from where the group was put");
            await member.LeaveAsync();
        }
        Assert.Null((await AskAsync(new { action = "resetOffsets", topic, group }))["error"]);
        await using (var member = ScriptedMember.Start<KafkaJs>(Broker, new { topic, group }))
        {
            await Eventually.TrueAsync(() => member.Read.Count == 10, "it reads from the beginning");
            await member.LeaveAsync();
        }
    }

    [Fact, Rows("K15", "K16")]
    public Task Transactions_are_seen_as_a_whole_or_not_at_all() => TransactionAsync<KafkaJs>();

    [Fact, Rows("K18")]
    public async Task Records_are_deleted_and_configurations_replaced()
    {
        var topic = await CreateAsync("--retention", "1h");
        await KafkaScript<KafkaJs>.SendAsync(Broker, Numbers(10), new { topic });
        Assert.Null((await AskAsync(new { action = "deleteRecords", topic, before = 4 }))["error"]);
        Assert.Equal(4, (await KafkaScript<KafkaJs>.OffsetsAsync(Broker, topic)).Beginning);
        // The old request says what all configurations are to be: what it leaves out has its default again.
        Assert.Null((await AskAsync(new { action = "alter", topic, configs = new Dictionary<string, string> { ["max.message.bytes"] = "5000" } }))["error"]);
        var configs = await AskAsync(new { action = "configs", topic });
        Assert.Equal(("5000", "604800000"), ((string?)configs["max.message.bytes"], (string?)configs["retention.ms"]));
    }

    [Fact, Rows("K24")]
    public async Task Partitions_are_where_they_are_and_nothing_moves()
    {
        var topic = await CreateAsync();
        Assert.Empty((await AskAsync(new { action = "reassignments", topic }))["topics"]!.AsArray());
        Assert.NotNull((await AskAsync(new { action = "reassign", topic, replicas = new[] { 2, 3 } }))["error"]);
        Assert.Null((await AskAsync(new { action = "reassign", topic, replicas = new[] { 1 } }))["error"]);
        Assert.Empty((await AskAsync(new { action = "reassignments", topic }))["topics"]!.AsArray());
    }

    private Task<System.Text.Json.Nodes.JsonNode> AskAsync(object options) => KafkaScript<KafkaJs>.AdminAsync(Broker, options);
}

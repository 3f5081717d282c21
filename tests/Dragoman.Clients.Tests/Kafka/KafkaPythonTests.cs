using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;

namespace Dragoman.Clients.Tests.Kafka;

[Uses<KafkaPython>]
public sealed class KafkaPythonTests(SharedBroker broker) : ScriptedClientTests(broker)
{
    [Theory, Rows("K1", "K6", "K7", "K9")]
    [InlineData("none")]
    [InlineData("gzip")]
    [InlineData("snappy")]
    [InlineData("lz4")]
    public Task Records_of_every_codec_come_back_from_any_offset(string codec) => RoundTripAsync<KafkaPython>(codec);

    [Fact, Rows("K29")]
    public Task Null_and_empty_differ_headers_keep_order_and_times_are_whose_the_topic_says() => NullsHeadersAndTimesAsync<KafkaPython>();

    [Theory, Rows("K8")]
    [InlineData("0")]
    [InlineData("1")]
    [InlineData("all")]
    public Task Every_kind_of_acknowledgement(string acks) => AcknowledgementsAsync<KafkaPython>(acks);

    [Fact, Rows("K10")]
    public Task Offsets_are_found_by_time_and_at_both_ends() => OffsetsAsync<KafkaPython>();

    [Fact, Rows("K8", "K28")]
    public Task What_is_too_large_is_refused_and_the_rest_goes_on() => TooLargeAsync<KafkaPython>("MessageSizeTooLargeError");

    [Fact, Rows("K4")]
    public Task A_producer_makes_its_topic() => AutomaticTopicAsync<KafkaPython>();

    [Fact, Rows("K4")]
    public Task Topics_are_created_described_grown_and_deleted() => TopicsAsync<KafkaPython>(exists: "TopicAlreadyExistsError", unknown: "UnknownTopicOrPartitionError");

    [Theory, Rows("K11", "K12")]
    [InlineData("range")]
    [InlineData("roundrobin")]
    public Task Members_come_leave_and_die_and_nothing_is_lost_or_read_twice(string assignor) => GroupAsync<KafkaPython>(assignor);

    [Fact, Rows("K12", "K19")]
    public Task Groups_are_listed_described_and_deleted() => GroupAdminAsync<KafkaPython>("NonEmptyGroupError");
}

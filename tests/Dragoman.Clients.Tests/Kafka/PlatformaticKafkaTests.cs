using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;

namespace Dragoman.Clients.Tests.Kafka;

[Uses<PlatformaticKafka>]
public sealed class PlatformaticKafkaTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    [Fact, Rows("K11", "K12", "K19")]
    public Task Members_that_assign_themselves_share_a_topic_and_go_on_where_the_group_is() => PlatformaticKafka.RunAsync("classic group", broker.Kafka);

    [Fact, Rows("K12", "K13", "K19")]
    public Task Members_that_the_broker_assigns_share_a_topic_and_go_on_where_the_group_is() => PlatformaticKafka.RunAsync("consumer group", broker.Kafka);

    [Fact, Rows("K15", "K16", "K24")]
    public Task Transactions_are_seen_as_a_whole_and_from_outside_while_they_are_open() => PlatformaticKafka.RunAsync("transactions", broker.Kafka);

    [Fact, Rows("K10", "K18", "K22", "K24")]
    public Task The_node_is_described_and_configured_as_the_cluster_that_it_is() => PlatformaticKafka.RunAsync("administration", broker.Kafka);
}

using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;
using RabbitMQ.Client;

namespace Dragoman.Clients.Tests.Amqp;

[Uses<PrometheusClient>, Uses<RabbitMqClient>]
public sealed class PrometheusTests
{
    [Fact, Rows("R32")]
    public async Task Prometheus_reads_what_RabbitMQs_clients_have_done()
    {
        await using var server = await DragomanServer.StartAsync();
        var root = $"http://127.0.0.1:{server.Port("admin")}";
        await using var connection = await RabbitMqClient.ConnectAsync(server.Port("amqp"));
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        await channel.QueueDeclareAsync("jobs", durable: true, exclusive: false, autoDelete: false);
        for (var i = 0; i < 7; i++) await channel.BasicPublishAsync("", "jobs", "work"u8.ToArray());
        await channel.BasicPublishAsync("amq.direct", "nowhere", "lost"u8.ToArray());
        await using var consuming = await connection.CreateChannelAsync();
        await consuming.BasicQosAsync(0, 3, global: false);
        var inbox = await Inbox.OpenAsync(consuming, "jobs", autoAck: false);
        for (var i = 0; i < 3; i++) await inbox.NextAsync();
        await consuming.BasicAckAsync(1, multiple: false);
        await inbox.NextAsync();
        Metrics sums = null!;
        await Eventually.TrueAsync(async () => (sums = await PrometheusClient.CollectAsync($"{root}/metrics"))["rabbitmq_channel_messages_acked_total"] == 1, "the acknowledgement is counted");
        Assert.Empty(sums.Undocumented);
        Assert.Equal((3, 3, 6), (sums["rabbitmq_queue_messages_ready"], sums["rabbitmq_queue_messages_unacked"], sums["rabbitmq_queue_messages"]));
        Assert.Equal((1, 2, 1, 1), (sums["rabbitmq_connections"], sums["rabbitmq_channels"], sums["rabbitmq_consumers"], sums["rabbitmq_queues"]));
        Assert.Equal((8, 8, 7, 1, 4, 4), (
            Global("received"), Global("confirmed"), Global("routed"), Global("unroutable_dropped"), Global("delivered"), Global("delivered_consume_manual_ack")));
        Assert.True(sums["rabbitmq_process_resident_memory_bytes"] > 1e6 && sums["rabbitmq_connection_incoming_bytes_total"] > 100);
        Assert.Equal(1, sums["rabbitmq_identity_info"]);
        Assert.True(sums["dragoman_journal_syncs_total"] > 0);
        var each = await PrometheusClient.CollectAsync($"{root}/metrics/per-object");
        Assert.Equal(3, each["rabbitmq_queue_messages_ready", ("vhost", "/"), ("queue", "jobs")]);
        Assert.Equal(1, each["rabbitmq_exchange_messages_published_total", ("vhost", "/"), ("exchange", "amq.direct")]);
        var detailed = await PrometheusClient.CollectAsync($"{root}/metrics/detailed?family=queue_coarse_metrics&family=queue_delivery_metrics&vhost=/");
        Assert.Equal(1, detailed["rabbitmq_detailed_queue_messages_acked_total", ("queue", "jobs")]);
        Assert.Equal("gauge", (string)detailed.Types["rabbitmq_detailed_queue_messages"]!);

        double Global(string what) => sums[$"rabbitmq_global_messages_{what}_total", ("protocol", "amqp091")];
    }
}

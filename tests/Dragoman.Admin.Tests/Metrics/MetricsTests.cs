using System.Net;
using System.Text;
using Dragoman.Admin.Tests.RabbitMq;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Security;
using Dragoman.Broker.Statistics;
using Dragoman.Broker.Topics;

namespace Dragoman.Admin.Tests.Metrics;

public sealed class MetricsTests
{
    /// <summary>What dashboards and alerts of RabbitMQ ask for, of what this broker has.</summary>
    private static readonly string[] Names =
    [
        "rabbitmq_build_info", "rabbitmq_identity_info", "rabbitmq_connections", "rabbitmq_channels", "rabbitmq_consumers", "rabbitmq_queues", "rabbitmq_connections_opened_total",
        "rabbitmq_connections_closed_total", "rabbitmq_channels_opened_total", "rabbitmq_channels_closed_total", "rabbitmq_queues_declared_total", "rabbitmq_queues_created_total",
        "rabbitmq_queues_deleted_total", "rabbitmq_process_open_fds", "rabbitmq_process_open_tcp_sockets", "rabbitmq_process_resident_memory_bytes", "rabbitmq_disk_space_available_bytes",
        "rabbitmq_process_max_fds", "rabbitmq_process_max_tcp_sockets", "rabbitmq_resident_memory_limit_bytes", "rabbitmq_disk_space_available_limit_bytes", "rabbitmq_alarms_free_disk_space_watermark",
        "rabbitmq_alarms_memory_used_watermark", "rabbitmq_queue_messages_ready", "rabbitmq_queue_messages_unacked", "rabbitmq_queue_messages", "rabbitmq_queue_consumers",
        "rabbitmq_queue_messages_published_total", "rabbitmq_channel_consumers", "rabbitmq_channel_messages_unacked", "rabbitmq_channel_messages_unconfirmed", "rabbitmq_channel_prefetch",
        "rabbitmq_channel_messages_published_total", "rabbitmq_channel_messages_confirmed_total", "rabbitmq_channel_messages_unroutable_returned_total", "rabbitmq_channel_messages_unroutable_dropped_total",
        "rabbitmq_channel_get_ack_total", "rabbitmq_channel_get_total", "rabbitmq_channel_messages_delivered_ack_total", "rabbitmq_channel_messages_delivered_total",
        "rabbitmq_channel_messages_redelivered_total", "rabbitmq_channel_messages_acked_total", "rabbitmq_channel_get_empty_total", "rabbitmq_connection_incoming_bytes_total",
        "rabbitmq_connection_outgoing_bytes_total", "rabbitmq_connection_incoming_packets_total", "rabbitmq_connection_outgoing_packets_total", "rabbitmq_connection_channels",
        "rabbitmq_global_messages_received_total", "rabbitmq_global_messages_received_confirm_total", "rabbitmq_global_messages_confirmed_total", "rabbitmq_global_messages_routed_total",
        "rabbitmq_global_messages_unroutable_dropped_total", "rabbitmq_global_messages_unroutable_returned_total", "rabbitmq_global_messages_delivered_total",
        "rabbitmq_global_messages_delivered_consume_auto_ack_total", "rabbitmq_global_messages_delivered_consume_manual_ack_total", "rabbitmq_global_messages_delivered_get_auto_ack_total",
        "rabbitmq_global_messages_delivered_get_manual_ack_total", "rabbitmq_global_messages_get_empty_total", "rabbitmq_global_messages_redelivered_total",
        "rabbitmq_global_messages_acknowledged_total", "rabbitmq_global_publishers", "rabbitmq_global_consumers",
        "process_cpu_seconds_total", "dragoman_journal_syncs_total", "dragoman_commits_total", "dragoman_groups", "dragoman_pending_bytes",
    ];

    private static async Task<MetricsParser> CollectAsync(AdminServer server, string path)
    {
        using var response = await server.Client.GetAsync(new Uri(server.Root, path));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        return MetricsParser.Parse(await response.Content.ReadAsStringAsync());
    }

    private static async Task<IQueueHandle> FillAsync(AdminServer server, QueueName name, int count)
    {
        var queue = (await server.Broker.Queues.DeclareAsync(name, QueueSettings.Default)).Queue!;
        var batch = MessageBatch.Rent();
        for (var i = 0; i < count; i++) batch.Add(new MessageProperties(), default, Encoding.UTF8.GetBytes("m"));
        await queue.PublishAsync(batch);
        return queue;
    }

    [Fact]
    [Trait("Row", "R32")]
    public async Task Sums_have_RabbitMQs_names_and_never_fall()
    {
        await using var server = await AdminServer.StartAsync();
        var queue = await FillAsync(server, QueueName.InDefault("a"), 3);
        await FillAsync(server, QueueName.InDefault("b"), 4);
        var connection = server.Node.Connections.Add("AMQP 0-9-1", null, null, _ => { });
        var channels = new FakeChannels(server.Node.Connections);
        connection.Channels = channels;
        connection.OnReceived(120);
        channels.Publisher.Add(MessageCounter.Publish, 9);
        channels.Consumer.Add(MessageCounter.Deliver, 5);
        var metrics = await CollectAsync(server, "metrics");
        foreach (var name in Names) Assert.Contains(metrics.Samples, s => s.Name == name);
        Assert.Equal(7, metrics.Value("rabbitmq_queue_messages_ready"));
        Assert.Equal((2, 2, 1), (metrics.Value("rabbitmq_queues"), metrics.Value("rabbitmq_channels"), metrics.Value("rabbitmq_connections")));
        Check(metrics);
        connection.Channels = null;
        server.Node.Connections.CloseChannel("amqp091", channels.Publisher);
        server.Node.Connections.CloseChannel("amqp091", channels.Consumer);
        server.Node.Connections.Remove(connection);
        await server.Broker.Queues.DeleteAsync(queue);
        metrics = await CollectAsync(server, "metrics");
        Check(metrics);
        Assert.Equal((1, 2, 1), (metrics.Value("rabbitmq_queues_deleted_total"), metrics.Value("rabbitmq_channels_closed_total"), metrics.Value("rabbitmq_connections_closed_total")));

        static void Check(MetricsParser metrics)
        {
            Assert.Equal(9, metrics.Value("rabbitmq_global_messages_received_total", ("protocol", "amqp091")));
            Assert.Equal(9, metrics.Value("rabbitmq_channel_messages_published_total"));
            Assert.Equal(5, metrics.Value("rabbitmq_global_messages_delivered_total", ("protocol", "amqp091")));
            Assert.Equal(120, metrics.Value("rabbitmq_connection_incoming_bytes_total"));
            Assert.Equal(7, metrics.Value("rabbitmq_queue_messages_published_total"));
        }
    }

    [Fact]
    [Trait("Row", "R32")]
    public async Task Each_queue_has_its_own_samples_where_that_is_asked_for_and_names_are_escaped()
    {
        await using var server = await AdminServer.StartAsync();
        const string Odd = "o\"d\\d";
        await FillAsync(server, QueueName.InDefault(Odd), 2);
        await server.Broker.Namespaces.CreateAsync(new NamespaceName("public", "shop"), "");
        await FillAsync(server, new QueueName(new NamespaceName("public", "shop"), "b"), 5);
        await server.Broker.Topics.CreateAsync(TopicName.InDefault("t"), 2, TopicSettings.Default);
        var all = await CollectAsync(server, "metrics/per-object");
        Assert.Equal(2, all.Value("rabbitmq_queue_messages_ready", ("vhost", "/"), ("queue", Odd)));
        Assert.Equal(5, all.Value("rabbitmq_queue_messages_published_total", ("vhost", "shop"), ("queue", "b")));
        Assert.Equal(0, all.Value("dragoman_topic_end_offset", ("topic", "t"), ("partition", "1")));
        var some = await CollectAsync(server, "metrics/detailed?family=queue_coarse_metrics&family=queue_consumer_count&vhost=shop");
        Assert.Equal(5, some.Value("rabbitmq_detailed_queue_messages", ("vhost", "shop")));
        Assert.Equal(
            ["rabbitmq_build_info", "rabbitmq_detailed_queue_consumers", "rabbitmq_detailed_queue_messages", "rabbitmq_detailed_queue_messages_ready", "rabbitmq_detailed_queue_messages_unacked", "rabbitmq_identity_info"],
            some.Types.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(["rabbitmq_build_info", "rabbitmq_identity_info"], (await CollectAsync(server, "metrics/detailed")).Types.Keys.Order(StringComparer.Ordinal));
        var cluster = await CollectAsync(server, "metrics/detailed?family=vhost_status&family=exchange_bindings");
        Assert.Equal(1, cluster.Value("rabbitmq_cluster_vhost_status", ("vhost", "shop")));
    }

    [Fact]
    public async Task Who_may_not_look_around_sees_no_metrics()
    {
        await using var server = await AdminServer.StartAsync();
        await server.Broker.Accounts.CreateUserAsync(new User("root", ["administrator"], []).WithPassword("r", new byte[36]));
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.Client.GetAsync(new Uri(server.Root, "metrics"))).StatusCode);
    }
}

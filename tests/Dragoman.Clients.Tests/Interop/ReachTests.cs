using System.Text;
using System.Text.Json.Nodes;
using Amazon.SQS.Model;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;
using RabbitMQ.Client;

namespace Dragoman.Clients.Tests.Interop;

/// <summary>Who reaches whom: every publisher of the table against every consumer of it, at once.</summary>
[Uses<ConfluentKafka>, Uses<RabbitMqClient>, Uses<AwsSdkNet>, Uses<AwsCli>]
public sealed class ReachTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    private static readonly List<string[]> s_table = InteropDocument.Table("Who reaches whom");

    [Fact]
    public async Task Each_publisher_reaches_those_consumers_that_the_table_says_and_no_others()
    {
        var (topic, queue) = (SharedBroker.Unique("orders"), SharedBroker.Unique("jobs"));
        using (var admin = ConfluentKafka.Admin(broker.Kafka))
            await admin.CreateTopicsAsync([new TopicSpecification { Name = topic, NumPartitions = 1, ReplicationFactor = 1 }]);
        await using var connection = await RabbitMqClient.ConnectAsync(broker.Server.Port("amqp"));
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false);
        await channel.QueueBindAsync(queue, topic, "");
        await using var subscriber = ForeignProcess.Start("redis-cli", ["-p", $"{broker.Server.Port("redis")}", "SUBSCRIBE", topic]);
        await subscriber.ReadUntilAsync(line => line == topic);

        using var sqs = AwsSdkNet.Connect(broker.Server);
        var arn = (string)JsonNode.Parse(await AwsCli.RunAsync(broker.Server.Port("aws"), "sns", "create-topic", "--name", topic))!["TopicArn"]!;
        // SNS' subscriber is a queue of SQS, which is told the messages as they are.
        var heard = (await sqs.CreateQueueAsync($"{queue}-heard")).QueueUrl;
        await AwsCli.RunAsync(broker.Server.Port("aws"), "sns", "subscribe", "--topic-arn", arn, "--protocol", "sqs", "--notification-endpoint", $"arn:aws:sqs:us-east-1:000000000000:{queue}-heard", "--attributes", "RawMessageDelivery=true");
        using (var producer = ConfluentKafka.Producer(broker.Kafka))
        {
            foreach (var row in s_table[1..])
            {
                var body = Encoding.UTF8.GetBytes(row[0]);
                switch (Kind(row[0]))
                {
                    case "Kafka: topic":
                        await producer.ProduceAsync(topic, new Message<byte[]?, byte[]?> { Value = body });
                        break;
                    case "Kafka: queue":
                        await producer.ProduceAsync($"queue.{queue}", new Message<byte[]?, byte[]?> { Value = body });
                        break;
                    case "AMQP: exchange":
                        await channel.BasicPublishAsync(topic, "", body);
                        break;
                    case "AMQP: queue":
                        await channel.BasicPublishAsync("", queue, body);
                        break;
                    case "SQS: queue":
                        await sqs.SendMessageAsync((await sqs.GetQueueUrlAsync(queue)).QueueUrl, row[0]);
                        break;
                    case "SNS: topic":
                        await AwsCli.RunAsync(broker.Server.Port("aws"), "sns", "publish", "--topic-arn", arn, "--message", row[0]);
                        break;
                    case "Redis: channel":
                        (await ForeignProcess.RunAsync("redis-cli", ["-p", $"{broker.Server.Port("redis")}", "PUBLISH", topic, row[0]])).Succeeded();
                        break;
                    case var other:
                        Assert.Fail($"Nobody publishes as '{other}'.");
                        break;
                }
            }
        }

        for (var column = 1; column < s_table[0].Length; column++)
        {
            var expected = s_table[1..].Where(row => Reaches(row[column])).Select(row => row[0]).Order(StringComparer.Ordinal).ToList();
            List<string> got;
            switch (Kind(s_table[0][column]))
            {
                case "Kafka: topic":
                    got = [.. ConfluentKafka.ReadAll(broker.Kafka, new TopicPartition(topic, 0)).Select(r => Encoding.UTF8.GetString(r.Message.Value!))];
                    break;
                case "Kafka: queue":
                    await Eventually.TrueAsync(async () => (await channel.QueueDeclarePassiveAsync(queue)).MessageCount >= expected.Count, "all messages are in the queue");
                    got = [.. ConfluentKafka.ReadAll(broker.Kafka, new TopicPartition($"queue.{queue}", 0)).Select(r => Encoding.UTF8.GetString(r.Message.Value!))];
                    break;
                case "AMQP: queue":
                    var inbox = await Inbox.OpenAsync(channel, queue);
                    got = await inbox.NextTextsAsync(expected.Count);
                    Assert.False(inbox.HasMore);
                    break;
                case "Redis: channel":
                    got = [];
                    while (got.Count < expected.Count)
                    {
                        await subscriber.ReadUntilAsync(line => line == topic);
                        got.Add(await subscriber.ReadLineAsync() ?? throw new InvalidOperationException("The subscriber has ended."));
                    }
                    break;
                case "SNS: a":
                    got = [];
                    while (got.Count < expected.Count) got.AddRange(await ReceiveAsync(5));
                    got.AddRange(await ReceiveAsync(0));
                    break;
                case var other:
                    throw new NotSupportedException($"Nobody consumes as '{other}'.");
            }
            Assert.Equal(expected, got.Order(StringComparer.Ordinal));
        }

        async Task<IEnumerable<string>> ReceiveAsync(int seconds) =>
            (await sqs.ReceiveMessageAsync(new ReceiveMessageRequest(heard) { MaxNumberOfMessages = 10, WaitTimeSeconds = seconds })).Messages?.Select(m => m.Body) ?? [];
    }

    private static bool Reaches(string cell) => cell switch
    {
        "yes" => true,
        "no" => false,
        _ => throw new NotSupportedException($"'{cell}' is neither yes nor no."),
    };

    private static string Kind(string label) => label.Replace("`", "", StringComparison.Ordinal).Split([' ', '.', ','], 3, StringSplitOptions.None) is [var protocol, var noun, ..] ? $"{protocol} {noun}" : label;
}

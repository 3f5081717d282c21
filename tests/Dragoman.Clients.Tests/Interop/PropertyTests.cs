using Amazon.SQS.Model;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Dragoman.Clients.Tests.Interop;

/// <summary>Every cell of the table of properties: whoever publishes a property in its spelling, each consumer gets it in its own.</summary>
[Uses<ConfluentKafka>, Uses<RabbitMqClient>, Uses<AwsSdkNet>]
public sealed class PropertyTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    private const int Topic = 1;
    private const int Tap = 2;
    private const int Queue = 3;
    private const int Sqs = 4;

    private static readonly List<string[]> s_rows = InteropDocument.Table("Properties")[1..];

    private static Cell CellOf(int row, int column) => InteropDocument.Read(s_rows[row][column]);

    [Theory]
    [InlineData(Topic, false)]
    [InlineData(Queue, false)]
    [InlineData(Tap, true)]
    [InlineData(Queue, true)]
    [InlineData(Sqs, true)]
    public async Task What_one_publishes_every_other_one_reads_in_its_own_terms(int publisher, bool toTheQueueItself)
    {
        var name = SharedBroker.Unique("properties");
        using (var admin = ConfluentKafka.Admin(broker.Kafka))
            await admin.CreateTopicsAsync([new TopicSpecification { Name = name, NumPartitions = 1, ReplicationFactor = 1 }]);
        await using var connection = await RabbitMqClient.ConnectAsync(broker.Server.Port("amqp"));
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        await channel.QueueDeclareAsync(name, durable: true, exclusive: false, autoDelete: false);
        await channel.QueueBindAsync(name, name, "");
        using var sqs = AwsSdkNet.Connect(broker.Server);
        var url = (await sqs.GetQueueUrlAsync(name)).QueueUrl;

        List<int> published = [.. Enumerable.Range(0, s_rows.Count).Where(row => CanPublish(row))];
        using (var producer = ConfluentKafka.Producer(broker.Kafka))
        {
            foreach (var row in published)
            {
                var cell = CellOf(row, publisher);
                if (publisher == Queue)
                {
                    var message = AmqpSpelling.Write(cell, $"row {row}");
                    await channel.BasicPublishAsync(toTheQueueItself ? "" : name, toTheQueueItself ? name : message.RoutingKey, mandatory: true, message.Properties, message.Body);
                    continue;
                }
                if (publisher == Sqs)
                {
                    await sqs.SendMessageAsync(SqsSpelling.Write(cell, url, $"row {row}"));
                    continue;
                }
                await producer.ProduceAsync(publisher == Tap ? $"queue.{name}" : name, KafkaSpelling.Write(cell, $"row {row}"));
            }
        }

        // The tap first: what was settled may be gone from the queue's log.
        await Eventually.TrueAsync(async () => (await channel.QueueDeclarePassiveAsync(name)).MessageCount == published.Count, "all messages are in the queue");
        var tapped = ConfluentKafka.ReadAll(broker.Kafka, new TopicPartition($"queue.{name}", 0));
        // What SQS' client has received it gives back at once, for AMQP's to get it.
        var received = new List<Message>();
        while (received.Count < published.Count)
            received.AddRange((await sqs.ReceiveMessageAsync(new ReceiveMessageRequest(url) { MaxNumberOfMessages = 10, WaitTimeSeconds = 5, MessageAttributeNames = ["All"], MessageSystemAttributeNames = ["All"] })).Messages);
        foreach (var message in received) await sqs.ChangeMessageVisibilityAsync(url, message.ReceiptHandle, 0);
        var inbox = await Inbox.OpenAsync(channel, name);
        var delivered = new List<BasicDeliverEventArgs>();
        while (delivered.Count < published.Count) delivered.Add(await inbox.NextAsync());
        Assert.False(inbox.HasMore);
        var read = toTheQueueItself ? null : ConfluentKafka.ReadAll(broker.Kafka, new TopicPartition(name, 0));
        var problems = new List<string>();
        for (var i = 0; i < published.Count; i++)
        {
            var row = published[i];
            if (read is not null) Compare(row, Topic, place => KafkaSpelling.Read(read[i].Message, place));
            Compare(row, Tap, place => KafkaSpelling.Read(tapped[i].Message, place));
            Compare(row, Queue, place => AmqpSpelling.Read(delivered[i], place));
            Compare(row, Sqs, place => SqsSpelling.Read(received[i], place));
        }
        // What nobody says is told of every message.
        foreach (var row in Enumerable.Range(0, s_rows.Count).Where(row => !toTheQueueItself && !new[] { Topic, Tap, Queue, Sqs }.Any(column => CellOf(row, column).CanPublish)))
        {
            Compare(row, Tap, place => KafkaSpelling.Read(tapped[0].Message, place));
            Compare(row, Queue, place => AmqpSpelling.Read(delivered[0], place));
            Compare(row, Sqs, place => SqsSpelling.Read(received[0], place));
        }
        Assert.Empty(problems);

        bool CanPublish(int row)
        {
            var cell = CellOf(row, publisher);
            // The default exchange routes by the queue's name alone.
            return cell.CanPublish && !(publisher == Queue && toTheQueueItself && cell.Spellings.Any(s => s.Place == "routing-key"));
        }

        void Compare(int row, int column, Func<string, string?> find)
        {
            foreach (var (place, value) in CellOf(row, column).Spellings)
            {
                var expected = value == "TOPIC" ? name : value;
                var found = find(place);
                // The client may have headers of its own, with types.
                if (place == "header header-types" ? found?.Split('&').Contains(expected) == true : found == expected) continue;
                problems.Add($"{s_rows[row][0]}, from column {publisher} to column {column}: '{place}' is '{found}', not '{expected}'.");
            }
        }
    }
}

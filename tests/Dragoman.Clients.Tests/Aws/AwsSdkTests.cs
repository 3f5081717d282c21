using System.Text;
using Amazon.SQS;
using Amazon.SQS.Model;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Aws;

[Uses<AwsSdkNet>]
public sealed class AwsSdkTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    private readonly AmazonSQSClient _sqs = AwsSdkNet.Connect(broker.Server);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact, Rows("Q1", "Q4", "Q8", "Q13")]
    public async Task Batches_tell_of_each_entry()
    {
        var url = await CreateAsync(_sqs, "net");
        // The SDK compares the hashes by itself, and throws where one differs.
        var sent = await _sqs.SendMessageBatchAsync(url, [
            new SendMessageBatchRequestEntry("a", "first") { MessageAttributes = new() { ["x"] = new MessageAttributeValue { DataType = "Number", StringValue = "1" } } },
            new SendMessageBatchRequestEntry("b", "bell \a"),
            new SendMessageBatchRequestEntry("c", "third"),
        ], Cancellation);
        Assert.Equal(["a", "c"], sent.Successful.Select(e => e.Id));
        Assert.Equal(("b", true), (Assert.Single(sent.Failed).Id, sent.Failed[0].SenderFault));
        var received = await ReceiveAsync(_sqs, url, 2);
        Assert.Equal(["first", "third"], received.Select(m => m.Body).Order());
        Assert.All(received, m => Assert.Equal("1", m.Attributes["ApproximateReceiveCount"]));
        var gone = await _sqs.DeleteMessageBatchAsync(url, [.. received.Select((m, i) => new DeleteMessageBatchRequestEntry($"{i}", m.ReceiptHandle))], Cancellation);
        Assert.Equal(2, gone.Successful.Count);
        await Assert.ThrowsAsync<QueueDoesNotExistException>(() => _sqs.SendMessageAsync(url + "x", "x", Cancellation));
    }

    [Fact, Rows("Q11")]
    public async Task Whoever_extends_keeps_the_message()
    {
        await using var server = await MovableClock.StartAsync();
        using var sqs = AwsSdkNet.Connect(server);
        var url = await CreateAsync(sqs, "extend", new() { ["VisibilityTimeout"] = "30" });
        await sqs.SendMessageAsync(url, "slow", Cancellation);
        var held = (await ReceiveAsync(sqs, url, 1))[0];
        for (var n = 0; n < 3; n++)
        {
            await server.AdvanceAsync(TimeSpan.FromSeconds(25));
            await sqs.ChangeMessageVisibilityAsync(url, held.ReceiptHandle, 30, Cancellation);
        }
        Assert.Empty((await sqs.ReceiveMessageAsync(url, Cancellation)).Messages ?? []);
        await server.AdvanceAsync(TimeSpan.FromSeconds(31));
        var again = (await ReceiveAsync(sqs, url, 1))[0];
        Assert.Equal("2", again.Attributes["ApproximateReceiveCount"]);
        await sqs.DeleteMessageAsync(url, again.ReceiptHandle, Cancellation);
    }

    [Fact, Rows("Q16", "Q17")]
    public async Task A_copy_within_five_minutes_is_none_even_after_the_message_is_deleted()
    {
        await using var server = await MovableClock.StartAsync();
        using var sqs = AwsSdkNet.Connect(server);
        var url = await CreateAsync(sqs, "dedup", new() { ["FifoQueue"] = "true", ["ContentBasedDeduplication"] = "true" }, ".fifo");
        Task<SendMessageResponse> SendAsync() => sqs.SendMessageAsync(new SendMessageRequest(url, "same") { MessageGroupId = "g" }, Cancellation);
        var first = await SendAsync();
        await sqs.DeleteMessageAsync(url, (await ReceiveAsync(sqs, url, 1))[0].ReceiptHandle, Cancellation);
        await server.AdvanceAsync(TimeSpan.FromMinutes(4));
        Assert.Equal(first.SequenceNumber, (await SendAsync()).SequenceNumber);
        Assert.Empty((await sqs.ReceiveMessageAsync(url, Cancellation)).Messages ?? []);
        await server.RestartAsync();
        Assert.Equal(first.SequenceNumber, (await SendAsync()).SequenceNumber);
        await server.AdvanceAsync(TimeSpan.FromMinutes(6));
        Assert.NotEqual(first.SequenceNumber, (await SendAsync()).SequenceNumber);
        Assert.Equal("same", (await ReceiveAsync(sqs, url, 1))[0].Body);
        // An attempt that is repeated is answered as it was.
        await SendAsync();
        var attempt = new ReceiveMessageRequest(url) { ReceiveRequestAttemptId = "attempt" };
        await sqs.SendMessageAsync(new SendMessageRequest(url, "other") { MessageGroupId = "h" }, Cancellation);
        var received = await sqs.ReceiveMessageAsync(attempt, Cancellation);
        Assert.Equal("other", Assert.Single(received.Messages).Body);
        Assert.Equal(received.Messages[0].ReceiptHandle, Assert.Single((await sqs.ReceiveMessageAsync(attempt, Cancellation)).Messages).ReceiptHandle);
    }

    [Fact, Rows("Q14", "Q15")]
    public async Task Dead_letters_go_back_by_a_move()
    {
        var dead = await CreateAsync(_sqs, "dead");
        var arn = await ArnAsync(_sqs, dead);
        var work = await CreateAsync(_sqs, "work", new() { ["RedrivePolicy"] = $$"""{"deadLetterTargetArn":"{{arn}}","maxReceiveCount":"1"}""" });
        for (var n = 0; n < 5; n++) await _sqs.SendMessageAsync(work, $"poison {n}", Cancellation);
        foreach (var message in await ReceiveAsync(_sqs, work, 5)) await _sqs.ChangeMessageVisibilityAsync(work, message.ReceiptHandle, 0, Cancellation);
        await UntilAsync(async () => await CountAsync(_sqs, dead) == 5);
        var task = await _sqs.StartMessageMoveTaskAsync(new StartMessageMoveTaskRequest { SourceArn = arn }, Cancellation);
        Assert.NotEmpty(task.TaskHandle);
        await UntilAsync(async () => (await _sqs.ListMessageMoveTasksAsync(new ListMessageMoveTasksRequest { SourceArn = arn }, Cancellation)).Results[0].Status == "COMPLETED");
        Assert.Equal((5, 0), (await CountAsync(_sqs, work), await CountAsync(_sqs, dead)));
        Assert.Equal(5, (await _sqs.ListMessageMoveTasksAsync(new ListMessageMoveTasksRequest { SourceArn = arn }, Cancellation)).Results[0].ApproximateNumberOfMessagesMoved);
        Assert.Equal(Enumerable.Range(0, 5).Select(n => $"poison {n}"), (await ReceiveAsync(_sqs, work, 5)).Select(m => m.Body).Order());
        var refused = await Assert.ThrowsAsync<ResourceNotFoundException>(() => _sqs.StartMessageMoveTaskAsync(new StartMessageMoveTaskRequest { SourceArn = arn + "x" }, Cancellation));
        Assert.Contains("SourceArn", refused.Message, StringComparison.Ordinal);
    }

    [Fact, Rows("Q1")]
    public async Task What_was_acknowledged_survives_a_kill()
    {
        await using var server = await DragomanServer.StartAsync();
        using var sqs = AwsSdkNet.Connect(server);
        var url = await CreateAsync(sqs, "killed");
        var acknowledged = new HashSet<string>();
        for (var round = 0; round < 3; round++)
        {
            using var ends = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            var senders = Enumerable.Range(0, 4).Select(async sender =>
            {
                for (var n = 0; !ends.IsCancellationRequested; n++)
                {
                    var body = $"{round}-{sender}-{n}";
                    try
                    {
                        await sqs.SendMessageAsync(url, body, ends.Token);
                    }
                    catch (Exception error) when (error is AmazonSQSException or HttpRequestException or OperationCanceledException or Amazon.Runtime.AmazonClientException)
                    {
                        return;
                    }
                    lock (acknowledged) acknowledged.Add(body);
                }
            }).ToArray();
            var before = acknowledged.Count;
            await UntilAsync(() => Task.FromResult(Volatile.Read(ref acknowledged).Count > before + 100));
            await server.KillAsync();
            await ends.CancelAsync();
            await Task.WhenAll(senders);
            await server.StartAgainAsync();
        }
        var seen = new HashSet<string>();
        while (await ReceiveAsync(sqs, url, 1, orNone: true) is { Count: > 0 } received)
        {
            foreach (var message in received) seen.Add(message.Body);
            await sqs.DeleteMessageBatchAsync(url, [.. received.Select((m, i) => new DeleteMessageBatchRequestEntry($"{i}", m.ReceiptHandle))], Cancellation);
        }
        Assert.Empty(acknowledged.Except(seen));
    }

    [Fact, Rows("Q13")]
    public async Task A_queue_that_AMQP_fills_is_drained_by_SQS_and_the_other_way_round()
    {
        var name = SharedBroker.Unique("both");
        await using var connection = await RabbitMqClient.ConnectAsync(broker.Server.Port("amqp"));
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancellation);
        await channel.QueueDeclareAsync(name, durable: true, exclusive: false, autoDelete: false, cancellationToken: Cancellation);
        var properties = new RabbitMQ.Client.BasicProperties { ContentType = "text/plain", MessageId = "m-1", CorrelationId = "c-1", Headers = new Dictionary<string, object?> { ["text"] = "t", ["number"] = 7 } };
        await channel.BasicPublishAsync("", name, mandatory: true, properties, Encoding.UTF8.GetBytes("from AMQP"), Cancellation);
        var url = (await _sqs.GetQueueUrlAsync(name, Cancellation)).QueueUrl;
        var received = (await ReceiveAsync(_sqs, url, 1))[0];
        Assert.Equal(("from AMQP", "m-1"), (received.Body, received.MessageId));
        Assert.Equal(
            ["content-type=text/plain:String", "correlation-id=c-1:String", "number=7:Number", "text=t:String"],
            received.MessageAttributes.Select(a => $"{a.Key}={a.Value.StringValue}:{a.Value.DataType}").Order(StringComparer.Ordinal));
        await _sqs.DeleteMessageAsync(url, received.ReceiptHandle, Cancellation);
        await _sqs.SendMessageAsync(new SendMessageRequest(url, "from SQS")
        {
            MessageAttributes = new() { ["content-type"] = new MessageAttributeValue { DataType = "String", StringValue = "text/html" }, ["own"] = new MessageAttributeValue { DataType = "String", StringValue = "value" } },
        }, Cancellation);
        var got = await channel.BasicGetAsync(name, autoAck: true, Cancellation);
        Assert.Equal("from SQS", Encoding.UTF8.GetString(got!.Body.Span));
        Assert.Equal("text/html", got.BasicProperties.ContentType);
        Assert.Equal("value", Encoding.UTF8.GetString((byte[])got.BasicProperties.Headers!["own"]!));
    }

    [Fact, Rows("Q18")]
    public async Task A_tenant_with_a_long_backlog_does_not_hold_up_the_others()
    {
        var url = await CreateAsync(_sqs, "fair");
        for (var n = 0; n < 20; n++)
            await _sqs.SendMessageBatchAsync(url, [.. Enumerable.Range(0, 10).Select(i => new SendMessageBatchRequestEntry($"{i}", "noisy") { MessageGroupId = "noisy" })], Cancellation);
        Assert.All(await ReceiveAsync(_sqs, url, 10), m => Assert.Equal("noisy", m.Attributes["MessageGroupId"]));
        await _sqs.SendMessageAsync(new SendMessageRequest(url, "quiet") { MessageGroupId = "quiet" }, Cancellation);
        Assert.Equal("quiet", (await _sqs.ReceiveMessageAsync(url, Cancellation)).Messages[0].Body);
    }

    [Fact, Rows("Q19")]
    public async Task No_more_than_120000_messages_are_in_flight_whoever_holds_them()
    {
        const int Most = 120_000;
        var url = await CreateAsync(_sqs, "flight");
        var name = url[(url.LastIndexOf('/') + 1)..];
        await using var connection = await RabbitMqClient.ConnectAsync(broker.Server.Port("amqp"));
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancellation);
        for (var n = 0; n < Most + 10; n++) await channel.BasicPublishAsync("", name, mandatory: false, new RabbitMQ.Client.BasicProperties(), "x"u8.ToArray(), Cancellation);
        await channel.BasicQosAsync(0, prefetchCount: 0, global: false, Cancellation);
        var held = new List<ulong>();
        var consumer = new RabbitMQ.Client.Events.AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, delivery) =>
        {
            lock (held) held.Add(delivery.DeliveryTag);
            return Task.CompletedTask;
        };
        var tag = await channel.BasicConsumeAsync(name, autoAck: false, "", noLocal: false, exclusive: false, null, consumer, Cancellation);
        await UntilAsync(() => Task.FromResult(held.Count >= Most + 10));
        await channel.BasicCancelAsync(tag, cancellationToken: Cancellation);
        await Assert.ThrowsAsync<OverLimitException>(() => _sqs.ReceiveMessageAsync(url, Cancellation));
        // Eleven less, ten of which are to be had again.
        await channel.BasicNackAsync(held[9], multiple: true, requeue: true, Cancellation);
        await channel.BasicAckAsync(held[10], multiple: false, Cancellation);
        await UntilAsync(async () => await CountAsync(_sqs, url) == 10);
        Assert.Equal("x", (await _sqs.ReceiveMessageAsync(url, Cancellation)).Messages[0].Body);
    }

    [Fact, Rows("Q25")]
    public async Task Queues_of_an_init_file_are_there_at_the_start_and_a_reset_leaves_none()
    {
        var file = Path.Join(Path.GetTempPath(), $"{SharedBroker.Unique("init")}.json");
        await File.WriteAllTextAsync(file, """{ "queues": [ { "name": "jobs", "attributes": { "VisibilityTimeout": 45 } } ] }""", Cancellation);
        try
        {
            await using var server = await MovableClock.StartAsync("--aws-init", file);
            using var sqs = AwsSdkNet.Connect(server);
            using var http = new HttpClient { BaseAddress = new Uri($"http://{server.Address("aws")}") };
            Assert.Contains("\"sqs\":\"running\"", await http.GetStringAsync(new Uri("/health", UriKind.Relative), Cancellation), StringComparison.Ordinal);
            var url = (await sqs.GetQueueUrlAsync("jobs", Cancellation)).QueueUrl;
            Assert.Equal(45, (await sqs.GetQueueAttributesAsync(url, ["VisibilityTimeout"], Cancellation)).VisibilityTimeout);
            using var reset = await http.PostAsync(new Uri("/_dragoman/reset", UriKind.Relative), null, Cancellation);
            Assert.True(reset.IsSuccessStatusCode);
            Assert.Empty((await sqs.ListQueuesAsync("", Cancellation)).QueueUrls ?? []);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static async Task<string> CreateAsync(AmazonSQSClient sqs, string prefix, Dictionary<string, string>? attributes = null, string suffix = "") =>
        (await sqs.CreateQueueAsync(new CreateQueueRequest(SharedBroker.Unique(prefix) + suffix) { Attributes = attributes }, Cancellation)).QueueUrl;

    private static async Task<string> ArnAsync(AmazonSQSClient sqs, string url) => (await sqs.GetQueueAttributesAsync(url, ["QueueArn"], Cancellation)).QueueARN;

    private static async Task<int> CountAsync(AmazonSQSClient sqs, string url) => (await sqs.GetQueueAttributesAsync(url, ["ApproximateNumberOfMessages"], Cancellation)).ApproximateNumberOfMessages;

    private static async Task<List<Message>> ReceiveAsync(AmazonSQSClient sqs, string url, int count, bool orNone = false)
    {
        var messages = new List<Message>();
        while (messages.Count < count)
        {
            var answer = await sqs.ReceiveMessageAsync(
                new ReceiveMessageRequest(url) { MaxNumberOfMessages = 10, WaitTimeSeconds = orNone ? 1 : 20, MessageSystemAttributeNames = ["All"], MessageAttributeNames = ["All"] }, Cancellation);
            if (answer.Messages is null or { Count: 0 } && orNone) break;
            messages.AddRange(answer.Messages ?? []);
        }
        return messages;
    }

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        for (var n = 0; !await holds(); n++)
        {
            Assert.True(n < 600, "it did not come to pass within a minute");
            await Task.Delay(100, Cancellation);
        }
    }
}

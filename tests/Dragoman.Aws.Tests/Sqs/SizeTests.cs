namespace Dragoman.Aws.Tests.Sqs;

/// <summary>What is kept of queues, and of receives, has bounds.</summary>
public sealed class SizeTests
{
    private static readonly string Long = new('x', 2 << 20);

    [Fact]
    public async Task Attributes_and_tags_are_bounded()
    {
        await using var sqs = await SqsServer.StartAsync();
        var url = await sqs.CreateAsync("q");
        Assert.Equal("InvalidAttributeValue", await sqs.FailAsync("SetQueueAttributes", new { QueueUrl = url, Attributes = new { Policy = $$"""{"Id":"{{Long}}"}""" } }));
        Assert.Equal("InvalidParameterValueException", await sqs.FailAsync("TagQueue", new { QueueUrl = url, Tags = new { k = Long } }));
        Assert.Equal("InvalidAttributeValue", await sqs.FailAsync("CreateQueue", new { QueueName = "other", Attributes = new { KmsMasterKeyId = Long } }));
        await sqs.AskAsync("SendMessage", new { QueueUrl = url, MessageBody = "still here" });
    }

    [Fact]
    public async Task Settings_may_grow_beyond_twice_what_they_were()
    {
        await using var sqs = await SqsServer.StartAsync();
        var url = await sqs.CreateAsync("q");
        var policy = $$"""{"Id":"{{new string('x', 60_000)}}"}""";
        await sqs.AskAsync("SetQueueAttributes", new { QueueUrl = url, Attributes = new { Policy = policy } });
        var shown = await sqs.AskAsync("GetQueueAttributes", new { QueueUrl = url, AttributeNames = new[] { "Policy" } });
        Assert.Equal(policy, shown["Attributes"]!["Policy"]!.GetValue<string>());
    }

    [Fact]
    public async Task An_attempt_id_is_as_long_as_a_deduplication_id_at_most()
    {
        await using var sqs = await SqsServer.StartAsync();
        var url = await sqs.CreateAsync("q.fifo");
        Assert.Equal("InvalidParameterValueException", await sqs.FailAsync("ReceiveMessage", new { QueueUrl = url, ReceiveRequestAttemptId = new string('x', 129) }));
        await sqs.AskAsync("ReceiveMessage", new { QueueUrl = url, ReceiveRequestAttemptId = new string('x', 128) });
    }
}

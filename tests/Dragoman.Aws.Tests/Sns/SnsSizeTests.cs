namespace Dragoman.Aws.Tests.Sns;

/// <summary>What is kept of topics and subscriptions has bounds, so that no client fills the journal's rounds with it.</summary>
public sealed class SnsSizeTests
{
    private static readonly string Long = new('x', 2 << 20);

    [Fact]
    public async Task Attributes_of_topics_are_bounded()
    {
        await using var sns = await SnsServer.StartAsync();
        var topic = await sns.CreateTopicAsync("orders");
        Assert.Equal("InvalidParameter", (await sns.FailAsync("SetTopicAttributes", ("TopicArn", topic), ("AttributeName", "Policy"), ("AttributeValue", $$"""{"Id":"{{Long}}"}"""))).Code);
        Assert.Equal("InvalidParameter", (await sns.FailAsync("TagResource", ("ResourceArn", topic), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", Long))).Code);
        Assert.Equal("InvalidParameter", (await sns.FailAsync("CreateTopic", ("Name", "other"), ("Attributes.entry.1.key", "KmsMasterKeyId"), ("Attributes.entry.1.value", Long))).Code);
        await sns.AskAsync("Publish", ("TopicArn", topic), ("Message", "still here"));
    }

    [Theory]
    [InlineData("""{"http":{"defaultHealthyRetryPolicy":{"numRetries":2147483647,"numNoDelayRetries":2147483647}}}""")]
    [InlineData("""{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":-1}}}""")]
    [InlineData("""{"http":{"defaultHealthyRetryPolicy":{"numRetries":3,"numNoDelayRetries":-2147483648,"numMinDelayRetries":-2147483648}}}""")]
    [InlineData("""{"http":{},"http":{}}""")]
    [InlineData("""{"http":{"defaultHealthyRetryPolicy":{"numRetries":3,"numRetries":4}}}""")]
    public async Task A_topic_has_no_endpoint_tried_without_end(string policy)
    {
        await using var sns = await SnsServer.StartAsync();
        var topic = await sns.CreateTopicAsync("orders");
        Assert.Equal("InvalidParameter", (await sns.FailAsync("SetTopicAttributes", ("TopicArn", topic), ("AttributeName", "DeliveryPolicy"), ("AttributeValue", policy))).Code);
        await sns.AskAsync("GetTopicAttributes", ("TopicArn", topic));
    }

    [Fact]
    public async Task A_redrive_policy_names_its_queue_once()
    {
        await using var sns = await SnsServer.StartAsync();
        var topic = await sns.CreateTopicAsync("orders");
        var queue = await sns.CreateQueueAsync("q");
        var policy = $$"""{"deadLetterTargetArn":"{{queue}}","deadLetterTargetArn":"{{queue}}"}""";
        Assert.Equal("InvalidParameter", (await sns.FailAsync("Subscribe", ("TopicArn", topic), ("Protocol", "sqs"), ("Endpoint", queue), ("Attributes.entry.1.key", "RedrivePolicy"), ("Attributes.entry.1.value", policy))).Code);
    }

    [Fact]
    public async Task Attributes_of_subscriptions_are_bounded()
    {
        await using var sns = await SnsServer.StartAsync();
        var topic = await sns.CreateTopicAsync("orders");
        var subscription = await sns.SubscribeAsync(topic, "sqs", await sns.CreateQueueAsync("q"));
        Assert.Equal("InvalidParameter", (await sns.FailAsync("SetSubscriptionAttributes", ("SubscriptionArn", subscription), ("AttributeName", "ReplayPolicy"), ("AttributeValue", Long))).Code);
        Assert.Equal("InvalidParameter", (await sns.FailAsync("Subscribe", ("TopicArn", topic), ("Protocol", "http"), ("Endpoint", $"http://127.0.0.1/{Long}"))).Code);
        await sns.AskAsync("Publish", ("TopicArn", topic), ("Message", "still here"));
        Assert.Single(await sns.ReceiveAsync("q", 1));
    }
}

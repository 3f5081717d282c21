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

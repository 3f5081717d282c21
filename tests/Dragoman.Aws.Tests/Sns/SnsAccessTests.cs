using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Security;

namespace Dragoman.Aws.Tests.Sns;

/// <summary>What permissions say of topics and subscriptions.</summary>
public sealed class SnsAccessTests
{
    [Fact]
    public async Task A_subscription_is_not_ended_by_the_name_of_another_topic()
    {
        await using var sns = await SnsServer.StartAsync();
        var (mine, theirs) = (await sns.CreateTopicAsync("mine"), await sns.CreateTopicAsync("theirs"));
        var subscription = await sns.SubscribeAsync(theirs, "sqs", await sns.CreateQueueAsync("target"));
        await AllowAsync(sns, ResourceKind.Topic, "mine", Operations.All);
        Assert.Equal("AuthorizationError", (await sns.FailAsync("Unsubscribe", ("SubscriptionArn", subscription))).Code);
        await sns.AskAsync("Unsubscribe", ("SubscriptionArn", mine + subscription[subscription.LastIndexOf(':')..]));
        Assert.Single(sns.Broker.Notifications.ListSubscriptions());
    }

    [Theory]
    [InlineData("sqs", "arn:aws:sqs:us-east-1:000000000000:theirs", "")]
    [InlineData("dragoman", "queue/theirs", "")]
    [InlineData("dragoman", "topic/theirs", "")]
    [InlineData("sqs", "arn:aws:sqs:us-east-1:000000000000:mine", """{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:theirs"}""")]
    public async Task A_topic_is_no_way_round_the_permissions_of_queues_and_other_topics(string protocol, string endpoint, string redrive)
    {
        await using var sns = await SnsServer.StartAsync();
        var mine = await sns.CreateTopicAsync("mine");
        await sns.CreateTopicAsync("theirs");
        await sns.CreateQueueAsync("mine");
        await sns.CreateQueueAsync("theirs");
        await AllowAsync(sns, ResourceKind.Any, "mine", Operations.All);
        (string, string)[] attributes = redrive.Length == 0 ? [] : [("Attributes.entry.1.key", "RedrivePolicy"), ("Attributes.entry.1.value", redrive)];
        Assert.Equal("AuthorizationError", (await sns.FailAsync("Subscribe", [("TopicArn", mine), ("Protocol", protocol), ("Endpoint", endpoint), .. attributes])).Code);
        Assert.Empty(sns.Broker.Notifications.ListSubscriptions());
        var own = await sns.SubscribeAsync(mine, "sqs", "arn:aws:sqs:us-east-1:000000000000:mine");
        if (redrive.Length > 0)
            Assert.Equal("AuthorizationError", (await sns.FailAsync("SetSubscriptionAttributes", ("SubscriptionArn", own), ("AttributeName", "RedrivePolicy"), ("AttributeValue", redrive))).Code);
    }

    [Theory]
    [InlineData("false")]
    [InlineData("true")]
    public async Task An_endpoint_confirms_by_its_token_alone_when_clients_have_to_log_in_and_leaves_unless_it_said_who_may(string authenticateOnUnsubscribe)
    {
        await using var sns = await SnsServer.StartAsync(allowAnonymous: false);
        var topic = await sns.CreateTopicAsync("orders");
        using var endpoint = new HttpEndpoint();
        await sns.AskAsync("Subscribe", ("TopicArn", topic), ("Protocol", "http"), ("Endpoint", endpoint.Url));
        var token = Assert.Single(sns.Broker.Notifications.ListSubscriptions()).Token;
        await sns.Broker.Accounts.CreateUserAsync(new User("alice", [User.AdministratorTag], [new AccessKey("AKIAALICE", "secret-of-alice")]));
        Assert.Equal("MissingAuthenticationToken", (await sns.FailAsync("ListTopics")).Code);
        var arn = (await sns.AskAsync("ConfirmSubscription", ("TopicArn", topic), ("Token", token), ("AuthenticateOnUnsubscribe", authenticateOnUnsubscribe))).Text("SubscriptionArn")!;
        Assert.True(Assert.Single(sns.Broker.Notifications.ListSubscriptions()).IsConfirmed);
        if (authenticateOnUnsubscribe == "true") Assert.Equal("AuthorizationError", (await sns.FailAsync("Unsubscribe", ("SubscriptionArn", arn))).Code);
        else await sns.AskAsync("Unsubscribe", ("SubscriptionArn", arn));
        Assert.Equal(authenticateOnUnsubscribe == "true", Assert.Single(sns.Broker.Notifications.ListSubscriptions()).IsConfirmed);
    }

    private static async Task AllowAsync(SnsServer sns, ResourceKind kind, string name, Operations operations)
    {
        Assert.Equal(AccountStatus.Ok, (await sns.Broker.Accounts.CreateUserAsync(new User("root", [User.AdministratorTag], []))).Status);
        Assert.Equal(AccountStatus.Ok, (await sns.Broker.Accounts.AddPermissionsAsync([new Permission(Permission.Everyone, NamespaceName.Default, kind, new NamePattern(PatternKind.Literal, name), operations)])).Status);
    }
}

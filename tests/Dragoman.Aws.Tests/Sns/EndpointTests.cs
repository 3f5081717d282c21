using System.Net;
using System.Net.Sockets;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Queues;

namespace Dragoman.Aws.Tests.Sns;

/// <summary>What endpoints cost, and what they leave behind.</summary>
public sealed class EndpointTests
{
    private static readonly NamespaceName Space = new("dragoman", "sns");

    [Fact]
    public async Task A_queue_without_a_subscription_goes_with_the_next_start()
    {
        await using var sns = await SnsServer.StartAsync();
        var topic = await sns.CreateTopicAsync("orders");
        await sns.CreateTopicAsync("copies");
        var kept = await sns.SubscribeAsync(topic, "dragoman", "topic/copies");
        await sns.Broker.Queues.DeclareAsync(new QueueName(Space, Guid.NewGuid().ToString()), QueueSettings.Default, TestContext.Current.CancellationToken);
        Assert.Equal(2, sns.Broker.Queues.List().Count(static q => q.Name.Namespace == Space));
        await sns.RestartAsync();
        for (var limit = DateTime.UtcNow.AddSeconds(30); sns.Broker.Queues.List().Count(static q => q.Name.Namespace == Space) > 1 && DateTime.UtcNow < limit;) await Task.Delay(10, TestContext.Current.CancellationToken);
        Assert.EndsWith(Assert.Single(sns.Broker.Queues.List(), static q => q.Name.Namespace == Space).Name.Name, kept, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_endpoint_that_does_not_answer_is_asked_once_at_a_time_and_only_so_many_are_asked()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start(backlog: 1000);
        await using var sns = await SnsServer.StartAsync();
        var topic = await sns.CreateTopicAsync("orders");
        var url = $"http://{silent.LocalEndpoint}/";
        for (var i = 0; i < 20; i++) await sns.AskAsync("Subscribe", ("TopicArn", topic), ("Protocol", "http"), ("Endpoint", url));
        using var first = await silent.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        Assert.False(silent.Pending());
        for (var i = 1; i < 256; i++) await sns.AskAsync("Subscribe", ("TopicArn", topic), ("Protocol", "http"), ("Endpoint", $"{url}{i}"));
        Assert.Equal("Throttled", (await sns.FailAsync("Subscribe", ("TopicArn", topic), ("Protocol", "http"), ("Endpoint", $"{url}256"))).Code);
    }
}

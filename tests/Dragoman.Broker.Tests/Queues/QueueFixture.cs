using System.Text;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;

namespace Dragoman.Broker.Tests.Queues;

/// <summary>What tests of queues have in common.</summary>
internal static class QueueFixture
{
    public static long Now(this TestBroker broker) => broker.Time.GetUtcNow().ToUnixTimeMilliseconds();

    public static async Task<IQueueHandle> DeclareAsync(this TestBroker broker, string name, QueueSettings? settings = null)
    {
        var answer = await broker.Broker.Queues.DeclareAsync(QueueName.InDefault(name), settings ?? QueueSettings.Default);
        Assert.Equal(QueueStatus.Ok, answer.Status);
        return answer.Queue!;
    }

    public static Task<IQueueHandle> DeclareAsync(this TestBroker broker, string name, SubscriptionSettings settings) =>
        broker.DeclareAsync(name, QueueSettings.Default with { Subscription = settings });

    public static IQueueHandle Queue(this TestBroker broker, string name) => broker.Broker.Queues.Find(QueueName.InDefault(name))!;

    /// <summary>Publishes texts with the time of now.</summary>
    public static async Task<PublishOutcome> SendAsync(this TestBroker broker, IQueueHandle queue, params string[] texts) =>
        await queue.PublishAsync(broker.Batch(new MessageProperties(), null, texts));

    public static async Task<PublishOutcome> SendAsync(this TestBroker broker, IQueueHandle queue, MessageProperties properties, params string[] texts) =>
        await queue.PublishAsync(broker.Batch(properties, null, texts));

    public static MessageBatch Batch(this TestBroker broker, MessageProperties properties, string? key, params string[] texts)
    {
        var batch = MessageBatch.Rent();
        foreach (var text in texts)
            batch.Add(properties with { Timestamp = broker.Now() }, key is null ? default : Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(text));
        return batch;
    }

    /// <summary>Takes messages under a timed lease.</summary>
    public static async Task<List<Received>> TakeAsync(this IQueueHandle queue, int max = 100, TimeSpan? lease = null, TimeSpan wait = default)
    {
        var answer = await queue.ReceiveAsync(max, lease, wait, TestContext.Current.CancellationToken);
        Assert.Equal(QueueStatus.Ok, answer.Status);
        return TestConsumer.ReadAll(answer.Deliveries);
    }

    public static async Task<List<string>> TakeTextsAsync(this IQueueHandle queue, int max = 100) => [.. (await queue.TakeAsync(max)).Select(r => r.Text)];

    public static ReadOnlyMemory<LeaseToken> Tokens(params IEnumerable<Received> received) => received.Select(r => new LeaseToken(r.Offset, r.Lease)).ToArray();

    /// <summary>Waits until a condition on the counts holds.</summary>
    public static async Task<SubscriptionCounts> UntilAsync(this IQueueHandle queue, Func<SubscriptionCounts, bool> condition)
    {
        for (var limit = DateTime.UtcNow.AddSeconds(20); ; await Task.Delay(2))
        {
            var counts = await queue.GetCountsAsync();
            if (condition(counts)) return counts;
            Assert.True(DateTime.UtcNow < limit, $"still {counts}");
        }
    }

    public static async Task ConservedAsync(this IQueueHandle queue)
    {
        var conservation = await queue.GetConservationAsync();
        Assert.True(conservation.In == conservation.Out, $"{conservation}");
    }
}

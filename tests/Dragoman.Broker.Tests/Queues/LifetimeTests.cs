using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;

namespace Dragoman.Broker.Tests.Queues;

public sealed class LifetimeTests
{
    private static MessageProperties Lives(TestBroker broker, int ms) => new() { ExpiresAt = broker.Now() + ms };

    [Theory]
    [InlineData(ExpiryScope.Anywhere)]
    [InlineData(ExpiryScope.Head)]
    public async Task Messages_of_a_queue_with_a_lifetime_go_although_nobody_asks(ExpiryScope scope)
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q", SubscriptionSettings.Default with { MessageLifetimeMs = 1000, Expiry = scope });
        await broker.SendAsync(queue, "a", "b");
        broker.Time.Advance(TimeSpan.FromMilliseconds(600));
        await broker.SendAsync(queue, "c");
        await queue.UntilAsync(c => c.Ready == 3);
        broker.Time.Advance(TimeSpan.FromMilliseconds(500));
        await queue.UntilAsync(c => c.Ready == 1);
        Assert.Equal(["c"], await queue.TakeTextsAsync());
        Assert.Equal(2, (await queue.GetConservationAsync()).Expired);
        await queue.ConservedAsync();
    }

    [Fact]
    public async Task At_the_head_only_a_message_waits_behind_one_that_lives_longer()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q", SubscriptionSettings.Default with { Expiry = ExpiryScope.Head });
        await broker.SendAsync(queue, Lives(broker, 5000), "long");
        await broker.SendAsync(queue, Lives(broker, 1000), "short");
        await broker.SendAsync(queue, "for ever");
        broker.Time.Advance(TimeSpan.FromSeconds(2));
        await queue.UntilAsync(c => c.Ready == 3);
        broker.Time.Advance(TimeSpan.FromSeconds(3));
        await queue.UntilAsync(c => c.Ready == 1);
        Assert.Equal(["for ever"], await queue.TakeTextsAsync());
    }

    [Fact]
    public async Task Anywhere_a_message_goes_when_its_time_is_up_also_after_a_restart()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q");
        await broker.SendAsync(queue, "for ever");
        await broker.SendAsync(queue, Lives(broker, 1000), "short");
        await broker.SendAsync(queue, Lives(broker, 3000), "long");
        broker.Time.Advance(TimeSpan.FromSeconds(1));
        await queue.UntilAsync(c => c.Ready == 2);
        await broker.RestartAsync();
        queue = broker.Queue("q");
        await queue.UntilAsync(c => c.Ready == 2);
        broker.Time.Advance(TimeSpan.FromSeconds(2));
        await queue.UntilAsync(c => c.Ready == 1);
        Assert.Equal(["for ever"], await queue.TakeTextsAsync());
        await queue.ConservedAsync();
    }

    [Fact]
    public async Task The_shorter_lifetime_counts_and_what_is_held_does_not_expire()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q", SubscriptionSettings.Default with { MessageLifetimeMs = 1000, Expiry = ExpiryScope.Head });
        await broker.SendAsync(queue, Lives(broker, 5000), "a");
        await broker.SendAsync(queue, Lives(broker, 100), "b");
        var consumer = await TestConsumer.OpenAsync(queue, credit: 2);
        await consumer.WaitForAsync(2);
        broker.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(2, (await queue.GetCountsAsync()).Leased);
        await consumer.SettleAsync(Settlement.Return, 0, 1);
        await queue.UntilAsync(c => c.Ready == 0);
        Assert.Equal(2, (await queue.GetConservationAsync()).Expired);
    }

    [Fact]
    public async Task A_message_with_no_time_at_all_reaches_a_consumer_that_is_there_and_no_other()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q", SubscriptionSettings.Default with { MessageLifetimeMs = 0, Expiry = ExpiryScope.Head });
        await broker.SendAsync(queue, "nobody");
        await queue.UntilAsync(c => c.Ready == 0);
    }

    [Fact]
    public async Task Delayed_messages_come_when_their_time_has_come()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q");
        await broker.SendAsync(queue, new MessageProperties { DeliverAt = broker.Now() + 5000 }, "late");
        await broker.SendAsync(queue, new MessageProperties { DeliverAt = broker.Now() + 1000 }, "soon");
        await broker.SendAsync(queue, "now");
        var counts = await queue.UntilAsync(c => c.Delayed == 2);
        Assert.Equal(1, counts.Ready);
        Assert.Equal(["now"], await queue.TakeTextsAsync());
        broker.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(["soon"], await queue.TakeTextsAsync());
        await broker.RestartAsync();
        queue = broker.Queue("q");
        await queue.UntilAsync(c => c.Delayed == 1);
        var waiting = queue.TakeAsync(10, null, TimeSpan.FromSeconds(20));
        broker.Time.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal(["late"], (await waiting).Select(r => r.Text));
        await queue.ConservedAsync();
    }

    [Fact]
    public async Task A_queue_can_delay_all_of_its_messages()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q", QueueSettings.Default with { DelayMs = 1000 });
        await broker.SendAsync(queue, "a", "b");
        await broker.SendAsync(queue, new MessageProperties { DeliverAt = 0 }, "c");
        Assert.Equal(["c"], await queue.TakeTextsAsync());
        Assert.Equal(2, (await queue.GetCountsAsync()).Delayed);
        broker.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(["a", "b"], await queue.TakeTextsAsync());
    }

    [Fact]
    public async Task A_queue_that_nobody_uses_goes()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q", QueueSettings.Default with { ExpiresAfterMs = 1000 });
        var consumer = await TestConsumer.OpenAsync(queue);
        broker.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.NotNull(broker.Queue("q"));
        await consumer.Consumer.DisposeAsync();
        broker.Time.Advance(TimeSpan.FromMilliseconds(900));
        Assert.Equal(QueueStatus.AlreadyExists, (await broker.Broker.Queues.DeclareAsync(QueueName.InDefault("q"), QueueSettings.Default, TestContext.Current.CancellationToken)).Status);
        broker.Time.Advance(TimeSpan.FromMilliseconds(900));
        Assert.NotNull(broker.Queue("q"));
        for (var limit = DateTime.UtcNow.AddSeconds(20); broker.Queue("q") is not null; await Task.Delay(5, TestContext.Current.CancellationToken))
        {
            broker.Time.Advance(TimeSpan.FromMilliseconds(50));
            Assert.True(DateTime.UtcNow < limit);
        }
    }

    [Fact]
    public async Task A_queue_can_go_with_its_last_consumer()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q", QueueSettings.Default with { AutoDelete = true });
        var first = await TestConsumer.OpenAsync(queue);
        var second = await TestConsumer.OpenAsync(queue);
        await first.Consumer.CancelAsync();
        Assert.False(queue.IsDeleted);
        await second.Consumer.CancelAsync();
        for (var limit = DateTime.UtcNow.AddSeconds(20); !queue.IsDeleted; await Task.Delay(5, TestContext.Current.CancellationToken)) Assert.True(DateTime.UtcNow < limit);
    }

    /// <summary>The pass that follows a queue's creation may end just when its first message is committed, and not have seen it.</summary>
    [Theory]
    [InlineData(true, 1000)]
    [InlineData(false, 1000)]
    [InlineData(true, 0)]
    [InlineData(false, 0)]
    public async Task The_first_message_of_a_new_queue_expires_although_nobody_ever_asks(bool isDurable, int lifetimeMs)
    {
        await using var broker = await TestBroker.StartAsync();
        var settings = QueueSettings.Default with { IsDurable = isDurable, Subscription = SubscriptionSettings.Default with { MessageLifetimeMs = lifetimeMs } };
        for (var round = 0; round < 200; round++)
        {
            var queues = new List<IQueueHandle>();
            for (var i = 0; i < 4; i++)
            {
                var queue = await broker.DeclareAsync($"q{round}-{i}", settings);
                await broker.SendAsync(queue, "a", "b");
                queues.Add(queue);
            }
            if (lifetimeMs > 0) broker.Time.Advance(TimeSpan.FromSeconds(2));
            foreach (var queue in queues)
            {
                await queue.UntilAsync(c => c.Ready == 0);
                await broker.Broker.Queues.DeleteAsync(queue);
            }
        }
    }
}

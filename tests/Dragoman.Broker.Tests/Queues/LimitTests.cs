using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;

namespace Dragoman.Broker.Tests.Queues;

public sealed class LimitTests
{
    private static readonly SubscriptionSettings ToDead = SubscriptionSettings.Default with { DeadLetter = new DeadLetterTarget("dead", null, null) };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_oldest_messages_make_room(bool deadLetters)
    {
        await using var broker = await TestBroker.StartAsync();
        var dead = await broker.DeclareAsync("dead");
        var queue = await broker.DeclareAsync("q", QueueSettings.Default with { MaxLength = 3, Subscription = deadLetters ? ToDead : SubscriptionSettings.Default });
        await broker.SendAsync(queue, "a", "b", "c", "d", "e");
        await queue.UntilAsync(c => c.Ready == 3);
        if (deadLetters) await dead.UntilAsync(c => c.Ready == 2);
        var held = await queue.TakeAsync(1);
        Assert.Equal("c", held[0].Text);
        await broker.SendAsync(queue, "f");
        await broker.SendAsync(queue, "g");
        await queue.UntilAsync(c => c.Ready == 3);
        Assert.Equal(["e", "f", "g"], await queue.TakeTextsAsync());
        if (deadLetters) await dead.UntilAsync(c => c.Ready == 3);
        await queue.ConservedAsync();
        var conservation = await queue.GetConservationAsync();
        Assert.Equal(3, deadLetters ? conservation.DeadLettered : conservation.Dropped);
    }

    [Fact]
    public async Task Bytes_are_those_of_the_values_also_after_a_restart()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q", QueueSettings.Default with { MaxLengthBytes = 10 });
        await broker.SendAsync(queue, "aaaa", "bbbb", "cc");
        Assert.Equal(10, (await queue.GetCountsAsync()).ReadyBytes);
        await broker.RestartAsync();
        queue = broker.Queue("q");
        await queue.UntilAsync(c => c.ReadyBytes == 10);
        await broker.SendAsync(queue, "d");
        await queue.UntilAsync(c => c.Ready == 3);
        Assert.Equal(["bbbb", "cc", "d"], await queue.TakeTextsAsync());
        Assert.Equal(0, (await queue.GetCountsAsync()).ReadyBytes);
        await queue.ConservedAsync();
    }

    [Fact]
    public async Task A_full_queue_refuses_what_is_too_much()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q", QueueSettings.Default with { MaxLength = 3, Overflow = Overflow.Reject });
        Assert.Equal((QueueStatus.Ok, 2), (await broker.SendAsync(queue, "a", "b")) is var first ? (first.Status, first.Accepted) : default);
        Assert.Equal((QueueStatus.QueueFull, 1), (await broker.SendAsync(queue, "c", "d", "e")) is var second ? (second.Status, second.Accepted) : default);
        Assert.Equal((QueueStatus.QueueFull, 0), (await broker.SendAsync(queue, "f")) is var third ? (third.Status, third.Accepted) : default);
        Assert.Equal(["a"], await queue.TakeTextsAsync(1));
        Assert.Equal(QueueStatus.Ok, (await broker.SendAsync(queue, "g")).Status);
        Assert.Equal(["b", "c", "g"], await queue.TakeTextsAsync());
    }

    [Fact]
    public async Task What_a_full_queue_refuses_can_be_dead_lettered()
    {
        await using var broker = await TestBroker.StartAsync();
        var dead = await broker.DeclareAsync("dead");
        var queue = await broker.DeclareAsync("q", QueueSettings.Default with { MaxLength = 1, Overflow = Overflow.RejectDeadLetter, Subscription = ToDead });
        var other = await broker.DeclareAsync("other");
        Assert.Equal(QueueStatus.QueueFull, (await broker.SendAsync(queue, "a", "b")).Status);
        Assert.Equal(["b"], await dead.TakeTextsAsync());
        var both = await broker.Broker.Queues.PublishAsync(broker.Batch(new MessageProperties(), null, "c"), [queue, other], null, TestContext.Current.CancellationToken);
        Assert.Equal((QueueStatus.QueueFull, 0), (both.Status, both.Accepted));
        Assert.Equal(["c"], await dead.TakeTextsAsync());
        Assert.Equal(["c"], await other.TakeTextsAsync());
    }

    [Fact]
    public async Task A_second_message_of_one_id_is_a_copy_within_the_window()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.DeclareAsync("q", QueueSettings.Default with { DeduplicationWindowMs = 300_000 });
        var one = new MessageProperties { DeduplicationId = "one" };
        var two = new MessageProperties { DeduplicationId = "two" };
        Assert.Equal(0, (await broker.SendAsync(broker.Queue("q"), one, "a")).BaseOffset);
        await broker.RestartAsync();
        var queue = broker.Queue("q");
        Assert.Equal(["a"], await queue.TakeTextsAsync());
        var copy = await broker.SendAsync(queue, one, "again");
        Assert.Equal([(0, 0L)], copy.Duplicates!);
        Assert.Equal((QueueStatus.Ok, 1), (copy.Status, copy.Accepted));
        var mixed = broker.Batch(one, null, "x");
        mixed.Add(two with { Timestamp = 5 }, default, "y"u8);
        mixed.Add(two with { Timestamp = 5 }, default, "z"u8);
        mixed.Add(new MessageProperties { Timestamp = 5 }, default, "w"u8);
        var outcome = await queue.PublishAsync(mixed, null, TestContext.Current.CancellationToken);
        Assert.Equal([(0, 0L), (2, 1L)], outcome.Duplicates!);
        Assert.Equal(["y", "w"], await queue.TakeTextsAsync());
        broker.Time.Advance(TimeSpan.FromSeconds(301));
        Assert.Null((await broker.SendAsync(queue, one, "new")).Duplicates);
        await queue.ConservedAsync();
    }
}

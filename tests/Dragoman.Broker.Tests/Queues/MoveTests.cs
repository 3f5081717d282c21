using System.Text;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Queues.Moves;
using Dragoman.Broker.Subscriptions;
using Dragoman.Storage.Journal;
using static Dragoman.Broker.Tests.Queues.QueueFixture;

namespace Dragoman.Broker.Tests.Queues;

public sealed class MoveTests
{
    private static async Task<Move> StartAsync(TestBroker broker, IQueueHandle source, MoveOptions? options = null)
    {
        var answer = await broker.Broker.Moves.StartAsync(source, options ?? new MoveOptions());
        Assert.True(answer.Status == QueueStatus.Ok, answer.Message);
        return answer.Move!;
    }

    private static async Task<Move> UntilAsync(TestBroker broker, Guid id, Func<Move, bool> condition)
    {
        for (var limit = DateTime.UtcNow.AddSeconds(20); ; await Task.Delay(2))
        {
            var move = broker.Broker.Moves.Find(id)!;
            if (condition(move)) return move;
            Assert.True(DateTime.UtcNow < limit, $"still {move}");
        }
    }

    private static Task<Move> EndAsync(TestBroker broker, Move move) => UntilAsync(broker, move.Id, static m => m.HasEnded);

    private static async Task<List<string>> TextsAsync(IQueueHandle queue)
    {
        var all = new List<string>();
        for (var from = 0L; (await queue.PeekAsync(from, 1000)).Deliveries is { } found;)
        {
            using (found)
            {
                for (var i = 0; i < found.Count; i++) all.Add(Encoding.UTF8.GetString(found.Message(i).Value.Span));
                from = found[found.Count - 1].Offset + 1;
            }
        }
        return all;
    }

    private static string[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(i => $"{i}")];

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task All_that_is_ready_is_moved_in_its_order(bool sourceIsDurable, bool targetIsDurable)
    {
        await using var broker = await TestBroker.StartAsync();
        var source = await broker.DeclareAsync("a", QueueSettings.Default with { IsDurable = sourceIsDurable });
        var target = await broker.DeclareAsync("b", QueueSettings.Default with { IsDurable = targetIsDurable });
        await broker.SendAsync(target, "first");
        await broker.SendAsync(source, Numbers(3000));
        var move = await EndAsync(broker, await StartAsync(broker, source, new MoveOptions { Target = "b" }));
        Assert.Equal((MoveState.Completed, 3000, 3000, 0, null), (move.State, move.Planned, move.Moved, move.Left, move.Reason));
        Assert.Equal(["first", .. Numbers(3000)], await TextsAsync(target));
        Assert.Empty(await TextsAsync(source));
        Assert.Equal(3000, (await source.GetConservationAsync()).MovedOut);
        await source.ConservedAsync();
        await target.ConservedAsync();
        Assert.Equal((0, 1), await target.TakeAsync(1) is [var first] ? (first.Offset, first.Count) : default);
    }

    [Fact]
    public async Task Dead_letters_go_back_to_where_each_came_from_and_others_stay()
    {
        await using var broker = await TestBroker.StartAsync();
        var dead = await broker.DeclareAsync("dead");
        var settings = SubscriptionSettings.Default with { DeadLetter = new DeadLetterTarget("dead", null, null) };
        var (orders, bills, gone) = (await broker.DeclareAsync("orders", settings), await broker.DeclareAsync("bills", settings), await broker.DeclareAsync("gone", settings));
        foreach (var (queue, text) in new[] { (orders, "o1"), (bills, "b1"), (gone, "g1"), (orders, "o2") })
        {
            await broker.SendAsync(queue, text);
            await queue.SettleAsync(Settlement.Reject, Tokens(await queue.TakeAsync(1)));
        }
        await broker.SendAsync(dead, "stray");
        await broker.Broker.Queues.DeleteAsync(gone);
        var move = await EndAsync(broker, await StartAsync(broker, dead));
        Assert.Equal((MoveState.Completed, 5, 3, 2), (move.State, move.Planned, move.Moved, move.Left));
        Assert.Equal(["o1", "o2"], await TextsAsync(orders));
        Assert.Equal(["b1"], await TextsAsync(bills));
        // What stays was delivered to nobody, and is ready again.
        await dead.UntilAsync(c => c is { Ready: 2, Leased: 0 });
        Assert.Equal([("g1", 1), ("stray", 1)], (await dead.TakeAsync()).Select(r => (r.Text, r.Count)));
        await dead.ConservedAsync();
    }

    [Fact]
    public async Task A_moved_message_is_a_new_one_with_its_headers_and_history()
    {
        await using var broker = await TestBroker.StartAsync();
        var source = await broker.DeclareAsync("a", QueueSettings.Default with { MaxPriority = 5, DeduplicationWindowMs = 60_000 });
        var target = await broker.DeclareAsync("b", QueueSettings.Default with { MaxPriority = 5, DeduplicationWindowMs = 60_000 });
        var properties = new MessageProperties { Priority = 3, ExpiresAt = broker.Now() + 60_000, DeliverAt = broker.Now() + 10, DeduplicationId = "once" };
        await broker.SendAsync(target, new MessageProperties { DeduplicationId = "once" }, "there");
        await source.PublishAsync(broker.Batch(properties, "key", "text"));
        broker.Time.Advance(TimeSpan.FromSeconds(1));
        await source.UntilAsync(c => c.Ready == 1);
        await EndAsync(broker, await StartAsync(broker, source, new MoveOptions { Target = "b" }));
        using var found = (await target.PeekAsync(1, 10)).Deliveries!;
        var message = found.Message(0);
        Assert.Equal(("key", "text", broker.Now()), (Encoding.UTF8.GetString(message.Key.Span), Encoding.UTF8.GetString(message.Value.Span), message.Timestamp));
        var headers = new List<string>();
        foreach (var header in message.Headers) headers.Add($"{Encoding.UTF8.GetString(header.Key)}={Encoding.UTF8.GetString(header.Value.Span)}");
        Assert.Equal([$"expires-at={properties.ExpiresAt}", "priority=3"], headers.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_move_keeps_to_its_rate_and_can_be_cancelled()
    {
        await using var broker = await TestBroker.StartAsync();
        var (source, target) = (await broker.DeclareAsync("a"), await broker.DeclareAsync("b"));
        await broker.SendAsync(source, Numbers(1000));
        var move = await StartAsync(broker, source, new MoveOptions { Target = "b", MessagesPerSecond = 100 });
        await UntilAsync(broker, move.Id, m => m.Moved == 10);
        for (var second = 1; second <= 3; second++)
        {
            for (var tenth = 1; tenth <= 10; tenth++)
            {
                var expected = 10 + (second - 1) * 100 + tenth * 10;
                // The task may not wait yet when the clock moves.
                for (var limit = DateTime.UtcNow.AddSeconds(20); broker.Broker.Moves.Find(move.Id)!.Moved < expected; await Task.Delay(2, TestContext.Current.CancellationToken))
                {
                    Assert.True(DateTime.UtcNow < limit);
                    broker.Time.Advance(TimeSpan.FromMilliseconds(10));
                }
            }
        }
        Assert.InRange(broker.Time.GetUtcNow().Year, 2030, 2030);
        Assert.True((broker.Time.GetUtcNow() - move.StartedAt).TotalSeconds >= 2.99, "300 messages take three seconds at 100 a second");
        Assert.Equal(QueueStatus.InUse, (await broker.Broker.Moves.StartAsync(source, new MoveOptions { Target = "b" })).Status);
        Assert.Equal(QueueStatus.Ok, (await broker.Broker.Moves.CancelAsync(move.Id)).Status);
        move = await EndAsync(broker, move);
        Assert.Equal(MoveState.Cancelled, move.State);
        Assert.Equal(QueueStatus.InUse, (await broker.Broker.Moves.CancelAsync(move.Id)).Status);
        await source.UntilAsync(c => c.Leased == 0);
        Assert.Equal<IEnumerable<string>>(Numbers(1000), [.. await TextsAsync(target), .. await TextsAsync(source)]);
        Assert.Equal(move.Moved, (await TextsAsync(target)).Count);
    }

    [Fact]
    public async Task A_move_goes_on_after_a_restart_with_what_is_left_of_it()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.DeclareAsync("a");
        await broker.DeclareAsync("b");
        await broker.SendAsync(broker.Queue("a"), Numbers(500));
        var move = await StartAsync(broker, broker.Queue("a"), new MoveOptions { Target = "b", MessagesPerSecond = 100, MaxMessages = 250 });
        await UntilAsync(broker, move.Id, m => m.Moved >= 10);
        await broker.RestartAsync();
        for (var limit = DateTime.UtcNow.AddSeconds(20); !broker.Broker.Moves.Find(move.Id)!.HasEnded; await Task.Delay(2, TestContext.Current.CancellationToken))
        {
            Assert.True(DateTime.UtcNow < limit);
            broker.Time.Advance(TimeSpan.FromMilliseconds(50));
        }
        Assert.Equal((MoveState.Completed, 250L), broker.Broker.Moves.Find(move.Id) is { } ended ? (ended.State, ended.Moved) : default);
        Assert.Equal(Numbers(250), await TextsAsync(broker.Queue("b")));
        Assert.Equal(Numbers(500).Skip(250), await TextsAsync(broker.Queue("a")));
        await broker.RestartAsync();
        Assert.Equal(250, Assert.Single(broker.Broker.Moves.List()).Moved);
        await broker.Queue("a").ConservedAsync();
    }

    [Fact]
    public async Task A_target_that_is_full_is_waited_for()
    {
        await using var broker = await TestBroker.StartAsync();
        var source = await broker.DeclareAsync("a");
        var target = await broker.DeclareAsync("b", QueueSettings.Default with { MaxLength = 7, Overflow = Overflow.Reject });
        await broker.SendAsync(source, Numbers(20));
        var move = await StartAsync(broker, source, new MoveOptions { Target = "b" });
        move = await UntilAsync(broker, move.Id, m => m.Reason is not null);
        Assert.Contains("'b' has reached its greatest length", move.Reason);
        var taken = new List<string>();
        for (var limit = DateTime.UtcNow.AddSeconds(20); taken.Count < 20; await Task.Delay(2, TestContext.Current.CancellationToken))
        {
            Assert.True(DateTime.UtcNow < limit);
            var some = await target.TakeAsync();
            Assert.InRange(some.Count, 0, 7);
            taken.AddRange(some.Select(r => r.Text));
            if (some.Count > 0) await target.SettleAsync(Settlement.Acknowledge, Tokens(some));
            broker.Time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.Equal(Numbers(20), taken);
        Assert.Equal((MoveState.Completed, null), await EndAsync(broker, move) is { } ended ? (ended.State, ended.Reason) : default);
        await source.ConservedAsync();
    }

    [Fact]
    public async Task Messages_that_come_or_are_held_meanwhile_are_none_of_its_business()
    {
        await using var broker = await TestBroker.StartAsync();
        var (source, target) = (await broker.DeclareAsync("a"), await broker.DeclareAsync("b"));
        await broker.SendAsync(source, "held", "1", "2");
        var held = await source.TakeAsync(1);
        var move = await StartAsync(broker, source, new MoveOptions { Target = "b", MessagesPerSecond = 1 });
        await UntilAsync(broker, move.Id, m => m.Moved == 1);
        await broker.SendAsync(source, "3");
        for (var limit = DateTime.UtcNow.AddSeconds(20); !broker.Broker.Moves.Find(move.Id)!.HasEnded; await Task.Delay(2, TestContext.Current.CancellationToken))
        {
            Assert.True(DateTime.UtcNow < limit);
            broker.Time.Advance(TimeSpan.FromMilliseconds(100));
        }
        Assert.Equal(["1", "2"], await TextsAsync(target));
        await source.SettleAsync(Settlement.Acknowledge, Tokens(held));
        Assert.Equal(["3"], await TextsAsync(source));
    }

    [Fact]
    public async Task A_purge_in_the_middle_ends_in_neither_loss_nor_double()
    {
        await using var broker = await TestBroker.StartAsync();
        var (source, target) = (await broker.DeclareAsync("a"), await broker.DeclareAsync("b"));
        for (var round = 0; round < 10; round++)
        {
            await broker.SendAsync(source, Numbers(2000));
            var move = await StartAsync(broker, source, new MoveOptions { Target = "b" });
            var purged = (await source.PurgeAsync(everything: true)).Count;
            move = await EndAsync(broker, move);
            await source.UntilAsync(c => c.Leased == 0);
            Assert.Equal(MoveState.Completed, move.State);
            await source.ConservedAsync();
            await target.ConservedAsync();
            var conservation = await source.GetConservationAsync();
            Assert.Equal((2000 * (round + 1), 0), (conservation.MovedOut + conservation.Purged, conservation.Ready));
            Assert.Equal(conservation.MovedOut, (await target.GetConservationAsync()).Accepted);
        }
    }

    [Fact]
    public async Task A_move_whose_queue_is_deleted_fails_and_says_so()
    {
        await using var broker = await TestBroker.StartAsync();
        foreach (var victim in new[] { "a", "b" })
        {
            var (source, target) = (await broker.DeclareAsync("a"), await broker.DeclareAsync("b"));
            await broker.SendAsync(source, Numbers(100));
            var move = await StartAsync(broker, source, new MoveOptions { Target = "b", MessagesPerSecond = 10 });
            await UntilAsync(broker, move.Id, m => m.Moved == 1);
            await broker.Broker.Queues.DeleteAsync(broker.Queue(victim));
            for (var limit = DateTime.UtcNow.AddSeconds(20); !broker.Broker.Moves.Find(move.Id)!.HasEnded; await Task.Delay(2, TestContext.Current.CancellationToken))
            {
                Assert.True(DateTime.UtcNow < limit);
                broker.Time.Advance(TimeSpan.FromMilliseconds(100));
            }
            move = broker.Broker.Moves.Find(move.Id)!;
            Assert.Equal((MoveState.Failed, $"Queue '{victim}' was deleted."), (move.State, move.Reason));
            if (victim == "b") await source.UntilAsync(c => c.Ready == 99);
            await broker.Broker.Queues.DeleteAsync(victim == "a" ? target : source);
        }
    }

    [Fact]
    public async Task What_makes_no_sense_is_refused()
    {
        await using var broker = await TestBroker.StartAsync();
        var source = await broker.DeclareAsync("a");
        var stream = await broker.DeclareAsync("s", QueueSettings.Default with { Retention = new Storage.Log.LogRetention(-1, -1) });
        var moves = broker.Broker.Moves;
        Assert.Equal(QueueStatus.NotFound, (await moves.StartAsync(source, new MoveOptions { Target = "none" })).Status);
        Assert.Equal(QueueStatus.InvalidSettings, (await moves.StartAsync(source, new MoveOptions { Target = "a" })).Status);
        Assert.Equal(QueueStatus.InvalidSettings, (await moves.StartAsync(source, new MoveOptions { Target = "s", MessagesPerSecond = -1 })).Status);
        Assert.Equal(QueueStatus.InvalidSettings, (await moves.StartAsync(stream, new MoveOptions { Target = "a" })).Status);
        Assert.Equal(QueueStatus.NotFound, (await moves.CancelAsync(Guid.Empty)).Status);
        Assert.Empty(moves.List());
        for (var i = 0; i < 15; i++) await EndAsync(broker, await StartAsync(broker, source, new MoveOptions { Target = "s" }));
        Assert.Equal(MoveRegistry.RememberedOfQueue, moves.List().Count);
    }

    [Fact]
    public async Task Queues_of_memory_mode_move_too()
    {
        await using var broker = await TestBroker.StartAsync();
        var source = await broker.DeclareAsync("a", QueueSettings.Default with { CommitMode = CommitMode.Memory });
        var target = await broker.DeclareAsync("b", QueueSettings.Default with { CommitMode = CommitMode.Written });
        await broker.SendAsync(source, Numbers(100));
        Assert.Equal(100, (await EndAsync(broker, await StartAsync(broker, source, new MoveOptions { Target = "b" }))).Moved);
        Assert.Equal(Numbers(100), await TextsAsync(target));
    }
}

using System.Globalization;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;

namespace Dragoman.Broker.Tests.Queues;

/// <summary>Queues that live in memory, when that is used up.</summary>
public sealed class MemoryTests
{
    private const int Publishers = 4;
    private const int Each = 2000;

    /// <summary>There is room for little more than the block that is being filled, so that one is moved to disk while others fill it.</summary>
    /// <param name="meanwhile">Whether what is published is taken out meanwhile: so blocks are freed while they are moved.</param>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Many_publishers_lose_nothing_when_the_block_that_they_fill_goes_to_disk(bool meanwhile)
    {
        await using var broker = await TestBroker.StartAsync(o => o with { Store = o.Store with { MemoryBytes = 48 << 10, MemoryBlockBytes = 32 << 10 } });
        var queues = new List<IQueueHandle>();
        for (var i = 0; i < Publishers; i++) queues.Add(await broker.DeclareAsync($"q{i}", QueueSettings.Default with { IsDurable = false }));
        var cancellation = TestContext.Current.CancellationToken;
        var publishing = Task.WhenAll(queues.Select((queue, n) => Task.Run(() => PublishAsync(broker, queue, n), cancellation)));
        if (!meanwhile) await publishing;
        await Task.WhenAll(queues.Select((queue, n) => Task.Run(() => TakeAllAsync(queue, n), cancellation)));
        await publishing;
        foreach (var queue in queues) await queue.ConservedAsync();
        Assert.False(broker.Broker.Failed.IsCompleted);
    }

    private static async Task PublishAsync(TestBroker broker, IQueueHandle queue, int publisher)
    {
        for (var i = 0; i < Each; i++) Assert.Equal(QueueStatus.Ok, (await broker.SendAsync(queue, TextOf(publisher, i))).Status);
    }

    private static async Task TakeAllAsync(IQueueHandle queue, int publisher)
    {
        for (var i = 0; i < Each;)
        {
            var taken = await queue.TakeAsync();
            foreach (var message in taken) Assert.Equal(TextOf(publisher, i++), message.Text);
            await queue.SettleAsync(Settlement.Acknowledge, QueueFixture.Tokens(taken));
        }
    }

    private static string TextOf(int publisher, int number) => string.Create(CultureInfo.InvariantCulture, $"{publisher}:{number}:").PadRight(number % 20 == publisher ? 20_000 : 20 + number % 900, 'x');
}

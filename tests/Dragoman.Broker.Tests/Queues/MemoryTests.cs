using System.Globalization;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;

namespace Dragoman.Broker.Tests.Queues;

/// <summary>Queues that live in memory, when that is used up.</summary>
public sealed class MemoryTests
{
    /// <summary>There is room for little more than the block that is being filled, so that one is moved to disk while others fill it.</summary>
    [Fact]
    public async Task Many_publishers_lose_nothing_when_the_block_that_they_fill_goes_to_disk()
    {
        const int Publishers = 4;
        const int Each = 2000;
        await using var broker = await TestBroker.StartAsync(o => o with { Store = o.Store with { MemoryBytes = 48 << 10, MemoryBlockBytes = 32 << 10 } });
        var queues = new List<IQueueHandle>();
        for (var i = 0; i < Publishers; i++) queues.Add(await broker.DeclareAsync($"q{i}", QueueSettings.Default with { IsDurable = false }));
        var cancellation = TestContext.Current.CancellationToken;
        await Task.WhenAll(queues.Select((queue, n) => Task.Run(
            async () =>
            {
                for (var i = 0; i < Each; i++) Assert.Equal(QueueStatus.Ok, (await broker.SendAsync(queue, TextOf(n, i))).Status);
            },
            cancellation)));
        for (var n = 0; n < Publishers; n++)
        {
            for (var i = 0; i < Each;)
            {
                var taken = await queues[n].TakeAsync();
                foreach (var message in taken) Assert.Equal(TextOf(n, i++), message.Text);
                await queues[n].SettleAsync(Settlement.Acknowledge, QueueFixture.Tokens(taken));
            }
            await queues[n].ConservedAsync();
        }
    }

    private static string TextOf(int publisher, int number) => string.Create(CultureInfo.InvariantCulture, $"{publisher}:{number}:").PadRight(number % 20 == publisher ? 20_000 : 20 + number % 900, 'x');
}

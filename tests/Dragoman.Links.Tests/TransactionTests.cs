using RabbitMQ.Client;

namespace Dragoman.Links.Tests;

/// <summary>What links of another Dragoman build on.</summary>
public sealed class TransactionTests
{
    [Fact]
    public async Task What_a_transaction_publishes_to_several_queues_is_one_commit()
    {
        await using var local = await LocalBroker.StartAsync();
        await AmqpClient.DeclareAsync(local.Uri, "one");
        await AmqpClient.DeclareAsync(local.Uri, "other");
        await AmqpClient.OnChannelAsync(local.Uri, async channel =>
        {
            await channel.TxSelectAsync();
            var before = local.Broker.CompletedCommits;
            for (var i = 0; i < 100; i++)
                await channel.BasicPublishAsync("", i % 2 == 0 ? "one" : "other", mandatory: false, new BasicProperties { DeliveryMode = DeliveryModes.Persistent }, new byte[] { (byte)i });
            await channel.TxCommitAsync();
            Assert.Equal(before + 1, local.Broker.CompletedCommits);
            return 0;
        });
        Assert.Equal((50u, 50u), (await AmqpClient.CountAsync(local.Uri, "one"), await AmqpClient.CountAsync(local.Uri, "other")));
    }
}

using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;

namespace Dragoman.Amqp.Tests.Sessions;

/// <summary>Exchange types that RabbitMQ has beside AMQP's.</summary>
[Trait("Row", "R26")]
public sealed class ExchangeTypeTests
{
    private static FieldTable Table(params (string Name, string Value)[] fields) => new([.. fields.Select(static f => KeyValuePair.Create(f.Name, FieldValue.OfText(f.Value)))]);

    [Fact]
    public async Task A_row_of_equal_publishes_is_spread_at_random()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync();
        await client.AskAsync<ExchangeDeclare, ExchangeDeclareOk>(channel, new ExchangeDeclare { Exchange = "e", Type = "x-random" });
        foreach (var queue in new[] { "a", "b" })
        {
            await client.QueueAsync(channel, queue);
            await client.AskAsync<QueueBind, QueueBindOk>(channel, new QueueBind { Queue = queue, Exchange = "e", RoutingKey = queue });
        }
        for (var i = 0; i < 200; i++) await client.PublishAsync(channel, "e", "same", "x");
        await client.UntilCountAsync(channel, "a", 50);
        await client.UntilCountAsync(channel, "b", 50);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("hash-header", "account")]
    [InlineData("hash-property", "message_id")]
    [InlineData("hash-property", "correlation_id")]
    public async Task A_consistent_hash_goes_by_routing_key_header_or_property(string? argument, string? value)
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync();
        var arguments = argument is null ? FieldTable.Empty : Table((argument, value!));
        await client.AskAsync<ExchangeDeclare, ExchangeDeclareOk>(channel, new ExchangeDeclare { Exchange = "e", Type = "x-consistent-hash", Arguments = arguments });
        foreach (var queue in new[] { "a", "b", "c" })
        {
            await client.QueueAsync(channel, queue);
            await client.AskAsync<QueueBind, QueueBindOk>(channel, new QueueBind { Queue = queue, Exchange = "e", RoutingKey = "10" });
        }
        // Every value is published four times.
        for (var i = 0; i < 240; i++)
        {
            var id = $"{i % 60}";
            await client.PublishAsync(channel, "e", argument is null ? id : $"{i}", "x", p =>
            {
                if (value == "account") p.Headers = Table(("account", id));
                if (value == "message_id") p.MessageId = id;
                if (value == "correlation_id") p.CorrelationId = id;
            });
        }
        uint[] counts = [0, 0, 0];
        for (var limit = DateTime.UtcNow.AddSeconds(20); counts.Sum(static c => c) < 240; await Task.Delay(2))
        {
            counts = [(await client.CountAsync(channel, "a")).MessageCount, (await client.CountAsync(channel, "b")).MessageCount, (await client.CountAsync(channel, "c")).MessageCount];
            Assert.True(DateTime.UtcNow < limit);
        }
        Assert.All(counts, static count => Assert.True(count % 4 == 0 && count is > 20 and < 160, $"{count}"));
    }

    [Fact]
    public async Task What_these_types_do_not_take_is_refused_as_RabbitMQ_does()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        Assert.Equal("PRECONDITION_FAILED - Unsupported property: app_id", await RefusedAsync(1, "x-consistent-hash", Table(("hash-property", "app_id"))));
        Assert.Equal("PRECONDITION_FAILED - hash-header and hash-property are mutually exclusive", await RefusedAsync(2, "x-consistent-hash", Table(("hash-property", "message_id"), ("hash-header", "a"))));
        var channel = await client.ChannelAsync(3);
        await client.AskAsync<ExchangeDeclare, ExchangeDeclareOk>(channel, new ExchangeDeclare { Exchange = "e", Type = "x-consistent-hash" });
        await client.QueueAsync(channel, "q");
        var refusal = await client.RefusedAsync(channel, new QueueBind { Queue = "q", Exchange = "e", RoutingKey = "heavy" });
        Assert.Equal("PRECONDITION_FAILED - The binding key must be an integer: <<\"heavy\">>", refusal.Text);

        async Task<string> RefusedAsync(ushort number, string type, FieldTable arguments)
        {
            await client.ChannelAsync(number);
            return (await client.RefusedAsync(number, new ExchangeDeclare { Exchange = $"e{number}", Type = type, Arguments = arguments })).Text;
        }
    }
}

using System.Globalization;
using System.Text;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Dragoman.Clients.Tests.Amqp;

/// <summary>A shop on MassTransit: a saga, consumers that fail, questions and answers, and work that is shared.</summary>
[Uses<MassTransitApplication>]
public sealed class MassTransitTests(MassTransitTests.Running running) : IClassFixture<MassTransitTests.Running>
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);

    private ApplicationProcess Shop => running.Shop;

    [Fact, Rows("R6", "R9", "R10")]
    public async Task Orders_go_through_their_saga_and_everybody_hears_of_it_once()
    {
        var orders = Enumerable.Range(0, 20).Select(_ => Guid.NewGuid()).ToArray();
        foreach (var order in orders) await Shop.SendAsync($"order {order} good");
        await ToldAsync([.. orders.Select(order => $"billing completed {order}"), .. orders.Select(order => $"shipping completed {order}")]);
        foreach (var order in orders) AssertTold(order, [$"charging {order} 1 0 0", $"billing completed {order}", $"shipping completed {order}"]);
    }

    [Fact, Rows("R10")]
    public async Task What_fails_is_tried_again_at_once()
    {
        var order = Guid.NewGuid();
        await Shop.SendAsync($"order {order} flaky");
        await ToldAsync($"billing completed {order}", $"shipping completed {order}");
        AssertTold(order, [.. Tries(order, 1), $"billing completed {order}", $"shipping completed {order}"]);
    }

    [Fact, Rows("R10", "R25")]
    public async Task What_fails_still_is_delivered_again_later()
    {
        var order = Guid.NewGuid();
        await Shop.SendAsync($"order {order} late");
        await ToldAsync($"billing completed {order}", $"shipping completed {order}");
        AssertTold(order, [.. Tries(order, 2), $"charging {order} 7 0 2", $"billing completed {order}", $"shipping completed {order}"]);
    }

    [Fact, Rows("R6", "R12", "R25")]
    public async Task What_fails_for_good_is_in_the_error_queue_and_can_be_sent_back_from_there()
    {
        var order = Guid.NewGuid();
        await Shop.SendAsync($"order {order} broken");
        await ToldAsync($"billing rejected {order}", $"shipping rejected {order}");
        AssertTold(order, [.. Tries(order, 3), $"billing rejected {order}", $"shipping rejected {order}"]);

        await using var connection = await ConnectAsync();
        await using var channel = await connection.CreateChannelAsync();
        var failed = await GetAsync(connection, channel, "cards_error");
        var headers = failed.BasicProperties.Headers!;
        Assert.Equal("fault", Text(headers["MT-Reason"]));
        Assert.Equal("System.InvalidOperationException", Text(headers["MT-Fault-ExceptionType"]));
        Assert.Equal("The card is broken.", Text(headers["MT-Fault-Message"]));
        Assert.Equal(2, headers["MT-Fault-RetryCount"]);
        Assert.Equal(2, headers["MT-Redelivery-Count"]);
        Assert.True(failed.BasicProperties.Persistent);
        Assert.Contains(order.ToString(), Encoding.UTF8.GetString(failed.Body.Span), StringComparison.Ordinal);

        // The card is mended, and the message goes back to where it failed.
        await Shop.SendAsync("mend");
        await ToldAsync("mended");
        await channel.BasicPublishAsync("cards", "", mandatory: true, new BasicProperties(failed.BasicProperties), failed.Body);
        await channel.BasicAckAsync(failed.DeliveryTag, multiple: false);
        await ToldAsync($"charging {order} 10 0 2");
        Assert.Equal(0u, await channel.MessageCountAsync("cards_error"));
        Assert.Equal(0u, await channel.MessageCountAsync("cards"));
    }

    [Fact, Rows("R25")]
    public async Task Orders_that_nobody_pays_for_expire()
    {
        var order = Guid.NewGuid();
        await Shop.SendAsync($"order {order} absent");
        await ToldAsync($"billing expired {order}", $"shipping expired {order}");
        AssertTold(order, [$"charging {order} 1 0 0", $"billing expired {order}", $"shipping expired {order}"]);
    }

    [Fact, Rows("R25")]
    public async Task What_is_to_be_said_later_is_said_when_it_is_due_in_the_order_of_that()
    {
        await Shop.SendAsync("remind 1 1500");
        await Shop.SendAsync("remind 2 1000");
        await Shop.SendAsync("remind 3 300");
        await ToldAsync("reminder 1 due", "reminder 2 due", "reminder 3 due");
        Assert.Equal(["reminder 3 due", "reminder 2 due", "reminder 1 due"], Shop.Told.Where(line => line.StartsWith("reminder ", StringComparison.Ordinal)));
    }

    [Fact, Rows("R6", "R12")]
    public async Task What_nobody_understands_is_in_the_skipped_queue()
    {
        await Shop.SendAsync("stray 7");
        await using var connection = await ConnectAsync();
        await using var channel = await connection.CreateChannelAsync();
        var skipped = await GetAsync(connection, channel, "cards_skipped");
        Assert.Equal("dead-letter", Text(skipped.BasicProperties.Headers!["MT-Reason"]));
        Assert.Contains("\"number\": 7", Encoding.UTF8.GetString(skipped.Body.Span), StringComparison.Ordinal);
        await channel.BasicAckAsync(skipped.DeliveryTag, multiple: false);
        Assert.Equal(0u, await channel.MessageCountAsync("cards_skipped"));
    }

    [Fact, Rows("R6", "R10", "R13")]
    public async Task Questions_are_answered_or_said_to_be_unanswerable()
    {
        await Shop.SendAsync("stock apple");
        await Shop.SendAsync("stock unicorn");
        await Shop.SendAsync("stock pineapple");
        await ToldAsync("stock apple 5", "stock unicorn fault There is no such thing.", "stock pineapple 9");
    }

    [Fact, Rows("R11", "R20", "R21")]
    public async Task Work_is_shared_and_goes_on_over_the_end_of_one_and_kills_of_the_broker()
    {
        await using var server = await DragomanServer.StartAsync();
        var amqp = server.Address("amqp");
        await using var one = await MassTransitApplication.StartWorkerAsync(amqp);
        await using var other = await MassTransitApplication.StartWorkerAsync(amqp);
        int[] Done() => [.. new[] { one, other }.SelectMany(worker => worker.Told).Where(line => line.StartsWith("job ", StringComparison.Ordinal)).Select(line => int.Parse(line[4..], CultureInfo.InvariantCulture)).Order()];

        await one.SendAsync("jobs 0 200");
        await Eventually.TrueAsync(() => Done().Length >= 200, "all jobs are done", s_patience);
        Assert.Equal(Enumerable.Range(0, 200), Done());
        Assert.Contains(one.Told, line => line.StartsWith("job ", StringComparison.Ordinal));
        Assert.Contains(other.Told, line => line.StartsWith("job ", StringComparison.Ordinal));

        await other.StopAsync();
        await one.SendAsync("jobs 200 250");
        await Eventually.TrueAsync(() => Done().Length >= 250, "the one that is left does the rest", s_patience);
        Assert.Equal(Enumerable.Range(0, 250), Done());

        await server.KillAsync();
        await server.StartAgainAsync();
        await one.SendAsync("jobs 250 300");
        await Eventually.TrueAsync(() => Done().Distinct().Count() >= 300, "it goes on when the broker is back", s_patience);
        await one.StopAsync();
    }

    // Three tries at a time: the first, and two at once after it.
    private static IEnumerable<string> Tries(Guid order, int times) =>
        Enumerable.Range(0, 3 * times).Select(attempt => string.Create(CultureInfo.InvariantCulture, $"charging {order} {attempt + 1} {attempt % 3} {attempt / 3}"));

    private static string Text(object? value) => Encoding.UTF8.GetString((byte[])value!);

    /// <summary>Waits for a queue that is made for its first message, and takes that.</summary>
    private static async Task<BasicGetResult> GetAsync(IConnection connection, IChannel channel, string queue)
    {
        await Eventually.TrueAsync(() => ExistsAsync(connection, queue), $"there is a queue {queue}", s_patience);
        BasicGetResult? message = null;
        await Eventually.TrueAsync(async () => (message = await channel.BasicGetAsync(queue, autoAck: false)) is not null, $"there is a message in {queue}", s_patience);
        return message!;
    }

    private static async Task<bool> ExistsAsync(IConnection connection, string queue)
    {
        await using var channel = await connection.CreateChannelAsync();
        try
        {
            await channel.QueueDeclarePassiveAsync(queue);
            return true;
        }
        catch (OperationInterruptedException error) when (error.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            return false;
        }
    }

    private Task<IConnection> ConnectAsync() => new ConnectionFactory { HostName = "127.0.0.1", Port = running.Broker.Server.Port("amqp") }.CreateConnectionAsync();

    private async Task ToldAsync(params IEnumerable<string> lines)
    {
        List<string> missing = [.. lines];
        try
        {
            await Eventually.TrueAsync(() => (missing = [.. missing.Except(Shop.Told)]).Count == 0, "the shop tells all", s_patience);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"The shop never told:\n{string.Join('\n', missing)}\nbut:\n{string.Join('\n', Shop.Told.TakeLast(100))}\nand logged:\n{Shop.Error}\nand the broker:\n{running.Broker.Server.Error}");
        }
    }

    /// <summary>Asserts that all of this was told about an order, each once, and nothing else.</summary>
    private void AssertTold(Guid order, string[] expected) =>
        Assert.Equal(expected.Order(StringComparer.Ordinal), Shop.Told.Where(line => line.Contains(order.ToString(), StringComparison.Ordinal)).Order(StringComparer.Ordinal));

    /// <summary>A broker and a shop for all tests of the class.</summary>
    public sealed class Running : IAsyncLifetime
    {
        internal SharedBroker Broker { get; } = new();

        internal ApplicationProcess Shop { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            await Broker.InitializeAsync();
            Shop = await MassTransitApplication.StartShopAsync(Broker.Server.Address("amqp"));
        }

        public async ValueTask DisposeAsync()
        {
            if (Shop is not null) await Shop.DisposeAsync();
            await Broker.DisposeAsync();
        }
    }
}

using System.Text.Json.Nodes;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Amqp;

[Uses<Pika>]
public sealed class PikaTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    private int Port => broker.Server.Port("amqp");

    [Fact, Rows("R1", "R20")]
    public Task Properties_and_headers_come_back() => Pika.RunAsync("properties", Port);

    [Fact, Rows("R2", "R9", "R12")]
    public Task Publishes_are_confirmed_and_what_goes_nowhere_comes_back() => Pika.RunAsync("confirms", Port);

    [Fact, Rows("R10", "R11")]
    public Task Consuming_with_prefetch_and_a_message_that_goes_back() => Pika.RunAsync("consume", Port);

    [Fact, Rows("R4")]
    public Task Signs_of_life_keep_a_connection() => Pika.RunAsync("heartbeats", Port);

    [Fact, Rows("R4")]
    public Task A_client_that_gives_no_sign_of_life_is_given_up() => Pika.RunAsync("silent", Port);

    [Fact, Rows("R5", "R6", "R7")]
    public async Task Errors_are_those_that_the_client_knows()
    {
        var errors = JsonNode.Parse(await Pika.RunAsync("errors", Port))!.AsArray();
        Assert.Equal(
            [
                "404 NOT_FOUND - no queue 'not-there' in vhost '/'",
                "406 PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'amq.fanout' in vhost '/': received 'direct' but current is 'fanout'",
                "403 ACCESS_REFUSED - deletion of system exchange 'amq.direct' in vhost '/' not allowed",
                "404 NOT_FOUND - no queue 'not-there' in vhost '/'",
            ],
            errors.Select(e => $"{e![0]} {e[1]}"));
    }

    [Fact, Rows("R2", "R34")]
    public async Task A_stranger_is_told_so_once_there_are_users()
    {
        await using var server = await DragomanServer.StartAsync("--default-user", "admin", "--default-password", "secret");
        Assert.Contains("ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN.", await Pika.RunAsync("refused", server.Port("amqp")));
    }
}

[Uses<AmqpTools>]
public sealed class AmqpToolsTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    [Fact, Rows("R1", "R9", "R12", "R20")]
    public async Task A_queue_is_declared_published_to_got_from_consumed_and_deleted()
    {
        var port = broker.Server.Port("amqp");
        var queue = SharedBroker.Unique("tools");
        Assert.Equal($"{queue}\n", (await AmqpTools.RunAsync("amqp-declare-queue", port, null, "-d", "-q", queue)).Succeeded().Output);
        foreach (var body in new[] { "one", "two" }) (await AmqpTools.RunAsync("amqp-publish", port, null, "-r", queue, "-p", "-C", "text/plain", "-b", body)).Succeeded();
        Assert.Equal("one", (await AmqpTools.RunAsync("amqp-get", port, null, "-q", queue)).Succeeded().Output);
        Assert.Equal("two", (await AmqpTools.RunAsync("amqp-consume", port, null, "-q", queue, "-c", "1", "cat")).Succeeded().Output);
        Assert.Equal(2, (await AmqpTools.RunAsync("amqp-get", port, null, "-q", queue)).ExitCode);
        Assert.Equal("0\n", (await AmqpTools.RunAsync("amqp-delete-queue", port, null, "-q", queue)).Succeeded().Output);
    }
}

using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;

namespace Dragoman.Clients.Tests.Amqp;

[Uses<AmqpLib>]
public sealed class AmqpLibTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    private int Port => broker.Server.Port("amqp");

    [Fact, Rows("R1", "R9", "R12", "R16")]
    public Task Publishes_are_confirmed_returned_and_refused() => AmqpLib.RunAsync("confirms", Port);

    [Fact, Rows("R8", "R10", "R11", "R12", "R20")]
    public Task Work_is_shared_out_acknowledged_and_given_back() => AmqpLib.RunAsync("workers", Port);

    [Fact, Rows("R6", "R19", "R20")]
    public Task Exchanges_of_all_types_alternates_and_copies() => AmqpLib.RunAsync("exchanges", Port);

    [Fact, Rows("R5", "R7")]
    public Task Errors_are_those_that_the_client_knows() => AmqpLib.RunAsync("errors", Port);

    [Fact, Rows("R14", "R15", "R16")]
    public Task Dead_letters_say_why() => AmqpLib.RunAsync("deadLetters", Port);

    [Fact, Rows("R17")]
    public Task Questions_are_answered_directly() => AmqpLib.RunAsync("replies", Port);

    [Fact, Rows("R18", "R21", "R22")]
    public Task Quorum_queues_streams_and_priorities() => AmqpLib.RunAsync("kinds", Port);

    [Fact, Rows("R13", "R23")]
    public Task One_consumer_is_active_until_it_goes_and_all_hear_that_their_queue_is_gone() => AmqpLib.RunAsync("turns", Port);
}

[Uses<CloudAmqpClient>]
public sealed class CloudAmqpClientTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    private int Port => broker.Server.Port("amqp");

    [Fact, Rows("R1", "R9", "R12", "R20")]
    public Task Messages_are_confirmed_got_consumed_and_returned() => CloudAmqpClient.RunAsync("messages", Port);

    [Fact, Rows("R10", "R11")]
    public Task Work_is_acknowledged_and_given_back() => CloudAmqpClient.RunAsync("work", Port);

    [Fact, Rows("R29")]
    public Task Transactions() => CloudAmqpClient.RunAsync("transactions", Port);

    [Fact, Rows("R5", "R7", "R34")]
    public Task Errors_are_those_that_the_client_knows() => CloudAmqpClient.RunAsync("errors", Port);

    [Fact, Rows("R22")]
    public Task Streams_are_read_from_anywhere() => CloudAmqpClient.RunAsync("streams", Port);

    [Fact, Rows("R4")]
    public Task Signs_of_life_come_in_time() => CloudAmqpClient.RunAsync("heartbeats", Port);

    [Fact, Rows("R17")]
    public Task Questions_are_answered() => CloudAmqpClient.RunAsync("questions", Port);
}

using System.Text.Json.Nodes;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Aws;

[Uses<Boto3>]
public sealed class Boto3Tests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    private int Port => broker.Server.Port("aws");

    [Fact, Rows("Q2", "Q5", "Q7", "Q22", "Q23")]
    public Task Queues_are_made_found_changed_and_deleted() => Boto3.RunAsync("queues", Port);

    [Fact, Rows("Q2", "Q3", "Q4", "Q8", "Q9", "Q11", "Q12", "Q13", "Q20", "Q21")]
    public Task Messages_come_back_as_they_were_sent() => Boto3.RunAsync("messages", Port);

    [Fact, Rows("Q8", "Q21")]
    public Task Ten_thousand_messages_in_batches_are_counted_exactly() => Boto3.RunAsync("batches", Port);

    [Fact, Rows("Q16")]
    public Task Groups_keep_their_order_under_workers_that_give_up() => Boto3.RunAsync("fifo", Port);

    [Fact, Rows("Q14", "Q15")]
    public Task A_message_that_nobody_can_process_becomes_a_dead_letter() => Boto3.RunAsync("dead_letters", Port);

    [Fact, Rows("Q6")]
    public async Task Signatures_are_checked_once_there_are_access_keys()
    {
        await using var server = await DragomanServer.StartAsync("--default-user", "admin", "--default-password", "secret");
        var (key, secret) = await AccessKeys.CreateAsync(server);
        await Boto3.RunAsync("signatures", server.Port("aws"), key, secret);
    }
}

[Uses<AwsCli>]
public sealed class AwsCliTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    private int Port => broker.Server.Port("aws");

    [Fact, Rows("Q2", "Q24")]
    public async Task Commands_do_what_they_say()
    {
        Assert.Equal("000000000000", (string?)JsonNode.Parse(await AwsCli.RunAsync(Port, "sts", "get-caller-identity"))!["Account"]);
        var name = SharedBroker.Unique("cli");
        var url = (string)JsonNode.Parse(await AwsCli.RunAsync(Port, "sqs", "create-queue", "--queue-name", name))!["QueueUrl"]!;
        await AwsCli.RunAsync(Port, "sqs", "send-message", "--queue-url", url, "--message-body", "from the shell");
        var received = JsonNode.Parse(await AwsCli.RunAsync(Port, "sqs", "receive-message", "--queue-url", url, "--attribute-names", "All"))!["Messages"]![0]!;
        Assert.Equal("from the shell", (string?)received["Body"]);
        await AwsCli.RunAsync(Port, "sqs", "delete-message", "--queue-url", url, "--receipt-handle", (string)received["ReceiptHandle"]!);
        Assert.Contains(url, JsonNode.Parse(await AwsCli.RunAsync(Port, "sqs", "list-queues", "--queue-name-prefix", name))!["QueueUrls"]!.AsArray().Select(n => (string?)n));
        await AwsCli.RunAsync(Port, "sqs", "delete-queue", "--queue-url", url);
    }
}

[Uses<AwsSdkJs>]
public sealed class AwsSdkJsTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    [Theory, Rows("Q1", "Q3", "Q4", "Q5", "Q8", "Q10")]
    [InlineData("messages")]
    [InlineData("poll")]
    public Task Messages_and_polls(string story) => AwsSdkJs.RunAsync(story, broker.Server.Port("aws"));
}

[Uses<SqsConsumer>]
public sealed class SqsConsumerTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    [Fact, Rows("Q1", "Q10", "Q11", "Q14")]
    public Task A_consumer_sees_every_message_once_but_the_one_that_fails() => AwsSdkJs.RunAsync("consumer", broker.Server.Port("aws"));
}

[Uses<CelerySqsApplication>]
public sealed class CelerySqsTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    [Fact, Rows("Q2", "Q10", "Q20")]
    public Task Tasks_are_done_with_delays_and_retries() => CelerySqsApplication.RunAsync(broker.Server.Port("aws"));
}

[Uses<AwsSnsJs>]
public sealed class AwsSnsJsTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    [Fact, Rows("N1", "N2", "N3", "N4", "N5", "N6", "N7", "N11", "N17", "N18")]
    public Task A_publish_fans_out_to_queues_by_their_filters() => AwsSnsJs.RunAsync("fanout", broker.Server.Port("aws"));

    [Fact, Rows("N12")]
    public Task A_FIFO_topic_keeps_order_and_knows_copies() => AwsSnsJs.RunAsync("fifo", broker.Server.Port("aws"));
}

[Uses<SnsValidator>]
public sealed class SnsValidatorTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    [Fact, Rows("N8", "N9")]
    public Task An_endpoint_confirms_and_checks_signatures_of_both_versions() => AwsSnsJs.RunAsync("endpoint", broker.Server.Port("aws"));
}

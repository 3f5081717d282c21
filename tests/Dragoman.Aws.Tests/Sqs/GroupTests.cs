using System.Text.Json.Nodes;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;

namespace Dragoman.Aws.Tests.Sqs;

/// <summary>What a FIFO queue does with its groups, as AWS was recorded to do.</summary>
public sealed class GroupTests
{
    private const string Queue = "q.fifo";

    [Fact]
    public async Task A_receive_gets_as_many_messages_of_a_group_as_there_are()
    {
        await using var sqs = await SqsServer.StartAsync();
        var url = await sqs.CreateAsync(Queue);
        await sqs.SendInGroupsAsync(url, "g1-m1", "g2-m1", "g1-m2", "g1-m3");
        Assert.Equal("g1-m1 g1-m2 g1-m3 g2-m1", await sqs.TakeAsync(url));
    }

    [Fact]
    public async Task A_group_is_hidden_as_a_whole_and_comes_behind_the_others()
    {
        await using var sqs = await SqsServer.StartAsync();
        var url = await sqs.CreateAsync(Queue, ("VisibilityTimeout", "1"));
        await sqs.SendInGroupsAsync(url, "g1-m1", "g1-m2", "g1-m3", "g1-m4", "g2-m1", "g3-m1");
        Assert.Equal("g1-m1 g1-m2", await sqs.TakeAsync(url, 2));
        Assert.Equal("g2-m1", await sqs.TakeAsync(url, 1));
        sqs.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("g3-m1 g1-m1 g1-m2 g1-m3 g1-m4 g2-m1", await sqs.TakeAsync(url));
    }

    [Fact]
    public async Task A_visibility_of_zero_gives_groups_back_at_once()
    {
        await using var sqs = await SqsServer.StartAsync();
        var url = await sqs.CreateAsync(Queue);
        await sqs.SendInGroupsAsync(url, "g1-m1", "g2-m1", "g2-m2", "g3-m1", "g1-m2");
        Assert.Equal("g1-m1 g1-m2 g2-m1", await sqs.TakeAsync(url, 3, visibility: 0));
        Assert.Equal("g3-m1 g1-m1 g1-m2 g2-m1 g2-m2", await sqs.TakeAsync(url, 10, visibility: 0));
    }

    [Fact]
    public async Task A_message_given_back_is_received_although_later_ones_of_its_group_are_hidden()
    {
        await using var sqs = await SqsServer.StartAsync();
        var url = await sqs.CreateAsync(Queue);
        await sqs.SendInGroupsAsync(url, "g1-m1", "g1-m2", "g2-m1");
        var held = await sqs.ReceiveAsync(url, 2);
        await sqs.ChangeVisibilityAsync(url, held[0].Handle, 0);
        Assert.Equal("g2-m1 g1-m1", await sqs.TakeAsync(url, 3));
    }

    [Theory]
    [InlineData(0, "")]
    [InlineData(1, "g-1")]
    [InlineData(2, "g-1 g-2")]
    public async Task A_message_that_is_kept_hides_those_of_its_group_behind_it(int kept, string visible)
    {
        await using var sqs = await SqsServer.StartAsync();
        var url = await sqs.CreateAsync(Queue, ("VisibilityTimeout", "10"));
        await sqs.SendInGroupsAsync(url, "g-1", "g-2", "g-3");
        var held = await sqs.ReceiveAsync(url);
        await sqs.ChangeVisibilityAsync(url, held[kept].Handle, 40);
        sqs.Time.Advance(TimeSpan.FromSeconds(25));
        Assert.Equal(visible, await sqs.TakeAsync(url));
    }

    [Fact]
    public async Task A_group_goes_on_once_all_that_was_received_of_it_is_deleted()
    {
        await using var sqs = await SqsServer.StartAsync();
        var url = await sqs.CreateAsync(Queue);
        await sqs.SendInGroupsAsync(url, "g1-m1", "g2-m1", "g1-m2", "g2-m2", "g1-m3", "g1-m4", "g3-m1");
        var held = await sqs.ReceiveAsync(url, 2);
        Assert.Equal(["g1-m1", "g1-m2"], held.Select(static m => m.Body));
        await sqs.DeleteAsync(url, held[0].Handle);
        Assert.Equal("g2-m1 g2-m2 g3-m1", await sqs.TakeAsync(url, 10, visibility: 0));
        await sqs.DeleteAsync(url, held[1].Handle);
        Assert.Equal(["g1-m3", "g1-m4", "g2-m1", "g2-m2", "g3-m1"], (await sqs.ReceiveAsync(url)).Select(static m => m.Body).Order());
    }

    [Fact]
    public async Task A_purge_forgets_deduplication_ids()
    {
        await using var sqs = await SqsServer.StartAsync();
        var url = await sqs.CreateAsync(Queue);
        await sqs.SendInGroupsAsync(url, "g-1", "g-1");
        await sqs.AskAsync("PurgeQueue", new { QueueUrl = url });
        await sqs.SendInGroupsAsync(url, "g-1", "g-1");
        Assert.Equal("g-1", await sqs.TakeAsync(url));
    }

    [Fact]
    public async Task A_scope_of_deduplication_counts_a_minute_after_it_was_changed()
    {
        await using var sqs = await SqsServer.StartAsync();
        var url = await sqs.CreateAsync(Queue, ("DeduplicationScope", "queue"));
        async Task SendAsync(string group, string id) =>
            await sqs.AskAsync("SendMessage", new { QueueUrl = url, MessageBody = group, MessageGroupId = group, MessageDeduplicationId = id });
        await SendAsync("a", "1");
        await sqs.AskAsync("SetQueueAttributes", new { QueueUrl = url, Attributes = new Dictionary<string, string> { ["DeduplicationScope"] = "messageGroup", ["FifoThroughputLimit"] = "perMessageGroupId" } });
        var shown = await sqs.AskAsync("GetQueueAttributes", new { QueueUrl = url, AttributeNames = new[] { "All" } });
        Assert.Equal("messageGroup", shown["Attributes"]!["DeduplicationScope"]!.GetValue<string>());
        await SendAsync("b", "1");
        Assert.Equal("a", await sqs.TakeAsync(url));
        sqs.Time.Advance(TimeSpan.FromSeconds(61));
        await SendAsync("c", "2");
        await SendAsync("d", "2");
        await SendAsync("d", "2");
        Assert.Equal(["a", "c", "d"], (await sqs.ReceiveAsync(url)).Select(static m => m.Body).Order());
    }

    [Fact]
    public async Task An_older_handle_changes_visibility_in_a_standard_queue()
    {
        await using var sqs = await SqsServer.StartAsync();
        var url = await sqs.CreateAsync("standard");
        await sqs.AskAsync("SendMessage", new { QueueUrl = url, MessageBody = "x" });
        var first = Assert.Single(await sqs.ReceiveAsync(url, 1, visibility: 0));
        var second = Assert.Single(await sqs.ReceiveAsync(url, 1, visibility: 3));
        Assert.Empty(await sqs.ReceiveAsync(url, 1));
        await sqs.ChangeVisibilityAsync(url, first.Handle, 0);
        var third = Assert.Single(await sqs.ReceiveAsync(url, 1));
        // Deleting takes the newest.
        await sqs.DeleteAsync(url, second.Handle);
        await sqs.ChangeVisibilityAsync(url, third.Handle, 0);
        await sqs.DeleteAsync(url, (Assert.Single(await sqs.ReceiveAsync(url, 1))).Handle);
        Assert.Equal("InvalidParameterValueException", await sqs.FailAsync("ChangeMessageVisibility", new { QueueUrl = url, ReceiptHandle = third.Handle, VisibilityTimeout = 1 }));
    }

    [Fact]
    public async Task The_many_messages_of_one_group_do_not_hold_up_another_in_a_standard_queue()
    {
        await using var sqs = await SqsServer.StartAsync();
        var url = await sqs.CreateAsync("fair");
        for (var n = 0; n < 30; n++)
            await sqs.AskAsync("SendMessageBatch", new { QueueUrl = url, Entries = Enumerable.Range(0, 10).Select(i => new { Id = $"{i}", MessageBody = $"noisy {n}-{i}", MessageGroupId = "noisy" }) });
        Assert.Equal(10, (await sqs.ReceiveAsync(url)).Count);
        await sqs.AskAsync("SendMessage", new { QueueUrl = url, MessageBody = "quiet", MessageGroupId = "quiet" });
        Assert.Equal("quiet", await sqs.TakeAsync(url, 1));
        Assert.StartsWith("noisy", await sqs.TakeAsync(url, 1), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("many")]
    [InlineData("many.fifo")]
    public async Task No_more_than_120000_messages_are_in_flight(string name)
    {
        await using var sqs = await SqsServer.StartAsync();
        var url = await sqs.CreateAsync(name);
        var queue = sqs.Broker.Queues.Find(QueueName.InDefault(name))!;
        for (var n = 0; n < 61; n++)
        {
            var batch = MessageBatch.Rent();
            for (var i = 0; i < 2000; i++) batch.Add(new MessageProperties { Timestamp = sqs.Time.GetUtcNow().ToUnixTimeMilliseconds() }, default, "x"u8);
            await queue.PublishAsync(batch, null, TestContext.Current.CancellationToken);
        }
        async Task HoldAsync(int count)
        {
            while (count > 0)
            {
                var held = (await queue.ReceiveAsync(Math.Min(count, 10_000), TimeSpan.FromMinutes(5), TimeSpan.Zero, TestContext.Current.CancellationToken)).Deliveries!;
                count -= held.Count;
                held.Dispose();
            }
        }
        await HoldAsync(119_999);
        var last = Assert.Single(await sqs.ReceiveAsync(url, 1));
        if (name == "many") Assert.Equal("OverLimit", await sqs.FailAsync("ReceiveMessage", new { QueueUrl = url }));
        else Assert.Empty(await sqs.ReceiveAsync(url));
        await sqs.DeleteAsync(url, last.Handle);
        Assert.Single(await sqs.ReceiveAsync(url, 1));
    }

    [Fact]
    public async Task A_message_is_hidden_for_twelve_hours_at_most_however_often_that_is_extended()
    {
        await using var sqs = await SqsServer.StartAsync();
        var url = await sqs.CreateAsync("long", ("VisibilityTimeout", "43200"));
        await sqs.AskAsync("SendMessage", new { QueueUrl = url, MessageBody = "x" });
        var held = Assert.Single(await sqs.ReceiveAsync(url));
        await sqs.ChangeVisibilityAsync(url, held.Handle, 43_200);
        sqs.Time.Advance(TimeSpan.FromHours(11));
        await sqs.ChangeVisibilityAsync(url, held.Handle, 3600);
        Assert.Equal("InvalidParameterValueException", await sqs.FailAsync("ChangeMessageVisibility", new { QueueUrl = url, ReceiptHandle = held.Handle, VisibilityTimeout = 3601 }));
        await sqs.ChangeVisibilityAsync(url, held.Handle, 0);
        var again = Assert.Single(await sqs.ReceiveAsync(url));
        await sqs.ChangeVisibilityAsync(url, again.Handle, 43_200);
    }

    [Fact]
    public async Task The_query_protocol_answers_in_JSON_to_who_asks_for_it()
    {
        await using var sqs = await SqsServer.StartAsync();
        var url = await sqs.CreateAsync("query");
        await sqs.AskAsync("SendMessage", new { QueueUrl = url, MessageBody = "a\rb" });
        var list = JsonNode.Parse(await sqs.QueryAsync("Action=ListQueues&Version=2012-11-05", "application/json"))!;
        Assert.Equal(url, list["ListQueuesResponse"]!["ListQueuesResult"]!["queueUrls"]![0]!.GetValue<string>());
        Assert.NotEmpty(list["ListQueuesResponse"]!["ResponseMetadata"]!["RequestId"]!.GetValue<string>());
        Assert.StartsWith("<?xml version=\"1.0\"?><ListQueuesResponse", await sqs.QueryAsync("Action=ListQueues&Version=2012-11-05", "*/*"), StringComparison.Ordinal);
        var received = JsonNode.Parse(await sqs.QueryAsync($"Action=ReceiveMessage&Version=2012-11-05&QueueUrl={Uri.EscapeDataString(url)}", "application/json"))!;
        Assert.Equal("a\rb", received["ReceiveMessageResponse"]!["ReceiveMessageResult"]!["messages"]![0]!["Body"]!.GetValue<string>());
        var error = JsonNode.Parse(await sqs.QueryAsync("Action=GetQueueUrl&Version=2012-11-05&QueueName=none", "application/json"))!;
        Assert.Equal(("Sender", "AWS.SimpleQueueService.NonExistentQueue"), (error["Error"]!["Type"]!.GetValue<string>(), error["Error"]!["Code"]!.GetValue<string>()));
    }
}

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Records;

namespace Dragoman.Aws.Tests.Sns;

/// <summary>SNS over its Query protocol: what AWS answers, and who is told what.</summary>
public sealed class SnsTests
{
    [Fact]
    public async Task A_publish_reaches_queues_in_an_envelope_or_raw_as_filters_say()
    {
        await using var sns = await SnsServer.StartAsync();
        var topic = await sns.CreateTopicAsync("orders");
        var red = await sns.SubscribeAsync(topic, "sqs", await sns.CreateQueueAsync("red"), ("FilterPolicy", """{"colour":["red"]}"""));
        await sns.SubscribeAsync(topic, "sqs", await sns.CreateQueueAsync("raw"), ("RawMessageDelivery", "true"));
        await sns.AskAsync("Publish", ("TopicArn", topic), ("Message", "blue \"one\""), ("MessageAttributes.entry.1.Name", "colour"), ("MessageAttributes.entry.1.Value.DataType", "String"), ("MessageAttributes.entry.1.Value.StringValue", "blue"));
        var sent = await sns.AskAsync("Publish", ("TopicArn", topic), ("Message", "red"), ("Subject", "about"), ("MessageAttributes.entry.1.Name", "colour"), ("MessageAttributes.entry.1.Value.DataType", "String"), ("MessageAttributes.entry.1.Value.StringValue", "red"));
        var raw = await sns.ReceiveAsync("raw", 2);
        Assert.Equal(["blue \"one\"", "red"], raw.Select(static m => m.Text("Body")).Order());
        Assert.Equal("colour", raw[0].Descendants().First(static e => e.Name.LocalName == "MessageAttribute").Text("Name"));
        var envelope = JsonNode.Parse(Assert.Single(await sns.ReceiveAsync("red", 1)).Text("Body")!)!;
        Assert.Equal("Notification", envelope["Type"]!.GetValue<string>());
        Assert.Equal(sent.Text("MessageId"), envelope["MessageId"]!.GetValue<string>());
        Assert.Equal(topic, envelope["TopicArn"]!.GetValue<string>());
        Assert.Equal("about", envelope["Subject"]!.GetValue<string>());
        Assert.Equal("red", envelope["Message"]!.GetValue<string>());
        Assert.Equal("""{"colour":{"Type":"String","Value":"red"}}""", envelope["MessageAttributes"]!.ToJsonString());
        Assert.EndsWith($"?Action=Unsubscribe&SubscriptionArn={red}", envelope["UnsubscribeURL"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.True(await IsSignedAsync(envelope, HashAlgorithmName.SHA1));
        await sns.AskAsync("SetTopicAttributes", ("TopicArn", topic), ("AttributeName", "SignatureVersion"), ("AttributeValue", "2"));
        await sns.AskAsync("SetSubscriptionAttributes", ("SubscriptionArn", red), ("AttributeName", "FilterPolicy"), ("AttributeValue", "{}"));
        await sns.AskAsync("Publish", ("TopicArn", topic), ("Message", "second"));
        envelope = JsonNode.Parse(Assert.Single(await sns.ReceiveAsync("red", 1)).Text("Body")!)!;
        Assert.Equal("2", envelope["SignatureVersion"]!.GetValue<string>());
        Assert.True(await IsSignedAsync(envelope, HashAlgorithmName.SHA256));
    }

    /// <summary>Whether a notification is signed by the certificate that its address, asked over TLS, gives.</summary>
    private static async Task<bool> IsSignedAsync(JsonNode envelope, HashAlgorithmName algorithm)
    {
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator };
        using var client = new HttpClient(handler);
        var url = envelope["SigningCertURL"]!.GetValue<string>();
        Assert.StartsWith("https://", url, StringComparison.Ordinal);
        using var certificate = X509Certificate2.CreateFromPem(await client.GetStringAsync(new Uri(url)));
        using var key = certificate.GetRSAPublicKey()!;
        var text = new StringBuilder();
        foreach (var name in new[] { "Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type" })
            if (envelope[name] is { } value) text.Append(name).Append('\n').Append(value.GetValue<string>()).Append('\n');
        return key.VerifyData(Encoding.UTF8.GetBytes(text.ToString()), Convert.FromBase64String(envelope["Signature"]!.GetValue<string>()), algorithm, RSASignaturePadding.Pkcs1);
    }

    [Fact]
    public async Task A_record_of_a_topic_with_a_log_is_told_and_a_publish_is_in_the_log()
    {
        await using var sns = await SnsServer.StartAsync();
        var log = (await sns.Broker.Topics.CreateAsync(TopicName.InDefault("orders"), 1, TopicSettings.Default)).Topic!;
        var topic = await sns.CreateTopicAsync("orders");
        await sns.SubscribeAsync(topic, "sqs", await sns.CreateQueueAsync("told"), ("FilterPolicyScope", "MessageBody"), ("FilterPolicy", """{"n":[{"numeric":[">",1]}]}"""));
        foreach (var text in new[] { """{"n":1}""", """{"n":2}""" })
        {
            using var builder = new RecordBatchBuilder();
            builder.Add(1000, default, (NullableBytes)Encoding.UTF8.GetBytes(text));
            Assert.Equal(PartitionStatus.Ok, (await log.Partitions[0].AppendAsync(builder.Build(new BatchOptions()))).Status);
        }
        await sns.AskAsync("Publish", ("TopicArn", topic), ("Message", """{"n":3}"""));
        var bodies = (await sns.ReceiveAsync("told", 2)).ConvertAll(static m => JsonNode.Parse(m.Text("Body")!)!["Message"]!.GetValue<string>());
        Assert.Equal(["""{"n":2}""", """{"n":3}"""], bodies.Order());
        Assert.True(log.Partitions[0].TryGetOffsets(out var offsets));
        Assert.Equal(3, offsets.HighWatermark);
    }

    [Fact]
    public async Task Fifo_topics_know_copies_and_keep_the_order_of_groups()
    {
        await using var sns = await SnsServer.StartAsync();
        var topic = await sns.CreateTopicAsync("orders.fifo", ("FifoTopic", "true"), ("ContentBasedDeduplication", "true"));
        await sns.SubscribeAsync(topic, "sqs", await sns.CreateQueueAsync("told.fifo"));
        await sns.SubscribeAsync(topic, "sqs", await sns.CreateQueueAsync("plain"), ("RawMessageDelivery", "true"));
        var first = await sns.AskAsync("Publish", ("TopicArn", topic), ("Message", "1"), ("MessageGroupId", "g"));
        await sns.AskAsync("Publish", ("TopicArn", topic), ("Message", "2"), ("MessageGroupId", "g"));
        await sns.RestartAsync();
        var again = await sns.AskAsync("Publish", ("TopicArn", topic), ("Message", "1"), ("MessageGroupId", "g"));
        Assert.Equal(first.Text("MessageId"), again.Text("MessageId"));
        Assert.Equal(first.Text("SequenceNumber"), again.Text("SequenceNumber"));
        var told = await sns.ReceiveAsync("told.fifo", 2);
        Assert.Equal(["1", "2"], told.Select(static m => JsonNode.Parse(m.Text("Body")!)!["Message"]!.GetValue<string>()));
        Assert.Equal(first.Text("SequenceNumber"), JsonNode.Parse(told[0].Text("Body")!)!["SequenceNumber"]!.GetValue<string>());
        Assert.Equal(["1", "2"], (await sns.ReceiveAsync("plain", 2)).Select(static m => m.Text("Body")).Order());
        Assert.Equal(0, await sns.CountAsync("plain"));
        Assert.Equal("Invalid parameter: The MessageGroupId parameter is required for FIFO topics", (await sns.FailAsync("Publish", ("TopicArn", topic), ("Message", "x"))).Message);
    }

    [Fact]
    public async Task A_message_may_have_a_text_for_each_protocol()
    {
        await using var sns = await SnsServer.StartAsync();
        var topic = await sns.CreateTopicAsync("orders");
        await sns.SubscribeAsync(topic, "sqs", await sns.CreateQueueAsync("told"), ("RawMessageDelivery", "true"));
        var batch = await sns.AskAsync(
            "PublishBatch", ("TopicArn", topic),
            ("PublishBatchRequestEntries.member.1.Id", "a"), ("PublishBatchRequestEntries.member.1.Message", """{"default":"all","sqs":"queue"}"""), ("PublishBatchRequestEntries.member.1.MessageStructure", "json"),
            ("PublishBatchRequestEntries.member.2.Id", "b"), ("PublishBatchRequestEntries.member.2.Message", """{"default":"all"}"""), ("PublishBatchRequestEntries.member.2.MessageStructure", "json"));
        Assert.Equal(["a", "b"], batch.Texts("Id"));
        Assert.Equal(["all", "queue"], (await sns.ReceiveAsync("told", 2)).Select(static m => m.Text("Body")).Order());
    }

    [Fact]
    public async Task An_endpoint_is_asked_first_told_then_retried_and_buried_with_what_is_wrong()
    {
        await using var sns = await SnsServer.StartAsync();
        using var endpoint = new HttpEndpoint();
        var topic = await sns.CreateTopicAsync("orders");
        await sns.CreateQueueAsync("dead");
        var arn = await sns.SubscribeAsync(
            topic, "http", endpoint.Url,
            ("DeliveryPolicy", """{"healthyRetryPolicy":{"minDelayTarget":1,"maxDelayTarget":1,"numRetries":1}}"""),
            ("RedrivePolicy", """{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead"}"""));
        await sns.AskAsync("Publish", ("TopicArn", topic), ("Message", "before"));
        var asked = (await endpoint.ToldAsync(1))[0];
        Assert.Equal("SubscriptionConfirmation", asked.Type);
        var question = JsonNode.Parse(asked.Body)!;
        Assert.True(await IsSignedAsync(question, HashAlgorithmName.SHA1));
        Assert.Equal("1", (await sns.AskAsync("GetTopicAttributes", ("TopicArn", topic))).Mapped("SubscriptionsPending"));
        Assert.Equal(["PendingConfirmation"], (await sns.AskAsync("ListSubscriptions")).Texts("SubscriptionArn"));
        Assert.Equal(("InvalidParameter", "Invalid token", 400), await sns.FailAsync("ConfirmSubscription", ("TopicArn", topic), ("Token", "randomtoken")));
        Assert.Equal(("InvalidParameter", "Invalid parameter: Token", 400), await sns.FailAsync("ConfirmSubscription", ("TopicArn", topic), ("Token", "abcdef")));
        var token = question["Token"]!.GetValue<string>();
        Assert.Equal(("InvalidParameter", "Invalid parameter: Topic", 400), await sns.FailAsync("ConfirmSubscription", ("TopicArn", "not-an-arn"), ("Token", token)));
        Assert.Equal(("InvalidParameter", "Invalid parameter: Topic", 400), await sns.FailAsync("ConfirmSubscription", ("TopicArn", topic.Replace("us-east-1", "eu-central-1", StringComparison.Ordinal)), ("Token", token)));
        // As whoever follows the link does.
        using (var client = new HttpClient()) Assert.Contains(arn, await client.GetStringAsync(new Uri(question["SubscribeURL"]!.GetValue<string>())), StringComparison.Ordinal);
        await sns.AskAsync("Publish", ("TopicArn", topic), ("Message", "after"));
        var told = (await endpoint.ToldAsync(2))[1];
        Assert.Equal("Keep-Alive", told.Headers["connection"]);
        Assert.Equal(("Notification", arn, topic), (told.Type, told.Headers["x-amz-sns-subscription-arn"], told.Headers["x-amz-sns-topic-arn"]));
        Assert.Equal("text/plain; charset=UTF-8", told.Headers["content-type"]);
        var notification = JsonNode.Parse(told.Body)!;
        Assert.Equal("after", notification["Message"]!.GetValue<string>());
        Assert.Equal(told.Headers["x-amz-sns-message-id"], notification["MessageId"]!.GetValue<string>());
        Assert.True(await IsSignedAsync(notification, HashAlgorithmName.SHA1));
        // Twice, and then it is given up.
        endpoint.Status = 500;
        await sns.AskAsync("Publish", ("TopicArn", topic), ("Message", "lost"));
        var dead = Assert.Single(await sns.ReceiveAsync("dead", 1));
        Assert.Equal(4, endpoint.Count);
        Assert.Equal("lost", JsonNode.Parse(dead.Text("Body")!)!["Message"]!.GetValue<string>());
        Assert.Contains("ErrorCode", dead.Texts("Name"));
        endpoint.Status = 200;
        // What waits outlasts a restart; so do key and certificate.
        await sns.AskAsync("SetSubscriptionAttributes", ("SubscriptionArn", arn), ("AttributeName", "RawMessageDelivery"), ("AttributeValue", "true"));
        await sns.RestartAsync();
        await sns.AskAsync("Publish", ("TopicArn", topic), ("Message", "raw"));
        told = (await endpoint.ToldAsync(5))[4];
        Assert.Equal(("raw", "true"), (told.Body, told.Headers["x-amz-sns-rawdelivery"]));
        await sns.AskAsync("Unsubscribe", ("SubscriptionArn", arn));
        told = (await endpoint.ToldAsync(6))[5];
        Assert.Equal("UnsubscribeConfirmation", told.Type);
        Assert.Empty((await sns.AskAsync("ListSubscriptions")).Texts("SubscriptionArn"));
        Assert.Equal(404, (await sns.FailAsync("GetSubscriptionAttributes", ("SubscriptionArn", arn))).Status);
        await sns.AskAsync("ConfirmSubscription", ("TopicArn", topic), ("Token", JsonNode.Parse(told.Body)!["Token"]!.GetValue<string>()));
        await sns.AskAsync("Publish", ("TopicArn", topic), ("Message", "back"));
        Assert.Equal("back", (await endpoint.ToldAsync(7))[6].Body);
    }

    [Fact]
    public async Task Subscriptions_of_Dragomans_own_lead_to_any_queue_and_topic_and_do_not_go_round()
    {
        await using var sns = await SnsServer.StartAsync();
        var (one, two) = (await sns.CreateTopicAsync("one"), await sns.CreateTopicAsync("two"));
        await sns.CreateQueueAsync("told");
        await sns.CreateQueueAsync("by-two");
        await sns.SubscribeAsync(one, "dragoman", "queue/told", ("RawMessageDelivery", "true"));
        await sns.SubscribeAsync(one, "dragoman", "topic/two", ("RawMessageDelivery", "true"));
        await sns.SubscribeAsync(two, "dragoman", "topic/one", ("RawMessageDelivery", "true"));
        await sns.SubscribeAsync(two, "sqs", "arn:aws:sqs:us-east-1:000000000000:by-two", ("RawMessageDelivery", "true"));
        await sns.AskAsync("Publish", ("TopicArn", one), ("Message", "a"));
        Assert.Equal("a", Assert.Single(await sns.ReceiveAsync("by-two", 1)).Text("Body"));
        Assert.Equal("a", Assert.Single(await sns.ReceiveAsync("told", 1)).Text("Body"));
        await sns.AskAsync("Publish", ("TopicArn", two), ("Message", "b"));
        Assert.Equal("b", Assert.Single(await sns.ReceiveAsync("told", 1)).Text("Body"));
        Assert.Equal("b", Assert.Single(await sns.ReceiveAsync("by-two", 1)).Text("Body"));
        Assert.StartsWith("Invalid parameter: Endpoint", (await sns.FailAsync("Subscribe", ("TopicArn", one), ("Protocol", "dragoman"), ("Endpoint", "nowhere"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lists_come_in_pages_of_a_hundred()
    {
        await using var sns = await SnsServer.StartAsync();
        for (var i = 0; i < 101; i++) await sns.CreateTopicAsync($"t{i:000}");
        var page = await sns.AskAsync("ListTopics");
        Assert.Equal(100, page.Texts("TopicArn").Count);
        var last = await sns.AskAsync("ListTopics", ("NextToken", page.Text("NextToken")!));
        Assert.EndsWith(":t100", Assert.Single(last.Texts("TopicArn")), StringComparison.Ordinal);
        Assert.Null(last.Text("NextToken"));
        Assert.Equal("Invalid parameter: NextToken", (await sns.FailAsync("ListTopics", ("NextToken", "nonsense"))).Message);
    }

    // Recorded answers of AWS.
    [Fact]
    public async Task What_is_refused_is_refused_in_the_words_of_AWS()
    {
        await using var sns = await SnsServer.StartAsync();
        var topic = await sns.CreateTopicAsync("orders", ("DisplayName", "D"));
        await sns.CreateQueueAsync("q");
        var queue = "arn:aws:sqs:us-east-1:000000000000:q";
        Assert.Equal(("NotFound", "Topic does not exist", 404), await sns.FailAsync("GetTopicAttributes", ("TopicArn", topic + "x")));
        Assert.Equal(("InvalidParameter", "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1", 400), await sns.FailAsync("GetTopicAttributes", ("TopicArn", "x")));
        Assert.Equal(("InvalidParameter", "Invalid parameter: Topic Name", 400), await sns.FailAsync("CreateTopic", ("Name", "a.fifo")));
        Assert.Equal("Invalid parameter: Attributes Reason: Topic already exists with different attributes", (await sns.FailAsync("CreateTopic", ("Name", "orders"), ("Attributes.entry.1.key", "DisplayName"), ("Attributes.entry.1.value", "E"))).Message);
        Assert.Equal("Invalid parameter: Tags Reason: Topic already exists with different tags", (await sns.FailAsync("CreateTopic", ("Name", "orders"), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v"))).Message);
        Assert.Equal(topic, await sns.CreateTopicAsync("orders"));
        Assert.Equal("Invalid parameter: AttributeName", (await sns.FailAsync("SetTopicAttributes", ("TopicArn", topic), ("AttributeName", "FifoTopic"), ("AttributeValue", "false"))).Message);
        Assert.Equal("Invalid parameter: Empty message", (await sns.FailAsync("Publish", ("TopicArn", topic), ("Message", ""))).Message);
        Assert.Equal("Invalid parameter: Message too long", (await sns.FailAsync("Publish", ("TopicArn", topic), ("Message", new string('x', 262_145)))).Message);
        Assert.Equal("Invalid parameter: Message Structure - No default entry in JSON message body", (await sns.FailAsync("Publish", ("TopicArn", topic), ("Message", "{}"), ("MessageStructure", "json"))).Message);
        Assert.Equal(("ParameterValueInvalid", "The message attribute 'a' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", 400),
            await sns.FailAsync("Publish", ("TopicArn", topic), ("Message", "m"), ("MessageAttributes.entry.1.Name", "a"), ("MessageAttributes.entry.1.Value.DataType", "Odd"), ("MessageAttributes.entry.1.Value.StringValue", "x")));
        Assert.Equal(("ValidationError", "1 validation error detected: Value null at 'messageAttributes.a.member.dataType' failed to satisfy constraint: Member must not be null", 400),
            await sns.FailAsync("Publish", ("TopicArn", topic), ("Message", "m"), ("MessageAttributes.entry.1.Name", "a"), ("MessageAttributes.entry.1.Value.StringValue", "x")));
        Assert.Equal("Invalid parameter: Amazon SNS does not support this protocol string: pigeon", (await sns.FailAsync("Subscribe", ("TopicArn", topic), ("Protocol", "pigeon"), ("Endpoint", "x"))).Message);
        Assert.Equal("Invalid parameter: SQS endpoint ARN", (await sns.FailAsync("Subscribe", ("TopicArn", topic), ("Protocol", "sqs"), ("Endpoint", "http://q"))).Message);
        Assert.Equal("Invalid SMS endpoint: +15--551234567", (await sns.FailAsync("Subscribe", ("TopicArn", topic), ("Protocol", "sms"), ("Endpoint", "+15--551234567"))).Message);
        var arn = await sns.SubscribeAsync(topic, "sqs", queue, ("RawMessageDelivery", "true"));
        Assert.Equal(arn, await sns.SubscribeAsync(topic, "sqs", queue));
        Assert.Equal("Invalid parameter: Attributes Reason: Subscription already exists with different attributes",
            (await sns.FailAsync("Subscribe", ("TopicArn", topic), ("Protocol", "sqs"), ("Endpoint", queue), ("Attributes.entry.1.key", "RawMessageDelivery"), ("Attributes.entry.1.value", "false"))).Message);
        foreach (var (name, value, message) in new[]
        {
            ("Fake", "x", "Invalid parameter: AttributeName"),
            ("RawMessageDelivery", "test-ValUe", "Invalid parameter: RawMessageDelivery: Invalid value [test-ValUe]. Must be true or false."),
            ("RedrivePolicy", """{"deadLetterTargetArn":"fake"}""", "Invalid parameter: RedrivePolicy: deadLetterTargetArn is an invalid arn"),
            ("FilterPolicyScope", "RandomValue", "Invalid parameter: FilterPolicyScope: Invalid value [RandomValue]. Please use either MessageBody or MessageAttributes"),
            ("FilterPolicy", """{"a":{"b":["c"]}}""", "Invalid parameter: Filter policy scope MessageAttributes does not support nested filter policy"),
        })
            Assert.Equal(message, (await sns.FailAsync("SetSubscriptionAttributes", ("SubscriptionArn", arn), ("AttributeName", name), ("AttributeValue", value))).Message);
        Assert.Equal("Invalid parameter: SubscriptionArn Reason: An ARN must have at least 6 elements, not 1", (await sns.FailAsync("Unsubscribe", ("SubscriptionArn", "x"))).Message);
        await sns.AskAsync("Unsubscribe", ("SubscriptionArn", arn));
        await sns.AskAsync("Unsubscribe", ("SubscriptionArn", arn));
        Assert.Equal(("NotFound", "Subscription does not exist", 404), await sns.FailAsync("GetSubscriptionAttributes", ("SubscriptionArn", arn)));
        Assert.Equal("1", (await sns.AskAsync("GetTopicAttributes", ("TopicArn", topic))).Mapped("SubscriptionsDeleted"));
        await sns.AskAsync("DeleteTopic", ("TopicArn", topic));
        await sns.AskAsync("DeleteTopic", ("TopicArn", topic));
    }

    [Fact]
    public async Task What_goes_nowhere_is_recorded()
    {
        await using var sns = await SnsServer.StartAsync();
        var topic = await sns.CreateTopicAsync("orders");
        await sns.SubscribeAsync(topic, "sms", "+15551234567");
        await sns.SubscribeAsync(topic, "email", "a@b");
        await sns.SubscribeAsync(topic, "lambda", "arn:aws:lambda:us-east-1:000000000000:function:f");
        Assert.NotNull((await sns.AskAsync("Publish", ("TopicArn", topic), ("Message", "m"))).Text("MessageId"));
        Assert.NotNull((await sns.AskAsync("Publish", ("PhoneNumber", "+15551234567"), ("Message", "m"))).Text("MessageId"));
        Assert.Equal("Invalid parameter: PhoneNumber Reason: +1a234 is not valid to publish to", (await sns.FailAsync("Publish", ("PhoneNumber", "+1a234"), ("Message", "m"))).Message);
        var application = (await sns.AskAsync("CreatePlatformApplication", ("Name", "app"), ("Platform", "GCM"), ("Attributes.entry.1.key", "PlatformCredential"), ("Attributes.entry.1.value", "secret"))).Text("PlatformApplicationArn")!;
        var device = (await sns.AskAsync("CreatePlatformEndpoint", ("PlatformApplicationArn", application), ("Token", "t"))).Text("EndpointArn")!;
        await sns.RestartAsync();
        Assert.Equal([device], (await sns.AskAsync("ListEndpointsByPlatformApplication", ("PlatformApplicationArn", application))).Texts("EndpointArn"));
        Assert.Null((await sns.AskAsync("GetPlatformApplicationAttributes", ("PlatformApplicationArn", application))).Mapped("PlatformCredential"));
        Assert.NotNull((await sns.AskAsync("Publish", ("TargetArn", device), ("Message", "m"))).Text("MessageId"));
        Assert.Equal(3, (await sns.AskAsync("ListSubscriptionsByTopic", ("TopicArn", topic))).Texts("Protocol").Count);
        await sns.AskAsync("AddPermission", ("TopicArn", topic), ("Label", "l"), ("AWSAccountId.member.1", "111111111111"), ("ActionName.member.1", "Publish"));
        Assert.Equal("Invalid parameter: Statement already exists", (await sns.FailAsync("AddPermission", ("TopicArn", topic), ("Label", "l"), ("AWSAccountId.member.1", "1"), ("ActionName.member.1", "Publish"))).Message);
        Assert.Contains("arn:aws:iam::111111111111:root", (await sns.AskAsync("GetTopicAttributes", ("TopicArn", topic))).Mapped("Policy"), StringComparison.Ordinal);
        await sns.AskAsync("RemovePermission", ("TopicArn", topic), ("Label", "l"));
        await sns.AskAsync("TagResource", ("ResourceArn", topic), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v"));
        Assert.Equal(["k"], (await sns.AskAsync("ListTagsForResource", ("ResourceArn", topic))).Texts("Key"));
        await sns.AskAsync("UntagResource", ("ResourceArn", topic), ("TagKeys.member.1", "k"));
        Assert.Empty((await sns.AskAsync("ListTagsForResource", ("ResourceArn", topic))).Texts("Key"));
    }
}

using System.Text;

namespace Dragoman.Fuzz.Targets.Aws;

/// <summary>What well-meaning clients of SQS send.</summary>
internal static class AwsClient
{
    private const string Url = "http://localhost/000000000000/";

    private static readonly (string Operation, string Json, string Form)[] s_requests =
    [
        ("CreateQueue", """{"QueueName":"q","Attributes":{"VisibilityTimeout":"3","DelaySeconds":"0"},"tags":{"a":"b"}}""", "QueueName=q&Attribute.1.Name=VisibilityTimeout&Attribute.1.Value=3&Tag.1.Key=a&Tag.1.Value=b"),
        ("CreateQueue", """{"QueueName":"f.fifo","Attributes":{"FifoQueue":"true","ContentBasedDeduplication":"true"}}""", "QueueName=f.fifo&Attribute.1.Name=FifoQueue&Attribute.1.Value=true"),
        ("SetQueueAttributes", $$$"""{"QueueUrl":"{{{Url}}}q","Attributes":{"RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:000000000000:d\",\"maxReceiveCount\":\"2\"}"}}""", "Attribute.Name=Policy&Attribute.Value=%7B%22Version%22%3A%222012-10-17%22%7D"),
        ("GetQueueAttributes", $$"""{"QueueUrl":"{{Url}}q","AttributeNames":["All"]}""", "AttributeName.1=All"),
        ("GetQueueUrl", """{"QueueName":"q"}""", "QueueName=q"),
        ("ListQueues", """{"QueueNamePrefix":"q","MaxResults":1}""", "QueueNamePrefix=q&MaxResults=1"),
        ("ListDeadLetterSourceQueues", $$"""{"QueueUrl":"{{Url}}d"}""", "MaxResults=3"),
        ("SendMessage", $$$$"""{"QueueUrl":"{{{{Url}}}}q","MessageBody":"héllo \u20ac","DelaySeconds":0,"MessageAttributes":{"n":{"DataType":"Number.int","StringValue":"5"},"b":{"DataType":"Binary","BinaryValue":"AAEC"}}}""", "MessageBody=h%C3%A9llo&MessageAttribute.1.Name=n&MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=v"),
        ("SendMessage", $$"""{"QueueUrl":"{{Url}}f.fifo","MessageBody":"x","MessageGroupId":"g","MessageDeduplicationId":"d"}""", "MessageBody=x&MessageGroupId=g&MessageDeduplicationId=d"),
        ("SendMessageBatch", $$"""{"QueueUrl":"{{Url}}q","Entries":[{"Id":"a","MessageBody":"1"},{"Id":"b","MessageBody":"2"}]}""", "SendMessageBatchRequestEntry.1.Id=a&SendMessageBatchRequestEntry.1.MessageBody=1&SendMessageBatchRequestEntry.2.Id=b&SendMessageBatchRequestEntry.2.MessageBody=2"),
        ("ReceiveMessage", $$"""{"QueueUrl":"{{Url}}q","MaxNumberOfMessages":10,"VisibilityTimeout":0,"MessageSystemAttributeNames":["All"],"MessageAttributeNames":["All","n*"]}""", "MaxNumberOfMessages=10&VisibilityTimeout=0&AttributeName.1=All&MessageAttributeName.1=.*"),
        ("ReceiveMessage", $$"""{"QueueUrl":"{{Url}}f.fifo","ReceiveRequestAttemptId":"r","MaxNumberOfMessages":2}""", "ReceiveRequestAttemptId=r"),
        ("DeleteMessage", $$"""{"QueueUrl":"{{Url}}q","ReceiptHandle":"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}""", "ReceiptHandle=AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D"),
        ("DeleteMessageBatch", $$"""{"QueueUrl":"{{Url}}q","Entries":[{"Id":"a","ReceiptHandle":"x"}]}""", "DeleteMessageBatchRequestEntry.1.Id=a&DeleteMessageBatchRequestEntry.1.ReceiptHandle=x"),
        ("ChangeMessageVisibility", $$"""{"QueueUrl":"{{Url}}q","ReceiptHandle":"x","VisibilityTimeout":3}""", "ReceiptHandle=x&VisibilityTimeout=3"),
        ("ChangeMessageVisibilityBatch", $$"""{"QueueUrl":"{{Url}}q","Entries":[{"Id":"a","ReceiptHandle":"x","VisibilityTimeout":0}]}""", "ChangeMessageVisibilityBatchRequestEntry.1.Id=a&ChangeMessageVisibilityBatchRequestEntry.1.ReceiptHandle=x"),
        ("PurgeQueue", $$"""{"QueueUrl":"{{Url}}q"}""", ""),
        ("DeleteQueue", $$"""{"QueueUrl":"{{Url}}d"}""", ""),
        ("TagQueue", $$$"""{"QueueUrl":"{{{Url}}}q","Tags":{"a":"1"}}""", "Tag.1.Key=a&Tag.1.Value=1"),
        ("UntagQueue", $$"""{"QueueUrl":"{{Url}}q","TagKeys":["a"]}""", "TagKey.1=a"),
        ("ListQueueTags", $$"""{"QueueUrl":"{{Url}}q"}""", ""),
        ("AddPermission", $$"""{"QueueUrl":"{{Url}}q","Label":"l","AWSAccountIds":["1"],"Actions":["SendMessage"]}""", "Label=l&AWSAccountId.1=1&ActionName.1=SendMessage"),
        ("RemovePermission", $$"""{"QueueUrl":"{{Url}}q","Label":"l"}""", "Label=l"),
        ("StartMessageMoveTask", """{"SourceArn":"arn:aws:sqs:us-east-1:000000000000:d","MaxNumberOfMessagesPerSecond":5}""", "SourceArn=arn%3Aaws%3Asqs%3Aus-east-1%3A000000000000%3Ad"),
        ("ListMessageMoveTasks", """{"SourceArn":"arn:aws:sqs:us-east-1:000000000000:d","MaxResults":10}""", "SourceArn=arn%3Aaws%3Asqs%3Aus-east-1%3A000000000000%3Ad"),
        ("CancelMessageMoveTask", """{"TaskHandle":"eyJ9"}""", "TaskHandle=x"),
        ("GetCallerIdentity", "{}", "Version=2011-06-15"),
    ];

    /// <summary>Makes the queues that requests are about.</summary>
    public static byte[] Queues { get; } = Encoding.ASCII.GetBytes(
        Json("CreateQueue", """{"QueueName":"q"}""", "") + Json("CreateQueue", """{"QueueName":"d"}""", "") + Json("CreateQueue", """{"QueueName":"f.fifo","Attributes":{"FifoQueue":"true"}}""", "Connection: close\r\n"));

    /// <summary>Adds a request.</summary>
    public static void Append(StringBuilder requests, Random random, bool isLast)
    {
        var (operation, json, form) = s_requests[random.Next(s_requests.Length)];
        var headers = isLast ? "Connection: close\r\n" : "";
        if (random.Next(4) == 0) headers += "Authorization: AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host;x-amz-date, Signature=00\r\n";
        switch (random.Next(4))
        {
            case 0:
                var body = $"Action={operation}&{form}";
                requests.Append($"POST {(random.Next(2) == 0 ? "/" : "/000000000000/q")} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {body.Length}\r\n\r\n{body}");
                break;
            case 1:
                requests.Append($"GET /000000000000/q?Action={operation}&Version=2012-11-05&{form} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
                break;
            default:
                requests.Append(Json(operation, json, headers));
                break;
        }
    }

    private static string Json(string operation, string body, string headers) =>
        $"POST / HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: AmazonSQS.{operation}\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}";
}

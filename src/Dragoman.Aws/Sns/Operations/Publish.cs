using System.Text.RegularExpressions;
using Dragoman.Aws.Http;
using Dragoman.Aws.Sns.Messages;
using Dragoman.Broker.Notifications;
using Microsoft.Extensions.Logging;

namespace Dragoman.Aws.Sns.Operations;

/// <summary>Publishes a message to a topic: the answer comes when all of its queues have it, or its log. Messages to telephones and devices are taken, and go nowhere.</summary>
internal sealed partial class Publish(SnsNode node) : IOperation
{
    public async ValueTask HandleAsync(AwsCall call)
    {
        if (call.Input.Text("PhoneNumber") is { } number)
        {
            if (!Telephone().IsMatch(number)) throw SnsErrors.Invalid($"PhoneNumber Reason: {number} is not valid to publish to");
            Record(call, "sms", number);
            return;
        }
        var (arn, parameter) = call.Input.Text("TopicArn") is { } byTopic ? (byTopic, "TopicArn") : (call.Input.Text("TargetArn") ?? "", "TargetArn");
        if (parameter == "TargetArn" && arn.Length == 0) throw SnsErrors.Invalid("TopicArn or TargetArn Reason: no value for required parameter");
        if (arn.Split(':') is { Length: >= 6 } parts && parts[5].StartsWith("endpoint/", StringComparison.Ordinal))
        {
            if (PlatformStore.FindEndpoint(node.Notifications, arn) is not { } device) throw SnsErrors.Invalid("TargetArn Reason: No endpoint found for the target arn specified");
            if (string.Equals(device.Attributes.GetValueOrDefault("Enabled"), "false", StringComparison.OrdinalIgnoreCase)) throw new AwsException("EndpointDisabled", "Endpoint is disabled");
            Record(call, "application", arn);
            return;
        }
        var name = Arns.TopicOf(arn, parameter);
        var topic = node.Topic(call, name, Broker.Security.Operations.Write, arn);
        var request = PublishRequest.Read(call.Input, topic, call.Identity.User, TraceOf(call));
        await node.Signer.EnsureAsync();
        var answer = await node.Notifications.PublishAsync(topic.Name, [request.Notification], call.Gone);
        if (answer.Status != NotificationStatus.Ok) throw SnsErrors.Of(answer.Status, "Topic", answer.Message);
        Write(call.Output, answer.Receipts[0]);
    }

    /// <summary>The trace that a request belongs to, as AWS X-Ray has it; queues show it as a message's <c>AWSTraceHeader</c>.</summary>
    public static string? TraceOf(AwsCall call) => call.Context.Request.Headers["X-Amzn-Trace-Id"].ToString() is { Length: > 0 } trace ? trace : null;

    /// <summary>Writes what is to be said of a message.</summary>
    public static void Write(Output output, in NotificationReceipt receipt)
    {
        output.Text("MessageId", receipt.Id.ToString());
        if (receipt.Sequence >= 0) output.Text("SequenceNumber", Envelope.Sequence(receipt.Sequence));
    }

    private void Record(AwsCall call, string protocol, string endpoint)
    {
        var request = PublishRequest.Read(call.Input, null, call.Identity.User, null);
        node.Log.LogInformation("Message {Message} to {Protocol} {Endpoint} is accepted, and not delivered: there is no such service here", request.Notification.Id, protocol, endpoint);
        call.Output.Text("MessageId", request.Notification.Id.ToString());
    }

    [GeneratedRegex(@"^\+?[0-9]{5,20}$", RegexOptions.CultureInvariant)]
    private static partial Regex Telephone();
}

/// <summary>Publishes up to ten messages; what is wrong with one is said of that one.</summary>
internal sealed class PublishBatch(SnsNode node) : IOperation
{
    private const int MaxEntries = 10;
    private const int MaxIdLength = 80;

    public async ValueTask HandleAsync(AwsCall call)
    {
        var topic = node.Topic(call, "TopicArn", Broker.Security.Operations.Write);
        var entries = call.Input.Structures("PublishBatchRequestEntries", "PublishBatchRequestEntries.member");
        if (entries.Count == 0) throw SnsErrors.EmptyBatch();
        if (entries.Count > MaxEntries) throw SnsErrors.TooManyEntries();
        var ids = new List<string>();
        foreach (var entry in entries)
        {
            var id = entry.Text("Id") ?? throw SnsErrors.Null($"publishBatchRequestEntries.{ids.Count + 1}.member.id");
            if (id.Length > MaxIdLength) throw SnsErrors.InvalidEntryId("is too long", id);
            if (id.Length == 0 || !id.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')) throw SnsErrors.InvalidEntryId("contains an impermissible character", id);
            if (ids.Contains(id)) throw SnsErrors.NotDistinct();
            ids.Add(id);
        }
        var requests = new List<PublishRequest>();
        for (var i = 0; i < entries.Count; i++)
        {
            try
            {
                requests.Add(PublishRequest.Read(entries[i], topic, call.Identity.User, Publish.TraceOf(call), $"publishBatchRequestEntries.{i + 1}.member."));
            }
            catch (AwsException error) when (error.Message == "Invalid parameter: Message too long")
            {
                throw SnsErrors.BatchTooLong();
            }
        }
        if (requests.Sum(static r => (long)r.Size) > PublishRequest.MaxBytes) throw SnsErrors.BatchTooLong();
        await node.Signer.EnsureAsync();
        var answer = await node.Notifications.PublishAsync(topic.Name, [.. requests.Select(static r => r.Notification)], call.Gone);
        if (answer.Status != NotificationStatus.Ok) throw SnsErrors.Of(answer.Status, "Topic", answer.Message);
        call.Output.BeginList("Successful", "member");
        for (var i = 0; i < ids.Count; i++)
        {
            call.Output.BeginItem();
            call.Output.Text("Id", ids[i]);
            Publish.Write(call.Output, answer.Receipts[i]);
            call.Output.EndItem();
        }
        call.Output.EndList();
        call.Output.BeginList("Failed", "member");
        call.Output.EndList();
    }
}

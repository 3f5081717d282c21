using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;
using Dragoman.Aws.Http;
using Dragoman.Broker.Notifications;

namespace Dragoman.Aws.Sns;

/// <summary>The attributes of topics: which there are, what they may be, and what is shown of a topic.</summary>
internal static class TopicAttributes
{
    public const string FifoTopic = "FifoTopic";
    public const string ContentBasedDeduplication = "ContentBasedDeduplication";
    public const string FifoThroughputScope = "FifoThroughputScope";
    public const string Policy = "Policy";
    public const string DeliveryPolicy = "DeliveryPolicy";
    public const string SignatureVersion = "SignatureVersion";

    /// <summary>What the data-protection policy is kept under.</summary>
    public const string DataProtection = "~data-protection";

    private const int MaxValueBytes = 256 << 10;

    /// <summary>Checks an attribute and changes a topic by it.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="name">The attribute.</param>
    /// <param name="value">Its value; empty takes it back.</param>
    /// <param name="reason">What errors begin with, where several are given at once.</param>
    /// <exception cref="AwsException">There is no such attribute, or it cannot have the value.</exception>
    public static NotificationTopic Apply(NotificationTopic topic, string name, string value, string reason = "")
    {
        if (value.Length > MaxValueBytes) throw SnsErrors.Invalid($"{reason}{name}");
        switch (name)
        {
            case "DisplayName":
                if (value.Length > 100 || value.Any(char.IsControl)) throw SnsErrors.Invalid($"{reason}DisplayName");
                break;
            case Policy or DeliveryPolicy or "ArchivePolicy":
                if (value.Length > 0) CheckJson($"{reason}{name}", value);
                if (value.Length > 0 && name == DeliveryPolicy && Delivery.DeliveryPolicy.Check(value) is { } problem) throw SnsErrors.Invalid($"{reason}{name}: {problem}");
                break;
            case SignatureVersion:
                if (value is not ("1" or "2")) throw SnsErrors.Invalid($"{reason}SignatureVersion");
                break;
            case "TracingConfig":
                if (value is not ("PassThrough" or "Active")) throw SnsErrors.Invalid($"{reason}TracingConfig: Invalid value [{value}]. Must be either Active or PassThrough.");
                break;
            case ContentBasedDeduplication when topic.IsOrdered:
                if (value is not ("true" or "false")) throw SnsErrors.Invalid($"{reason}ContentBasedDeduplication: Invalid value [{value}]. Must be true or false.");
                break;
            case FifoThroughputScope when topic.IsOrdered:
                if (value is not ("Topic" or "MessageGroup")) throw SnsErrors.Invalid($"{reason}FifoThroughputScope: Invalid value [{value}]. Must be Topic or MessageGroup.");
                break;
            case "KmsMasterKeyId":
                break;
            case var other when IsFeedback(other):
                break;
            default:
                throw SnsErrors.Invalid(reason.Length > 0 ? $"{reason}Unknown: {name}" : "AttributeName");
        }
        return topic with { Attributes = value.Length == 0 && name != "DisplayName" ? topic.Attributes.Remove(name) : topic.Attributes.SetItem(name, value) };
    }

    /// <summary>Writes what is shown of a topic.</summary>
    public static void Write(Output output, NotificationTopic topic, SnsNode node)
    {
        var arn = Arns.Of(topic, node.Account);
        var subscriptions = node.Subscriptions(topic.Name);
        var confirmed = subscriptions.Count(static s => s.IsConfirmed);
        var shown = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in topic.Attributes)
            if (name[0] != '~') shown[name] = value;
        shown["TopicArn"] = arn;
        shown["Owner"] = node.Account;
        shown.TryAdd("DisplayName", "");
        shown.TryAdd(Policy, DefaultPolicy(arn, node.Account).ToJsonString());
        shown["EffectiveDeliveryPolicy"] = Delivery.DeliveryPolicy.EffectiveOfTopic(topic.Attributes.GetValueOrDefault(DeliveryPolicy));
        shown["SubscriptionsConfirmed"] = Text(confirmed);
        shown["SubscriptionsPending"] = Text(subscriptions.Count - confirmed);
        shown["SubscriptionsDeleted"] = Text(topic.SubscriptionsGone);
        if (topic.IsOrdered)
        {
            shown[FifoTopic] = "true";
            shown.TryAdd(ContentBasedDeduplication, "false");
        }
        output.BeginMap("Attributes", "entry", "key", "value");
        foreach (var (name, value) in shown) output.Entry(name, value);
        output.EndMap();
    }

    /// <summary>The policy of a topic that has none of its own.</summary>
    public static JsonObject DefaultPolicy(string arn, string account) => new()
    {
        ["Version"] = "2008-10-17",
        ["Id"] = "__default_policy_ID",
        ["Statement"] = new JsonArray(new JsonObject
        {
            ["Sid"] = "__default_statement_ID",
            ["Effect"] = "Allow",
            ["Principal"] = new JsonObject { ["AWS"] = "*" },
            ["Action"] = new JsonArray(
                "SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission", "SNS:DeleteTopic", "SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish"),
            ["Resource"] = arn,
            ["Condition"] = new JsonObject { ["StringEquals"] = new JsonObject { ["AWS:SourceOwner"] = account } },
        }),
    };

    /// <summary>An object reads its members late: doubled names would show only when somebody is told.</summary>
    public static System.Text.Json.JsonDocumentOptions Strict { get; } = new() { AllowDuplicateProperties = false };

    /// <summary>Refuses what is no JSON object.</summary>
    /// <exception cref="AwsException">It is none.</exception>
    public static void CheckJson(string name, string value)
    {
        try
        {
            if (JsonNode.Parse(value, documentOptions: Strict) is JsonObject) return;
        }
        catch (System.Text.Json.JsonException)
        {
        }
        throw SnsErrors.Invalid($"{name}: failed to parse JSON.");
    }

    private static bool IsFeedback(string name)
    {
        foreach (var protocol in (ReadOnlySpan<string>)["HTTP", "Firehose", "Lambda", "Application", "SQS"])
            if (name.StartsWith(protocol, StringComparison.Ordinal) && name[protocol.Length..] is "SuccessFeedbackRoleArn" or "SuccessFeedbackSampleRate" or "FailureFeedbackRoleArn") return true;
        return false;
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}

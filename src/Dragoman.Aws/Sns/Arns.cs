using Dragoman.Aws.Http;
using Dragoman.Aws.Sqs;
using Dragoman.Broker.Notifications;

namespace Dragoman.Aws.Sns;

/// <summary>Resource names of topics and subscriptions. Accounts and regions are taken for one another: what counts is the name.</summary>
internal static class Arns
{
    /// <summary>Where a topic keeps the region that its name shows.</summary>
    public const string Region = "~region";

    private const int Elements = 6;

    /// <summary>The resource name of a topic.</summary>
    public static string Of(NotificationTopic topic, string account) => Of(RegionOf(topic), account, topic.Name.Name);

    /// <summary>The region that a topic's resource name shows.</summary>
    public static string RegionOf(NotificationTopic topic) => topic.Attributes.GetValueOrDefault(Region, "us-east-1");

    /// <summary>The resource name of a topic.</summary>
    public static string Of(string region, string account, string topic) => $"arn:{QueueUrl.PartitionOf(region)}:sns:{region}:{account}:{topic}";

    /// <summary>The topic of a resource name.</summary>
    /// <exception cref="AwsException">It is none.</exception>
    public static string TopicOf(string arn, string parameter = "TopicArn")
    {
        var parts = Split(arn, parameter);
        return parts.Length == Elements && parts[2] == "sns" && parts[5].Length > 0 ? parts[5] : throw SnsErrors.Invalid(parameter);
    }

    /// <summary>The topic and the id of a subscription's resource name.</summary>
    /// <exception cref="AwsException">It is none.</exception>
    public static (string Topic, Guid Id) SubscriptionOf(string arn)
    {
        if (arn.Length == 0) throw SnsErrors.Invalid("SubscriptionArn Reason: no value for required parameter");
        var parts = Split(arn, "SubscriptionArn");
        if (parts.Length != Elements + 1 || parts[2] != "sns" || !Guid.TryParseExact(parts[6], "D", out var id)) throw SnsErrors.Invalid("SubscriptionId");
        return (parts[5], id);
    }

    /// <summary>The parts of a resource name.</summary>
    public static string[] Split(string arn, string parameter)
    {
        var parts = arn.Split(':');
        return parts.Length >= Elements ? parts : throw SnsErrors.Invalid($"{parameter} Reason: An ARN must have at least {Elements} elements, not {parts.Length}");
    }
}

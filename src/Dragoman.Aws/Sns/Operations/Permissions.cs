using System.Text.Json.Nodes;
using Dragoman.Aws.Http;
using Dragoman.Aws.Sqs;
using Dragoman.Broker.Notifications;

namespace Dragoman.Aws.Sns.Operations;

/// <summary>Adds a statement to a topic's policy. Policies are kept and shown; who may do what is the account store's.</summary>
internal sealed class AddPermission(SnsNode node) : IOperation
{
    private static readonly string[] Actions =
        ["GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission", "DeleteTopic", "Subscribe", "ListSubscriptionsByTopic", "Publish", "Receive"];

    public bool HasResult => false;

    public async ValueTask HandleAsync(AwsCall call)
    {
        var topic = node.Topic(call, "TopicArn", Broker.Security.Operations.Alter);
        var label = call.Input.Need("Label");
        var accounts = call.Input.Texts("AWSAccountId", "AWSAccountId.member");
        var actions = call.Input.Texts("ActionName", "ActionName.member");
        if (actions.Any(static a => !Actions.Contains(a) && a != "*")) throw SnsErrors.Invalid("Policy statement action out of service scope!");
        var arn = Arns.Of(topic, node.Account);
        await node.ChangeAsync(topic, known => Add(known, label, accounts, actions, arn), call.Gone);
    }

    private NotificationTopic Add(NotificationTopic topic, string label, IReadOnlyList<string> accounts, IReadOnlyList<string> actions, string arn)
    {
        var policy = Read(topic, arn, node.Account);
        var statements = policy["Statement"]!.AsArray();
        if (statements.Any(s => s?["Sid"]?.GetValue<string>() == label)) throw SnsErrors.Invalid("Statement already exists");
        var partition = QueueUrl.PartitionOf(topic.Attributes.GetValueOrDefault(Arns.Region, "us-east-1"));
        statements.Add((JsonNode)new JsonObject
        {
            ["Sid"] = label,
            ["Effect"] = "Allow",
            ["Principal"] = new JsonObject { ["AWS"] = OneOrAll([.. accounts.Select(a => $"arn:{partition}:iam::{a}:root")]) },
            ["Action"] = OneOrAll([.. actions.Select(static a => $"SNS:{a}")]),
            ["Resource"] = arn,
        });
        return topic with { Attributes = topic.Attributes.SetItem(TopicAttributes.Policy, policy.ToJsonString()) };
    }

    /// <summary>The policy of a topic, to be changed.</summary>
    public static JsonObject Read(NotificationTopic topic, string arn, string account)
    {
        var policy = topic.Attributes.TryGetValue(TopicAttributes.Policy, out var own) ? JsonNode.Parse(own)!.AsObject() : TopicAttributes.DefaultPolicy(arn, account);
        if (policy["Statement"] is JsonObject single)
        {
            policy.Remove("Statement");
            policy["Statement"] = new JsonArray(single);
        }
        if (policy["Statement"] is not JsonArray) policy["Statement"] = new JsonArray();
        return policy;
    }

    private static JsonNode OneOrAll(string[] values) => values.Length == 1 ? values[0] : new JsonArray([.. values.Select(static v => (JsonNode)v)]);
}

/// <summary>Takes a statement out of a topic's policy; that there is none is no error.</summary>
internal sealed class RemovePermission(SnsNode node) : IOperation
{
    public bool HasResult => false;

    public async ValueTask HandleAsync(AwsCall call)
    {
        var topic = node.Topic(call, "TopicArn", Broker.Security.Operations.Alter);
        var label = call.Input.Need("Label");
        var arn = Arns.Of(topic, node.Account);
        await node.ChangeAsync(
            topic,
            known =>
            {
                var policy = AddPermission.Read(known, arn, node.Account);
                var statements = policy["Statement"]!.AsArray();
                for (var i = statements.Count - 1; i >= 0; i--)
                    if (statements[i]?["Sid"]?.GetValue<string>() == label) statements.RemoveAt(i);
                return known with { Attributes = known.Attributes.SetItem(TopicAttributes.Policy, policy.ToJsonString()) };
            },
            call.Gone);
    }
}

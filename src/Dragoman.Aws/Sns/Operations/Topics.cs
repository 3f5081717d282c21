using Dragoman.Aws.Http;
using Dragoman.Aws.Sqs.Attributes;
using Dragoman.Broker.Notifications;

namespace Dragoman.Aws.Sns.Operations;

/// <summary>Makes a topic, or finds the one of that name if its attributes and tags are those that are asked for.</summary>
internal sealed class CreateTopic(SnsNode node) : IOperation
{
    private const int MaxNameLength = 256;
    private const string Reason = "Attributes Reason: ";

    public async ValueTask HandleAsync(AwsCall call)
    {
        var name = call.Input.Need("Name");
        var attributes = SnsNode.AttributesOf(call.Input);
        var isFifo = attributes.Any(static a => a.Key == TopicAttributes.FifoTopic && a.Value == "true");
        var stem = isFifo && name.EndsWith(AttributeNames.FifoSuffix, StringComparison.Ordinal) ? name[..^AttributeNames.FifoSuffix.Length] : name;
        if (name.Length > MaxNameLength || stem.Length == 0 || (isFifo && stem.Length == name.Length) || !stem.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')) throw SnsErrors.Invalid("Topic Name");
        var tags = SnsNode.TagsOf(call.Input);
        node.Authorize(call, name, Broker.Security.Operations.Create, Arns.Of(call.Region, node.Account, name));
        var wanted = new NotificationTopic { Name = SnsNode.NameOf(name), CreatedAtMs = node.Node.Now, IsOrdered = isFifo, Tags = tags };
        wanted = wanted with { Attributes = wanted.Attributes.SetItem(Arns.Region, call.Region) };
        foreach (var (key, value) in attributes)
            if (key != TopicAttributes.FifoTopic) wanted = TopicAttributes.Apply(wanted, key, value, Reason);
        if (call.Input.Text(PutDataProtectionPolicy.Parameter) is { Length: > 0 } policy) wanted = wanted with { Attributes = wanted.Attributes.SetItem(TopicAttributes.DataProtection, policy) };
        var answer = await node.Notifications.ChangeTopicAsync(wanted.Name, known => known is null ? wanted : Checked(known, wanted, attributes), call.Gone);
        if (answer.After is not { } topic) throw SnsErrors.Of(answer.Status, "Topic", answer.Message);
        call.Output.Text("TopicArn", Arns.Of(topic, node.Account));
    }

    private static NotificationTopic Checked(NotificationTopic known, NotificationTopic wanted, IReadOnlyList<(string Key, string Value)> attributes)
    {
        foreach (var (name, _) in attributes)
        {
            var isSame = name == TopicAttributes.FifoTopic ? known.IsOrdered == wanted.IsOrdered : known.Attributes.GetValueOrDefault(name) == wanted.Attributes.GetValueOrDefault(name);
            if (!isSame) throw SnsErrors.Invalid($"{Reason}Topic already exists with different attributes");
        }
        if (wanted.Tags.Any(tag => known.Tags.GetValueOrDefault(tag.Key) != tag.Value)) throw SnsErrors.Invalid("Tags Reason: Topic already exists with different tags");
        return known;
    }
}

/// <summary>Deletes a topic and its subscriptions; that there is none is no error.</summary>
internal sealed class DeleteTopic(SnsNode node) : IOperation
{
    public bool HasResult => false;

    public async ValueTask HandleAsync(AwsCall call)
    {
        var arn = call.Input.Need("TopicArn");
        var name = Arns.TopicOf(arn);
        node.Authorize(call, name, Broker.Security.Operations.Delete, arn);
        var subscriptions = node.Notifications.ListSubscriptions(SnsNode.NameOf(name));
        var answer = await node.Notifications.ChangeTopicAsync(SnsNode.NameOf(name), static _ => null, call.Gone);
        if (answer.Status != NotificationStatus.Ok) throw SnsErrors.Of(answer.Status, "Topic", answer.Message);
        foreach (var subscription in subscriptions) await node.Endpoints.RemoveAsync(subscription);
    }
}

/// <summary>Lists topics, a hundred at a time.</summary>
internal sealed class ListTopics(SnsNode node) : IOperation
{
    public ValueTask HandleAsync(AwsCall call)
    {
        var all = node.Notifications.ListTopics().Where(t => call.Identity.Allows(Broker.Security.Operations.Describe, Broker.Security.ResourceKind.Topic, t.Name.Namespace, t.Name.Name)).ToList();
        SnsNode.WritePage(call, "Topics", all, static t => t.Name.Name, topic => call.Output.Text("TopicArn", Arns.Of(topic, node.Account)));
        return default;
    }
}

/// <summary>Shows a topic's attributes.</summary>
internal sealed class GetTopicAttributes(SnsNode node) : IOperation
{
    public ValueTask HandleAsync(AwsCall call)
    {
        TopicAttributes.Write(call.Output, node.Topic(call, "TopicArn", Broker.Security.Operations.Describe), node);
        return default;
    }
}

/// <summary>Changes one of a topic's attributes.</summary>
internal sealed class SetTopicAttributes(SnsNode node) : IOperation
{
    public bool HasResult => false;

    public async ValueTask HandleAsync(AwsCall call)
    {
        var topic = node.Topic(call, "TopicArn", Broker.Security.Operations.Alter);
        var (name, value) = (call.Input.Need("AttributeName"), call.Input.Text("AttributeValue") ?? "");
        await node.ChangeAsync(topic, known => TopicAttributes.Apply(known, name, value), call.Gone);
    }
}

/// <summary>Keeps a topic's data-protection policy. It is kept, and nothing is masked or refused by it.</summary>
internal sealed class PutDataProtectionPolicy(SnsNode node) : IOperation
{
    public const string Parameter = "DataProtectionPolicy";

    public bool HasResult => false;

    public async ValueTask HandleAsync(AwsCall call)
    {
        var topic = node.Topic(call, "ResourceArn", Broker.Security.Operations.Alter);
        var policy = call.Input.Need(Parameter);
        if (policy.Length > 0) TopicAttributes.CheckJson(Parameter, policy);
        await node.ChangeAsync(
            topic, known => known with { Attributes = policy.Length == 0 ? known.Attributes.Remove(TopicAttributes.DataProtection) : known.Attributes.SetItem(TopicAttributes.DataProtection, policy) }, call.Gone);
    }
}

/// <summary>Shows a topic's data-protection policy.</summary>
internal sealed class GetDataProtectionPolicy(SnsNode node) : IOperation
{
    public ValueTask HandleAsync(AwsCall call)
    {
        var topic = node.Topic(call, "ResourceArn", Broker.Security.Operations.Describe);
        call.Output.Text(PutDataProtectionPolicy.Parameter, topic.Attributes.GetValueOrDefault(TopicAttributes.DataProtection, ""));
        return default;
    }
}

/// <summary>Adds tags to a topic, or replaces some.</summary>
internal sealed class TagResource(SnsNode node) : IOperation
{
    private const int MaxTags = 50;

    public async ValueTask HandleAsync(AwsCall call)
    {
        var topic = Find(node, call, Broker.Security.Operations.Alter);
        var tags = SnsNode.TagsOf(call.Input);
        await node.ChangeAsync(topic, known => known with { Tags = known.Tags.SetItems(tags) is { Count: <= MaxTags } all ? all : throw new AwsException("TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded") }, call.Gone);
    }

    /// <summary>The topic of a request about a resource.</summary>
    public static NotificationTopic Find(SnsNode node, AwsCall call, Broker.Security.Operations operation)
    {
        var arn = call.Input.Need("ResourceArn");
        var name = Arns.TopicOf(arn, "ResourceArn");
        node.Authorize(call, name, operation, arn);
        return node.Notifications.Find(SnsNode.NameOf(name)) ?? throw new AwsException("ResourceNotFound", "Resource does not exist", 404);
    }
}

/// <summary>Takes tags from a topic.</summary>
internal sealed class UntagResource(SnsNode node) : IOperation
{
    public async ValueTask HandleAsync(AwsCall call)
    {
        var topic = TagResource.Find(node, call, Broker.Security.Operations.Alter);
        var keys = call.Input.Texts("TagKeys", "TagKeys.member");
        await node.ChangeAsync(topic, known => known with { Tags = known.Tags.RemoveRange(keys) }, call.Gone);
    }
}

/// <summary>Lists a topic's tags.</summary>
internal sealed class ListTagsForResource(SnsNode node) : IOperation
{
    public ValueTask HandleAsync(AwsCall call)
    {
        var topic = TagResource.Find(node, call, Broker.Security.Operations.Describe);
        call.Output.BeginList("Tags", "member");
        foreach (var (key, value) in topic.Tags)
        {
            call.Output.BeginItem();
            call.Output.Text("Key", key);
            call.Output.Text("Value", value);
            call.Output.EndItem();
        }
        call.Output.EndList();
        return default;
    }
}

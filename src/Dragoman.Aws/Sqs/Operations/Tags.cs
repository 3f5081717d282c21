using Dragoman.Aws.Http;
using Dragoman.Aws.Sqs.Attributes;

namespace Dragoman.Aws.Sqs.Operations;

/// <summary>Adds tags to a queue.</summary>
internal sealed class TagQueue(AwsNode node, QueueAccess access) : IOperation
{
    private const int MaxTags = 50;
    private const int MaxKeyLength = 128;
    private const int MaxValueLength = 256;

    public bool HasResult => false;

    public async ValueTask HandleAsync(AwsCall call)
    {
        var queue = access.Find(call, Broker.Security.Operations.Alter, "tagqueue");
        var tags = call.Input.TextMap("Tags", "Tag", "Key");
        if (tags.Count == 0) throw AwsException.MissingParameter("Tags");
        if (tags.Count > MaxTags) throw TooMany(queue.Name.Name);
        Check(tags);
        await SettingsChange.ApplyAsync(node, call, queue, settings =>
        {
            var attributes = settings.Attributes.ToBuilder();
            foreach (var (key, value) in tags) attributes[AttributeNames.Tag + key] = value;
            var all = attributes.ToImmutable();
            return all.Count(static a => a.Key.StartsWith(AttributeNames.Tag, StringComparison.Ordinal)) <= MaxTags ? settings with { Attributes = all } : throw TooMany(queue.Name.Name);
        });
    }

    /// <summary>Refuses tags that are too long.</summary>
    /// <exception cref="AwsException">One is.</exception>
    public static void Check(IReadOnlyList<(string Key, string Value)> tags)
    {
        foreach (var (key, value) in tags)
        {
            if (key.Length is 0 or > MaxKeyLength) throw AwsException.InvalidParameterValue($"Tag keys must be between 1 and {MaxKeyLength} characters in length.");
            if (value.Length > MaxValueLength) throw AwsException.InvalidParameterValue($"Tag values must be between 0 and {MaxValueLength} characters in length.");
        }
    }

    private static AwsException TooMany(string queue) => AwsException.InvalidParameterValue($"Too many tags added for queue {queue}.");
}

/// <summary>Removes tags from a queue.</summary>
internal sealed class UntagQueue(AwsNode node, QueueAccess access) : IOperation
{
    public bool HasResult => false;

    public async ValueTask HandleAsync(AwsCall call)
    {
        var queue = access.Find(call, Broker.Security.Operations.Alter, "untagqueue");
        var keys = call.Input.Texts("TagKeys", "TagKey");
        if (keys.Count == 0) throw AwsException.InvalidParameterValue("Tag keys must be between 1 and 128 characters in length.");
        await SettingsChange.ApplyAsync(node, call, queue, settings => settings with { Attributes = settings.Attributes.RemoveRange(keys.Select(static k => AttributeNames.Tag + k)) });
    }
}

/// <summary>Lists a queue's tags.</summary>
internal sealed class ListQueueTags(QueueAccess access) : IOperation
{
    public ValueTask HandleAsync(AwsCall call)
    {
        var queue = access.Find(call, Broker.Security.Operations.Describe, "listqueuetags");
        var tags = queue.Settings.Attributes.Where(static a => a.Key.StartsWith(AttributeNames.Tag, StringComparison.Ordinal)).ToList();
        if (tags.Count == 0) return ValueTask.CompletedTask;
        call.Output.BeginMap("Tags", "Tag", "Key");
        foreach (var (key, value) in tags) call.Output.Entry(key[AttributeNames.Tag.Length..], value);
        call.Output.EndMap();
        return ValueTask.CompletedTask;
    }
}

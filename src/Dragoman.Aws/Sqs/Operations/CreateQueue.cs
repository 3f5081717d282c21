using System.Globalization;
using Dragoman.Aws.Http;
using Dragoman.Aws.Sqs.Attributes;
using Dragoman.Broker.Queues;

namespace Dragoman.Aws.Sqs.Operations;

/// <summary>Makes a queue, or finds the one of that name if its attributes are those that are asked for.</summary>
internal sealed class CreateQueue(AwsNode node, QueueAccess access) : IOperation
{
    private const int MaxNameLength = 80;

    public bool IsOfService => true;

    public async ValueTask HandleAsync(AwsCall call)
    {
        var name = call.Input.Required("QueueName");
        var isFifo = name.EndsWith(AttributeNames.FifoSuffix, StringComparison.Ordinal);
        CheckName(name, isFifo);
        var attributes = call.Input.TextMap("Attributes", "Attribute");
        var tags = call.Input.Has("tags") ? call.Input.TextMap("tags", "Tag", "Key") : call.Input.TextMap("Tags", "Tag", "Key");
        TagQueue.Check(tags);
        access.Authorize(call, name, Broker.Security.Operations.Create, "createqueue");
        var wantsFifo = attributes.Any(static a => a.Key == AttributeNames.FifoQueue && string.Equals(a.Value, "true", StringComparison.OrdinalIgnoreCase));
        if (wantsFifo && !isFifo) throw SqsErrors.InvalidParameter(name, "QueueName", "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.");
        if (isFifo && !wantsFifo) throw SqsErrors.InvalidParameter(name, "QueueName", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length");
        var settings = QueueAttributes.Apply(QueueAttributes.Defaults(node, isFifo), attributes, isFifo, isNew: true);
        DeadLetterQueues.Check(node, name, settings, call);
        settings = QueueAttributes.Keep(settings, AttributeNames.LastModified, (node.Now / 1000).ToString(CultureInfo.InvariantCulture));
        foreach (var (key, value) in tags) settings = settings with { Attributes = settings.Attributes.SetItem(AttributeNames.Tag + key, value) };
        var answer = await node.Broker.Queues.DeclareAsync(AwsNode.NameOf(name), settings, call.Gone);
        if (answer.Status == QueueStatus.AlreadyExists) CheckSame(answer.Queue!.Settings, settings, attributes);
        else if (answer.Status != QueueStatus.Ok) throw SqsErrors.Of(answer.Status, call, answer.Message);
        call.Output.Text("QueueUrl", QueueUrl.Of(call, node, name));
    }

    private static void CheckSame(QueueSettings existing, QueueSettings wanted, IReadOnlyList<(string Name, string Value)> attributes)
    {
        foreach (var (name, _) in attributes)
            if (QueueAttributes.Read(existing, name) != QueueAttributes.Read(wanted, name)) throw SqsErrors.AlreadyExists(name);
    }

    private static void CheckName(string name, bool isFifo)
    {
        var stem = isFifo ? name[..^AttributeNames.FifoSuffix.Length] : name;
        if (name.Length <= MaxNameLength && stem.Length > 0 && stem.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')) return;
        throw SqsErrors.InvalidParameter(name, "QueueName", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length");
    }
}

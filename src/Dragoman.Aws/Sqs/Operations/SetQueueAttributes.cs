using Dragoman.Aws.Http;
using Dragoman.Aws.Sqs.Attributes;

namespace Dragoman.Aws.Sqs.Operations;

/// <summary>Changes attributes of a queue.</summary>
internal sealed class SetQueueAttributes(AwsNode node, QueueAccess access) : IOperation
{
    public bool HasResult => false;

    public async ValueTask HandleAsync(AwsCall call)
    {
        var queue = access.Find(call, Broker.Security.Operations.Alter, "setqueueattributes");
        var attributes = call.Input.TextMap("Attributes", "Attribute");
        if (attributes.Count == 0) throw AwsException.MissingParameter("Attribute.Name");
        var isFifo = QueueAttributes.IsFifo(queue.Settings);
        // What can be wrong is found before the queue's lock is taken.
        DeadLetterQueues.Check(node, queue.Name.Name, QueueAttributes.Apply(queue.Settings, attributes, isFifo, isNew: false), call);
        await SettingsChange.ApplyAsync(node, call, queue, settings => QueueAttributes.NoteScope(settings, QueueAttributes.Apply(settings, attributes, isFifo, isNew: false), node.Now));
    }
}

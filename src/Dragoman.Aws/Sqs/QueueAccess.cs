using Dragoman.Aws.Http;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Security;

namespace Dragoman.Aws.Sqs;

/// <summary>Finds the queue that a request is about, if the client may do with it what it wants to.</summary>
/// <param name="node">The broker.</param>
internal sealed class QueueAccess(AwsNode node)
{
    /// <summary>The queue of the parameter <c>QueueUrl</c>, or of the path that the request went to.</summary>
    /// <exception cref="AwsException">There is none, or the client may not.</exception>
    public IQueueHandle Find(AwsCall call, Broker.Security.Operations operation, string action)
    {
        var url = call.Input.Text("QueueUrl");
        if (string.IsNullOrEmpty(url))
        {
            var path = call.Context.Request.Path.Value;
            if (path is null or "" or "/") throw url is null ? AwsException.MissingParameter("QueueUrl") : SqsErrors.NoQueue(call);
            url = path;
        }
        return Find(call, QueueUrl.NameOf(url), operation, action);
    }

    /// <summary>A queue by its name.</summary>
    /// <exception cref="AwsException">There is none, or the client may not.</exception>
    public IQueueHandle Find(AwsCall call, string name, Broker.Security.Operations operation, string action)
    {
        var queue = AwsNode.NameOf(name);
        Authorize(call, name, operation, action);
        // A log that keeps what was read has no messages to be taken.
        return node.Broker.Queues.Find(queue) is { Settings.Retention: null } found ? found : throw SqsErrors.NoQueue(call);
    }

    /// <summary>Refuses a client that may not.</summary>
    /// <exception cref="AwsException">It may not.</exception>
    public void Authorize(AwsCall call, string name, Broker.Security.Operations operation, string action)
    {
        var queue = AwsNode.NameOf(name);
        if (call.Identity.Allows(operation, ResourceKind.Queue, queue.Namespace, queue.Name)) return;
        throw AwsException.AccessDenied(
            $"User: arn:aws:iam::{node.Options.Account}:{(call.Identity.User is { } user ? $"user/{user}" : "root")} is not authorized to perform: sqs:{action} on resource: {QueueUrl.ArnOf(call, node, name)}");
    }

    /// <summary>The queue that a receipt handle is of, if it is the one that the request names.</summary>
    /// <exception cref="AwsException">It never was a handle, or is another queue's.</exception>
    public static ReceiptHandle HandleOf(IQueueHandle queue, Input input)
    {
        var text = input.Required("ReceiptHandle");
        var handle = ReceiptHandle.Parse(text);
        return handle.Queue == queue.Id ? handle : throw SqsErrors.InvalidParameter(text, "ReceiptHandle", "The receipt handle is not valid for this queue.");
    }
}

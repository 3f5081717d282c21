using Dragoman.Aws.Http;
using Dragoman.Broker.Queues;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Aws.Setup;

/// <summary>Deletes every queue and topic that AWS' clients see: between two tests, and in test mode only.</summary>
internal sealed class Reset(AwsNode node)
{
    public async Task HandleAsync(HttpContext context)
    {
        if (!HttpMethods.IsPost(context.Request.Method) && !HttpMethods.IsDelete(context.Request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            context.Response.Headers.Allow = "POST, DELETE";
            return;
        }
        var here = AwsNode.NameOf("").Namespace;
        foreach (var topic in node.Broker.Notifications.ListTopics())
            await node.Broker.Notifications.ChangeTopicAsync(topic.Name, static _ => null, context.RequestAborted);
        foreach (var queue in node.Broker.Queues.List())
        {
            if (queue.Name.Namespace != here || queue.Settings.Retention is not null) continue;
            var answer = await node.Broker.Queues.DeleteAsync(queue, DeleteConditions.None, context.RequestAborted);
            if (answer.Status is not (QueueStatus.Ok or QueueStatus.NotFound)) throw new InvalidOperationException($"The queue '{queue.Name}' could not be deleted: {answer.Status} {answer.Message}");
        }
        await Response.WriteAsync(context, StatusCodes.Status200OK, "application/json", null, "{}"u8.ToArray());
    }
}

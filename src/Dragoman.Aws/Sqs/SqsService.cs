using Dragoman.Aws.Http;
using Dragoman.Aws.Sqs.Operations;

namespace Dragoman.Aws.Sqs;

/// <summary>Amazon Simple Queue Service: queues of the default namespace, in both of its protocols.</summary>
internal static class SqsService
{
    public static Service Create(AwsNode node)
    {
        var access = new QueueAccess(node);
        var sender = new Sender(node);
        var receipts = new FirstReceipts();
        return new Service("sqs", "AmazonSQS", "2012-11-05", "http://queue.amazonaws.com/doc/2012-11-05/", "com.amazonaws.sqs#", isFlattened: true,
        [
            new CreateQueue(node, access), new DeleteQueue(node, access), new GetQueueUrl(node, access), new ListQueues(node),
            new GetQueueAttributes(node, access), new SetQueueAttributes(node, access), new PurgeQueue(node, access),
            new TagQueue(node, access), new UntagQueue(node, access), new ListQueueTags(access),
            new AddPermission(node, access), new RemovePermission(node, access),
            new SendMessage(access, sender), new SendMessageBatch(access, sender),
            new ReceiveMessage(node, access, receipts, new ReceiveAttempts(node)),
            new DeleteMessage(access, receipts), new DeleteMessageBatch(access, receipts),
            new ChangeMessageVisibility(node, access), new ChangeMessageVisibilityBatch(node, access),
            new ListDeadLetterSourceQueues(node, access),
            new StartMessageMoveTask(node, access), new ListMessageMoveTasks(node, access), new CancelMessageMoveTask(node, access),
        ]);
    }
}

using System.Globalization;
using Dragoman.Aws.Http;
using Dragoman.Aws.Sqs.Attributes;
using Dragoman.Broker.Queues;

namespace Dragoman.Aws.Sqs;

/// <summary>Changes what is kept with a queue.</summary>
internal static class SettingsChange
{
    /// <summary>Changes a queue's settings, and notes when.</summary>
    /// <exception cref="AwsException">It could not be done.</exception>
    public static async ValueTask ApplyAsync(AwsNode node, AwsCall call, IQueueHandle queue, Func<QueueSettings, QueueSettings> change)
    {
        var now = (node.Now / 1000).ToString(CultureInfo.InvariantCulture);
        var answer = await node.Broker.Queues.ChangeSettingsAsync(queue, settings => QueueAttributes.Keep(change(settings), AttributeNames.LastModified, now), call.Gone);
        if (answer.Status != QueueStatus.Ok) throw SqsErrors.Of(answer.Status, call, answer.Message);
    }
}

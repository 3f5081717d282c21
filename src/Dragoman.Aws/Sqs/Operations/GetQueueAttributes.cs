using System.Globalization;
using Dragoman.Aws.Http;
using Dragoman.Aws.Sqs.Attributes;
using Dragoman.Broker.Queues;

namespace Dragoman.Aws.Sqs.Operations;

/// <summary>Tells a queue's attributes and how many messages it holds.</summary>
internal sealed class GetQueueAttributes(AwsNode node, QueueAccess access) : IOperation
{
    private static readonly string[] s_others = [AttributeNames.QueueArn, AttributeNames.Visible, AttributeNames.NotVisible, AttributeNames.Delayed, AttributeNames.Created, AttributeNames.LastModified];

    public async ValueTask HandleAsync(AwsCall call)
    {
        var queue = access.Find(call, Broker.Security.Operations.Describe, "getqueueattributes");
        var wanted = call.Input.Texts("AttributeNames", "AttributeName");
        foreach (var name in wanted)
            if (name != AttributeNames.All && !s_others.Contains(name) && !QueueAttributes.Settings.Contains(name)) throw SqsErrors.UnknownAttribute(name);
        var all = wanted.Contains(AttributeNames.All);
        var counts = all || wanted.Any(static n => n.StartsWith("Approximate", StringComparison.Ordinal)) ? await queue.GetCountsAsync() : default;
        var found = new List<(string Name, string Value)>();
        foreach (var name in s_others.Concat(QueueAttributes.Settings))
        {
            if (!all && !wanted.Contains(name)) continue;
            if (Read(call, queue, counts, name) is { } value) found.Add((name, value));
        }
        if (found.Count == 0) return;
        call.Output.BeginMap("Attributes", "Attribute");
        foreach (var (name, value) in found) call.Output.Entry(name, value);
        call.Output.EndMap();
    }

    private string? Read(AwsCall call, IQueueHandle queue, Broker.Subscriptions.SubscriptionCounts counts, string name) => name switch
    {
        AttributeNames.QueueArn => QueueUrl.ArnOf(call, node, queue.Name.Name),
        AttributeNames.Visible => Text(counts.Ready),
        AttributeNames.NotVisible => Text(counts.Leased),
        AttributeNames.Delayed => Text(counts.Delayed),
        AttributeNames.Created => Text(queue.CreatedAt.ToUnixTimeSeconds()),
        AttributeNames.LastModified => QueueAttributes.Kept(queue.Settings, name) ?? Text(queue.CreatedAt.ToUnixTimeSeconds()),
        _ => QueueAttributes.Read(queue.Settings, name),
    };

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}

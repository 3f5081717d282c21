using System.Text;
using Dragoman.Aws.Http;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Security;

namespace Dragoman.Aws.Sqs.Operations;

/// <summary>Lists queues by the beginning of their names, a page at a time.</summary>
internal sealed class ListQueues(AwsNode node) : IOperation
{
    /// <summary>The most URLs of a page.</summary>
    public const int MaxPage = 1000;

    public bool IsOfService => true;

    public ValueTask HandleAsync(AwsCall call)
    {
        var prefix = call.Input.Text("QueueNamePrefix") ?? "";
        var queues = node.Broker.Queues.List().Where(q => q.Settings.Retention is null && q.Name.Namespace == AwsNode.NameOf("").Namespace
            && q.Name.Name.StartsWith(prefix, StringComparison.Ordinal) && call.Identity.Allows(Broker.Security.Operations.Describe, ResourceKind.Queue, q.Name.Namespace, q.Name.Name));
        Write(call, node, queues, "QueueUrls", "QueueUrl");
        return ValueTask.CompletedTask;
    }

    /// <summary>Writes the page that is asked for of a list of queues, in the order of their names.</summary>
    public static void Write(AwsCall call, AwsNode node, IEnumerable<IQueueHandle> queues, string list, string element)
    {
        var max = call.Input.Integer("MaxResults");
        if (max is < 1 or > MaxPage) throw SqsErrors.InvalidParameter($"{max}", "MaxResults", $"MaxResults must be an integer between 1 and {MaxPage}.");
        if (call.Input.Text("NextToken") is { Length: > 0 } token)
        {
            var after = Decode(token);
            queues = queues.SkipWhile(q => string.CompareOrdinal(q.Name.Name, after) <= 0);
        }
        var page = queues.Take((max ?? MaxPage) + 1).Select(static q => q.Name.Name).ToList();
        var hasMore = page.Count > (max ?? MaxPage);
        if (hasMore) page.RemoveAt(page.Count - 1);
        if (page.Count > 0)
        {
            call.Output.BeginList(list, element);
            foreach (var name in page) call.Output.Item(QueueUrl.Of(call, node, name));
            call.Output.EndList();
        }
        // Who asks for no pages is told of none, as the real service does.
        if (hasMore && max is not null) call.Output.Text("NextToken", Convert.ToBase64String(Encoding.UTF8.GetBytes(page[^1])));
    }

    private static string Decode(string token)
    {
        try
        {
            return Encoding.UTF8.GetString(Convert.FromBase64String(token));
        }
        catch (FormatException)
        {
            throw SqsErrors.InvalidParameter(token, "NextToken", "Invalid or expired next token.");
        }
    }
}

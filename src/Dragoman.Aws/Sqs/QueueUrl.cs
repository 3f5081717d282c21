using Dragoman.Aws.Http;

namespace Dragoman.Aws.Sqs;

/// <summary>
/// Addresses and resource names of queues. A queue's URL begins with what the client reached the server by, since most clients
/// send everything that concerns the queue there; of a URL that is given only the last part counts.
/// </summary>
internal static class QueueUrl
{
    /// <summary>The URL of a queue, for a client.</summary>
    public static string Of(AwsCall call, AwsNode node, string queue) => $"{call.BaseUrl}/{node.Options.Account}/{Uri.EscapeDataString(queue)}";

    /// <summary>The resource name of a queue.</summary>
    public static string ArnOf(AwsCall call, AwsNode node, string queue) => ArnOf(call.Region, node.Options.Account, queue);

    /// <summary>The resource name of a queue.</summary>
    public static string ArnOf(string region, string account, string queue) => $"arn:{PartitionOf(region)}:sqs:{region}:{account}:{queue}";

    /// <summary>The queue of a URL: its last part, or the whole if that is a name.</summary>
    public static string NameOf(string url)
    {
        var path = url.AsSpan();
        var query = path.IndexOf('?');
        if (query >= 0) path = path[..query];
        path = path.TrimEnd('/');
        return Uri.UnescapeDataString(path[(path.LastIndexOf('/') + 1)..]);
    }

    /// <summary>The queue of a resource name; null if it is none of a queue.</summary>
    public static string? NameOfArn(string arn)
    {
        var parts = arn.Split(':', 6);
        return parts is ["arn", _, "sqs", _, _, { Length: > 0 } name] ? name : null;
    }

    /// <summary>The partition of AWS' that a region is in.</summary>
    public static string PartitionOf(string region) =>
        region.StartsWith("cn-", StringComparison.Ordinal) ? "aws-cn" : region.StartsWith("us-gov-", StringComparison.Ordinal) ? "aws-us-gov" : "aws";
}

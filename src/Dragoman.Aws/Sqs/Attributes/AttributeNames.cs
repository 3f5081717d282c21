namespace Dragoman.Aws.Sqs.Attributes;

/// <summary>The names of queue attributes, and under which names a queue's settings keep those that the engine has no use for.</summary>
internal static class AttributeNames
{
    public const string All = "All";
    public const string QueueArn = "QueueArn";
    public const string Visible = "ApproximateNumberOfMessages";
    public const string NotVisible = "ApproximateNumberOfMessagesNotVisible";
    public const string Delayed = "ApproximateNumberOfMessagesDelayed";
    public const string Created = "CreatedTimestamp";
    public const string LastModified = "LastModifiedTimestamp";
    public const string VisibilityTimeout = "VisibilityTimeout";
    public const string MaximumMessageSize = "MaximumMessageSize";
    public const string MessageRetentionPeriod = "MessageRetentionPeriod";
    public const string DelaySeconds = "DelaySeconds";
    public const string ReceiveWait = "ReceiveMessageWaitTimeSeconds";
    public const string Policy = "Policy";
    public const string RedrivePolicy = "RedrivePolicy";
    public const string RedriveAllowPolicy = "RedriveAllowPolicy";
    public const string KmsMasterKeyId = "KmsMasterKeyId";
    public const string KmsReuse = "KmsDataKeyReusePeriodSeconds";
    public const string ManagedSse = "SqsManagedSseEnabled";
    public const string FifoQueue = "FifoQueue";
    public const string ContentBasedDeduplication = "ContentBasedDeduplication";
    public const string DeduplicationScope = "DeduplicationScope";
    public const string FifoThroughputLimit = "FifoThroughputLimit";

    /// <summary>What the scope was before the last change and until when it counts; not shown to anybody.</summary>
    public const string ScopeBefore = "DeduplicationScopeBefore";

    /// <summary>Stands before the names of attributes in a queue's settings.</summary>
    public const string Kept = "sqs:";

    /// <summary>Stands before the keys of tags in a queue's settings.</summary>
    public const string Tag = "sqs-tag:";

    /// <summary>What the names of queues with order end with.</summary>
    public const string FifoSuffix = ".fifo";
}

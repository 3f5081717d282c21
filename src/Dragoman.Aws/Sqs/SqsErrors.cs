using Dragoman.Aws.Http;
using Dragoman.Broker.Queues;

namespace Dragoman.Aws.Sqs;

/// <summary>SQS' errors, in its words.</summary>
internal static class SqsErrors
{
    private const string Prefix = "AWS.SimpleQueueService.";

    public static AwsException NoQueue(AwsCall call) =>
        New("NonExistentQueue", "QueueDoesNotExist", call.IsQuery ? "The specified queue does not exist for this wsdl version." : "The specified queue does not exist.");

    public static AwsException AlreadyExists(string attribute) => new("QueueAlreadyExists", $"A queue already exists with the same name and a different value for attribute {attribute}") { Shape = "QueueNameExists" };

    public static AwsException UnknownAttribute(string name) => InvalidAttributeName($"Unknown Attribute {name}.");

    public static AwsException InvalidAttributeName(string message) => new("InvalidAttributeName", message);

    public static AwsException InvalidAttributeValue(string name, string? reason = null) =>
        new("InvalidAttributeValue", reason is null ? $"Invalid value for the parameter {name}." : $"Invalid value for the parameter {name}. Reason: {reason}");

    public static AwsException InvalidParameter(string value, string name, string reason) => AwsException.InvalidParameterValue($"Value {value} for parameter {name} is invalid. Reason: {reason}");

    public static AwsException InvalidHandle(string handle) => new("ReceiptHandleIsInvalid", $"The input receipt handle \"{handle}\" is not a valid receipt handle.", 404);

    public static AwsException NotInFlight() => New("MessageNotInflight", "MessageNotInflight", "The message referred to isn't in flight.");

    public static AwsException OverLimit() => new("OverLimit", $"Too many messages are in flight: {Attributes.QueueAttributes.MaxInFlight} at most. Delete what was received, or let it become visible.", 403);

    public static AwsException EmptyBatch(string element) => New("EmptyBatchRequest", "EmptyBatchRequest", $"There should be at least one {element} in the request.");

    public static AwsException TooManyEntries(int count) => New("TooManyEntriesInBatchRequest", "TooManyEntriesInBatchRequest", $"Maximum number of entries per request are 10. You have sent {count}.");

    public static AwsException NotDistinct(string id) => New("BatchEntryIdsNotDistinct", "BatchEntryIdsNotDistinct", $"Id {id} repeated.");

    public static AwsException InvalidEntryId() => New("InvalidBatchEntryId", "InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.");

    public static AwsException BatchTooLong(long max, long sent) => New("BatchRequestTooLong", "BatchRequestTooLong", $"Batch requests cannot be longer than {max} bytes. You have sent {sent} bytes.");

    public static AwsException PurgeInProgress(string queue) => New("PurgeQueueInProgress", "PurgeQueueInProgress", $"Only one PurgeQueue operation on {queue} is allowed every 60 seconds.", 403);

    public static AwsException NoResource(string message) => new("ResourceNotFoundException", message, 404);

    public static AwsException Unsupported(string message) => New("UnsupportedOperation", "UnsupportedOperation", message);

    public static AwsException InvalidContents() => new("InvalidMessageContents", $"Invalid characters found. Valid unicode characters are {Messages.MessageText.Allowed}");

    /// <summary>What a queue's answer is to a client, where it is not what was hoped for.</summary>
    public static AwsException Of(QueueStatus status, AwsCall call, string? message) => status switch
    {
        QueueStatus.NotFound => NoQueue(call),
        QueueStatus.QueueFull => new AwsException("OverLimit", message ?? "The queue has reached its greatest length, and refuses messages.", 403),
        QueueStatus.InvalidName or QueueStatus.InvalidSettings or QueueStatus.InUse or QueueStatus.NotEmpty or QueueStatus.OutOfRange => AwsException.InvalidParameterValue(message ?? status.ToString()),
        QueueStatus.Full => AwsException.Unavailable("There is no room on disk; later there may be."),
        QueueStatus.Moved => AwsException.Unavailable("Another node owns the queue now; try again."),
        _ => new AwsException("InternalError", message ?? "The disk failed.", 500),
    };

    private static AwsException New(string code, string shape, string message, int status = 400) => new(Prefix + code, message, status) { Shape = shape };
}

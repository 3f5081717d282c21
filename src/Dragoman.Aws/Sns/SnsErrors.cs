using Dragoman.Aws.Http;
using Dragoman.Broker.Notifications;

namespace Dragoman.Aws.Sns;

/// <summary>SNS' errors, in its words.</summary>
internal static class SnsErrors
{
    public static AwsException Invalid(string what) => new("InvalidParameter", $"Invalid parameter: {what}");

    public static AwsException InvalidText(string text) => new("InvalidParameter", text);

    public static AwsException NotFound(string what) => new("NotFound", $"{what} does not exist", 404);

    public static AwsException InvalidAttribute(string message) => new("ParameterValueInvalid", message);

    public static AwsException Null(string member) => new("ValidationError", $"1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null");

    public static AwsException EmptyBatch() => new("EmptyBatchRequest", "The batch request doesn't contain any entries.");

    public static AwsException TooManyEntries() => new("TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible.");

    public static AwsException NotDistinct() => new("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.");

    public static AwsException InvalidEntryId(string reason, string id) => new("InvalidBatchEntryId", $"The Id of a batch entry in the batch request {reason}: {id}");

    public static AwsException BatchTooLong() => new("BatchRequestTooLong", "The length of all the messages put together is more than the limit.");

    /// <summary>A parameter that has to be there.</summary>
    public static string Need(this Input input, string name) =>
        input.Text(name) ?? throw Null(char.ToLowerInvariant(name[0]) + name[1..]);

    /// <summary>What an answer of the broker is to a client, where it is not what was hoped for.</summary>
    public static AwsException Of(NotificationStatus status, string what, string? message) => status switch
    {
        NotificationStatus.NotFound => NotFound(what),
        NotificationStatus.InvalidName => Invalid("Topic Name"),
        NotificationStatus.TooLarge => Invalid($"Attributes Reason: {message}"),
        NotificationStatus.Refused => InvalidText(message ?? "The topic's log refuses the message."),
        NotificationStatus.Full => AwsException.Unavailable("There is no room on disk; later there may be."),
        _ => new AwsException("InternalError", message ?? "The disk failed.", 500),
    };
}

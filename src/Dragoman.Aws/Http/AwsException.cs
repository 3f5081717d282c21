namespace Dragoman.Aws.Http;

/// <summary>A request that is refused, in AWS' words.</summary>
/// <param name="code">The code, as the Query protocol and old clients know it.</param>
/// <param name="message">The text.</param>
/// <param name="status">The status of the response.</param>
internal sealed class AwsException(string code, string message, int status = 400) : Exception(message)
{
    /// <summary>The code in the Query protocol.</summary>
    public string Code { get; } = code;

    /// <summary>The name of the error's shape in the JSON protocol, where it differs from the code.</summary>
    public string? Shape { get; init; }

    /// <summary>The status of the response: 500 and above is the receiver's fault, all others the sender's.</summary>
    public int Status { get; } = status;

    /// <summary>Whose fault it is.</summary>
    public string Fault => Status >= 500 ? "Receiver" : "Sender";

    public static AwsException InvalidParameterValue(string message) => new("InvalidParameterValue", message) { Shape = "InvalidParameterValueException" };

    public static AwsException MissingParameter(string name) => new("MissingParameter", $"The request must contain the parameter {name}.") { Shape = "MissingRequiredParameterException" };

    public static AwsException AccessDenied(string message) => new("AccessDenied", message, 403) { Shape = "AccessDeniedException" };

    public static AwsException Unavailable(string message) => new("ServiceUnavailable", message, 503);

    public static AwsException Serialization(string message) => new("SerializationException", message);
}

namespace Dragoman.Aws.Signing;

/// <summary>A request is not signed as it has to be. All of these answer 403, or 400 where the header makes no sense.</summary>
/// <param name="status">The status of the response.</param>
/// <param name="code">AWS' error code: see "Common Errors" in the API references.</param>
/// <param name="message">AWS' text.</param>
internal sealed class SigningException(int status, string code, string message) : Exception(message)
{
    public int Status { get; } = status;

    public string Code { get; } = code;

    public static SigningException Incomplete(string message) => new(400, "IncompleteSignature", message);

    public static SigningException Missing() => new(403, "MissingAuthenticationToken", "Request is missing Authentication Token");

    public static SigningException UnknownKey() => new(403, "InvalidClientTokenId", "The security token included in the request is invalid.");

    public static SigningException Mismatch() => new(403, "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.");

    public static SigningException Mismatch(string message) => new(403, "SignatureDoesNotMatch", message);
}

using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Dragoman.Aws.Signing;

/// <summary>
/// What a request says of its own signature, in its <c>Authorization</c> header or, where it is presigned, in its query
/// (AWS Signature Version 4).
/// </summary>
/// <param name="KeyId">Id of the access key.</param>
/// <param name="Date">The date of the credential's scope, as <c>yyyyMMdd</c>.</param>
/// <param name="Region">The region of the scope.</param>
/// <param name="Service">The service of the scope: <c>sqs</c>, <c>sns</c> or <c>sts</c>.</param>
/// <param name="SignedHeaders">Names of the headers that are signed, lower-case, as given.</param>
/// <param name="Signature">The signature, 64 hexadecimal digits.</param>
/// <param name="Time">When it was signed, as <c>yyyyMMdd'T'HHmmss'Z'</c>.</param>
/// <param name="ExpiresSeconds">How long a presigned request is good for; null for one that is signed by header.</param>
internal sealed record RequestSignature(
    string KeyId, string Date, string Region, string Service, string[] SignedHeaders, string Signature, string Time, int? ExpiresSeconds)
{
    public const string Algorithm = "AWS4-HMAC-SHA256";
    public const string SignatureParameter = "X-Amz-Signature";

    private const string Terminator = "aws4_request";
    private const int MaxExpiresSeconds = 7 * 24 * 3600;

    /// <summary>The scope that the signature is made for.</summary>
    public string Scope => $"{Date}/{Region}/{Service}/{Terminator}";

    /// <summary>When it was signed.</summary>
    public DateTimeOffset SignedAt { get; } = ParseTime(Time);

    /// <summary>Reads the header.</summary>
    /// <param name="authorization">The whole header.</param>
    /// <param name="time">The request's <c>X-Amz-Date</c> header; null if there is none.</param>
    /// <exception cref="SigningException">Part of it is missing or makes no sense.</exception>
    public static RequestSignature FromHeader(string authorization, string? time)
    {
        var space = authorization.IndexOf(' ', StringComparison.Ordinal);
        if (space < 0 || authorization.AsSpan(0, space) is not Algorithm)
            throw SigningException.Incomplete($"Unsupported AWS 'algorithm': '{(space < 0 ? authorization : authorization[..space])}'. ");
        string? credential = null, headers = null, signature = null;
        foreach (var part in authorization[(space + 1)..].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0) throw SigningException.Incomplete($"'{part}' not a valid key=value pair (missing equal-sign) in Authorization header: '{authorization}'.");
            var value = part[(equals + 1)..];
            switch (part[..equals])
            {
                case "Credential": credential = value; break;
                case "SignedHeaders": headers = value; break;
                case "Signature": signature = value; break;
            }
        }
        if (credential is null || headers is null || signature is null || time is null)
        {
            var missing = "";
            if (credential is null) missing += "Authorization header requires 'Credential' parameter. ";
            if (signature is null) missing += "Authorization header requires 'Signature' parameter. ";
            if (headers is null) missing += "Authorization header requires 'SignedHeaders' parameter. ";
            if (time is null) missing += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
            throw SigningException.Incomplete($"{missing}Authorization={authorization}");
        }
        return Create(credential, headers, signature, time, null);
    }

    /// <summary>Reads the query of a presigned request.</summary>
    /// <param name="get">Gives a parameter's decoded value, or null.</param>
    /// <exception cref="SigningException">Part of it is missing or makes no sense.</exception>
    public static RequestSignature FromQuery(Func<string, string?> get)
    {
        if (get("X-Amz-Algorithm") is not Algorithm) throw SigningException.Incomplete($"AWS query-string parameters must include 'X-Amz-Algorithm', and it must be {Algorithm}.");
        if (get("X-Amz-Credential") is not { } credential) throw Missing("X-Amz-Credential");
        if (get("X-Amz-SignedHeaders") is not { } headers) throw Missing("X-Amz-SignedHeaders");
        if (get(SignatureParameter) is not { } signature) throw Missing(SignatureParameter);
        if (get("X-Amz-Date") is not { } time) throw Missing("X-Amz-Date");
        if (get("X-Amz-Expires") is not { } text) throw Missing("X-Amz-Expires");
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var expires) || expires is < 1 or > MaxExpiresSeconds)
            throw SigningException.Incomplete($"X-Amz-Expires must be between 1 and {MaxExpiresSeconds} seconds.");
        return Create(credential, headers, signature, time, expires);
    }

    /// <summary>The region and service of an <c>Authorization</c> header or credential, whether or not it is a good one.</summary>
    public static bool TryReadScope(string? authorization, [NotNullWhen(true)] out string? region, [NotNullWhen(true)] out string? service)
    {
        region = service = null;
        if (authorization is null) return false;
        var start = authorization.IndexOf("Credential=", StringComparison.Ordinal);
        var end = start < 0 ? -1 : authorization.IndexOf(',', start);
        var parts = (start < 0 ? authorization : authorization[(start + 11)..(end < 0 ? authorization.Length : end)]).Trim().Split('/');
        if (parts.Length < 5) return false;
        (region, service) = (parts[^3], parts[^2]);
        return true;
    }

    /// <summary>The id of the access key that an <c>Authorization</c> header or credential names; null if it names none.</summary>
    public static string? KeyIdOf(string authorization)
    {
        var start = authorization.IndexOf("Credential=", StringComparison.Ordinal);
        start = start < 0 ? 0 : start + 11;
        var slash = authorization.IndexOf('/', start);
        return slash < 0 ? null : authorization[start..slash];
    }

    private static RequestSignature Create(string credential, string headers, string signature, string time, int? expires)
    {
        // An access key's id may itself hold slashes; the scope is the last four parts.
        var parts = credential.Split('/');
        if (parts.Length < 5 || parts[^1] != Terminator)
            throw SigningException.Incomplete($"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{credential}'");
        return new RequestSignature(string.Join('/', parts[..^4]), parts[^4], parts[^3], parts[^2], headers.Split(';', StringSplitOptions.RemoveEmptyEntries), signature, time, expires);
    }

    private static DateTimeOffset ParseTime(string time) =>
        DateTimeOffset.TryParseExact(time, "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var parsed)
            ? parsed
            : throw SigningException.Incomplete($"Date must be in ISO-8601 'basic format'. Got '{time}'. See http://en.wikipedia.org/wiki/ISO_8601");

    private static SigningException Missing(string name) => SigningException.Incomplete($"AWS query-string parameters must include '{name}'. Re-examine the query-string parameters.");
}

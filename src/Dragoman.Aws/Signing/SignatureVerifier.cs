using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Dragoman.Broker.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Dragoman.Aws.Signing;

/// <summary>
/// Checks the signatures of requests (AWS Signature Version 4, by header or presigned) against the access keys of the
/// account store. As long as nobody has an access key there is nothing to check against: then requests count as they come,
/// as with any endpoint for development.
/// </summary>
internal sealed class SignatureVerifier(IAccounts accounts, TimeProvider clock)
{
    private const string PayloadHashHeader = "x-amz-content-sha256";
    private const string UnsignedPayload = "UNSIGNED-PAYLOAD";
    private const int MaxKeptKeys = 256;

    // How far the client's clock may be from ours: 15 minutes, as AWS has it.
    private static readonly TimeSpan s_tolerance = TimeSpan.FromMinutes(15);

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Secret, string Scope), byte[]> _signingKeys = [];
    private long _version = -1;
    private bool _hasKeys;

    /// <summary>Whether anybody has an access key, so that requests must be signed.</summary>
    public bool IsEnabled
    {
        get
        {
            lock (_lock)
            {
                if (_version == accounts.Version) return _hasKeys;
                _version = accounts.Version;
                _signingKeys.Clear();
                return _hasKeys = accounts.Users.Any(static user => user.Credentials.Any(static c => c is AccessKey));
            }
        }
    }

    /// <summary>Finds out whose request it is.</summary>
    /// <param name="request">The request.</param>
    /// <param name="body">Its whole body.</param>
    /// <returns>The user's name; null if the request is not signed.</returns>
    /// <exception cref="SigningException">It is signed, but not as it has to be.</exception>
    public string? Verify(HttpRequest request, ReadOnlySpan<byte> body)
    {
        ArgumentNullException.ThrowIfNull(request);
        var authorization = request.Headers.Authorization.ToString();
        RequestSignature signature;
        if (authorization.Length > 0) signature = RequestSignature.FromHeader(authorization, request.Headers["X-Amz-Date"] is [{ } date, ..] ? date : null);
        else if (request.Query.ContainsKey(RequestSignature.SignatureParameter)) signature = RequestSignature.FromQuery(name => request.Query[name] is [{ } value, ..] ? value : null);
        else return null;

        if (accounts.FindAccessKey(signature.KeyId) is not var (user, key)) throw SigningException.UnknownKey();
        CheckTime(signature);
        if (!signature.SignedHeaders.Contains("host")) throw SigningException.Mismatch("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
        Span<byte> expected = stackalloc byte[SHA256.HashSizeInBytes];
        Sign(SigningKey(key.Secret, signature), signature, CanonicalRequest(request, signature, body), expected);
        Span<byte> given = stackalloc byte[SHA256.HashSizeInBytes];
        if (signature.Signature.Length != 2 * given.Length || Convert.FromHexString(signature.Signature, given, out _, out _) != OperationStatus.Done || !CryptographicOperations.FixedTimeEquals(expected, given))
            throw SigningException.Mismatch();
        return user.Name;
    }

    private void CheckTime(RequestSignature signature)
    {
        var now = clock.GetUtcNow();
        if (signature.SignedAt.ToString("yyyyMMdd", CultureInfo.InvariantCulture) != signature.Date)
            throw SigningException.Mismatch($"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{signature.Date}' != '{signature.SignedAt:yyyyMMdd}', from '{signature.Time}'.");
        if (signature.SignedAt - now > s_tolerance)
            throw SigningException.Mismatch($"Signature not yet current: {signature.Time} is still later than {Stamp(now + s_tolerance)} ({Stamp(now)} + 15 min.)");
        var age = signature.ExpiresSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : s_tolerance;
        if (now - signature.SignedAt > age)
        {
            throw SigningException.Mismatch(signature.ExpiresSeconds is null
                ? $"Signature expired: {signature.Time} is now earlier than {Stamp(now - s_tolerance)} ({Stamp(now)} - 15 min.)"
                : $"Signature expired: {signature.Time} + {signature.ExpiresSeconds} sec. is now earlier than {Stamp(now)}.");
        }
    }

    private static string Stamp(DateTimeOffset time) => time.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);

    private byte[] SigningKey(string secret, RequestSignature signature)
    {
        lock (_lock)
        {
            if (_signingKeys.TryGetValue((secret, signature.Scope), out var known)) return known;
        }
        var key = HMACSHA256.HashData(Encoding.UTF8.GetBytes("AWS4" + secret), Encoding.UTF8.GetBytes(signature.Date));
        key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(signature.Region));
        key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(signature.Service));
        key = HMACSHA256.HashData(key, "aws4_request"u8);
        lock (_lock)
        {
            if (_signingKeys.Count >= MaxKeptKeys) _signingKeys.Clear();
            return _signingKeys[(secret, signature.Scope)] = key;
        }
    }

    private static void Sign(byte[] key, RequestSignature signature, string canonicalRequest, Span<byte> target)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonicalRequest)));
        HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{RequestSignature.Algorithm}\n{signature.Time}\n{signature.Scope}\n{hash}"), target);
    }

    private static string CanonicalRequest(HttpRequest request, RequestSignature signature, ReadOnlySpan<byte> body)
    {
        var target = request.HttpContext.Features.Get<IHttpRequestFeature>()!.RawTarget;
        var mark = target.IndexOf('?', StringComparison.Ordinal);
        var path = mark < 0 ? target : target[..mark];
        // A proxy's form of request names the whole address.
        if (Uri.TryCreate(path, UriKind.Absolute, out var absolute) && absolute.Scheme is "http" or "https") path = absolute.GetComponents(UriComponents.Path | UriComponents.KeepDelimiter, UriFormat.UriEscaped);
        var text = new StringBuilder(512);
        text.Append(request.Method).Append('\n').Append(CanonicalPath(path)).Append('\n');
        AppendQuery(text, mark < 0 ? "" : target[(mark + 1)..]);
        text.Append('\n');
        foreach (var name in signature.SignedHeaders)
        {
            text.Append(name).Append(':');
            if (name == "host") text.Append(request.Host.Value);
            else text.AppendJoin(',', request.Headers[name].Select(static value => Collapse(value ?? "")));
            text.Append('\n');
        }
        text.Append('\n').AppendJoin(';', signature.SignedHeaders).Append('\n');
        // What the header says the body's hash is counts only if it is; "unsigned" is what presigned requests of some services say.
        if (request.Headers[PayloadHashHeader] is [UnsignedPayload, ..]) text.Append(UnsignedPayload);
        else text.Append(Convert.ToHexStringLower(SHA256.HashData(body)));
        return text.ToString();
    }

    // Every segment is encoded once more than on the wire, for all services but S3.
    private static string CanonicalPath(string path) =>
        path.Length == 0 ? "/" : string.Join('/', path.Split('/').Select(static segment => Encode(segment)));

    private static void AppendQuery(StringBuilder text, string query)
    {
        var parameters = new List<(string Name, string Value)>();
        foreach (var part in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            var name = Decode(equals < 0 ? part : part[..equals]);
            if (name == RequestSignature.SignatureParameter) continue;
            parameters.Add((Encode(name), Encode(equals < 0 ? "" : Decode(part[(equals + 1)..]))));
        }
        parameters.Sort(static (a, b) => string.CompareOrdinal(a.Name, b.Name) is var order and not 0 ? order : string.CompareOrdinal(a.Value, b.Value));
        for (var i = 0; i < parameters.Count; i++)
        {
            if (i > 0) text.Append('&');
            text.Append(parameters[i].Name).Append('=').Append(parameters[i].Value);
        }
    }

    // "+" is a space only to forms; clients that sign send %20, and those that send a plus sign mean it.
    private static string Decode(string text) => Uri.UnescapeDataString(text);

    // RFC 3986's unreserved characters stay; everything else is %XX of its UTF-8 bytes.
    private static string Encode(string text) => Uri.EscapeDataString(text);

    private static string Collapse(string value)
    {
        var trimmed = value.AsSpan().Trim();
        if (trimmed.IndexOf("  ", StringComparison.Ordinal) < 0) return trimmed.ToString();
        var text = new StringBuilder(trimmed.Length);
        foreach (var character in trimmed)
            if (character != ' ' || text[^1] != ' ') text.Append(character);
        return text.ToString();
    }
}

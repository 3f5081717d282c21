using System.Text;
using Dragoman.Broker.Security;
using Dragoman.Protocols.Authentication;

namespace Dragoman.Kafka.Sessions;

/// <summary>How a step of a SASL exchange ended.</summary>
/// <param name="Answer">The bytes for the client; null if the exchange failed.</param>
/// <param name="Identity">Who the client is, once that is known.</param>
/// <param name="Expires">When the client has to prove it anew; null for never.</param>
/// <param name="Error">Why it failed, as the client may know it.</param>
internal readonly record struct SaslStep(byte[]? Answer, ClientIdentity? Identity = null, DateTimeOffset? Expires = null, string? Error = null);

/// <summary>One SASL exchange of a Kafka client, whatever the mechanism.</summary>
internal sealed class SaslExchange(Authenticator authenticator, string mechanism, string host)
{
    private const string Plain = "PLAIN";
    private const string Scram256 = "SCRAM-SHA-256";
    private const string Scram512 = "SCRAM-SHA-512";
    private const string OAuthBearer = "OAUTHBEARER";

    private readonly ScramServer? _scram = mechanism switch
    {
        Scram256 => new ScramServer(authenticator.Accounts, ScramHash.Sha256),
        Scram512 => new ScramServer(authenticator.Accounts, ScramHash.Sha512),
        _ => null,
    };

    private bool _challenged;

    /// <summary>The mechanisms that are served.</summary>
    public static List<string> Mechanisms { get; } = [Plain, Scram256, Scram512, OAuthBearer];

    /// <summary>The mechanism.</summary>
    public string Mechanism => mechanism;

    /// <summary>Takes the client's next message.</summary>
    public SaslStep Step(ReadOnlySpan<byte> message) => mechanism switch
    {
        Plain => CheckPlain(message),
        OAuthBearer => CheckToken(message),
        _ => CheckScram(message),
    };

    private static SaslStep Fail(string mechanism) => new(null, Error: $"Authentication failed: {mechanism} with these credentials is not accepted.");

    /// <summary>Authorization identity, name and password, with a zero between them (RFC 4616).</summary>
    private SaslStep CheckPlain(ReadOnlySpan<byte> message)
    {
        var parts = Encoding.UTF8.GetString(message).Split('\0');
        if (parts.Length != 3) return new SaslStep(null, Error: "A PLAIN message has three parts with a zero between them (RFC 4616).");
        // Kafka refuses to act for somebody else, too.
        if (parts[0].Length > 0 && parts[0] != parts[1]) return Fail(mechanism);
        return authenticator.CheckPassword(parts[1], parts[2], host) is { } identity ? new SaslStep([], identity) : Fail(mechanism);
    }

    private SaslStep CheckScram(ReadOnlySpan<byte> message)
    {
        if (!_challenged)
        {
            _challenged = true;
            return _scram!.First(message) is { } challenge ? new SaslStep(challenge) : new SaslStep(null, Error: "The first SCRAM message is malformed (RFC 5802).");
        }
        return _scram!.Final(message) is { } last ? new SaslStep(last, new ClientIdentity(authenticator.Accounts, _scram.User, host)) : Fail(mechanism);
    }

    /// <summary>A header, then key-value pairs, each ended by 0x01 (RFC 7628).</summary>
    private SaslStep CheckToken(ReadOnlySpan<byte> message)
    {
        if (_challenged) return Fail(mechanism);
        const string Bearer = "auth=Bearer ";
        var token = Encoding.UTF8.GetString(message).Split('\u0001').FirstOrDefault(p => p.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))?[Bearer.Length..].Trim();
        if (token is not null && authenticator.CheckToken(token, host, out var expires) is { } identity) return new SaslStep([], identity, expires);
        // RFC 7628 has the server send its error as a challenge, which the client acknowledges; Kafka's own brokers do.
        _challenged = true;
        return new SaslStep("{\"status\":\"invalid_token\"}"u8.ToArray());
    }
}

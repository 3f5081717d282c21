using System.Net;
using System.Security.Cryptography.X509Certificates;
using Dragoman.Broker.Security;

namespace Dragoman.Protocols.Authentication;

/// <summary>Says who a client is. One for all front ends: protocols differ in how credentials travel, not in what they are worth.</summary>
/// <param name="accounts">The users.</param>
/// <param name="allowAnonymous">Whether clients that do not log in are let in although there are users.</param>
/// <param name="tokens">Checks access tokens of others' making (JWT); null if none are taken.</param>
public sealed class Authenticator(IAccounts accounts, bool allowAnonymous = false, JwtTokens? tokens = null)
{
    /// <summary>RabbitMQ's user that is there from the start.</summary>
    public const string Guest = "guest";

    /// <summary>The users and permissions.</summary>
    public IAccounts Accounts { get; } = accounts;

    /// <summary>How often clients tried to log in, as far as front ends count.</summary>
    public LoginAttempts Attempts { get; } = new();

    /// <summary>
    /// Whether the user <c>guest</c> may log in from this machine only, as with RabbitMQ (<c>loopback_users</c>): its definitions
    /// bring that user along, with a password that everybody knows.
    /// </summary>
    public bool GuestOnlyFromLoopback { get; init; } = true;

    /// <summary>Whether a client has to log in before it may do anything.</summary>
    public bool RequiresLogin => Accounts.IsEnabled && !allowAnonymous;

    /// <summary>Whether access tokens (JWT) are taken.</summary>
    public bool TakesJwt => tokens is not null;

    /// <summary>The client that has not logged in, from an address.</summary>
    public ClientIdentity Anonymous(string host) => new(Accounts, null, host);

    /// <summary>The client with a name and a password; null if these are not a user's.</summary>
    public ClientIdentity? CheckPassword(string name, string password, string host)
    {
        if (GuestOnlyFromLoopback && name == Guest && !IsLoopback(host)) return null;
        return Accounts.CheckPassword(name, password) is { } user ? new ClientIdentity(Accounts, user.Name, host) : null;
    }

    /// <summary>The client with a token: one of a user's, or a JWT, whose subject it is; null if it is neither.</summary>
    /// <param name="token">The token.</param>
    /// <param name="host">The client's address.</param>
    /// <param name="expires">When the token ends; null if it does not.</param>
    public ClientIdentity? CheckToken(string token, string host, out DateTimeOffset? expires)
    {
        expires = null;
        if (Accounts.FindToken(token) is { } user) return new ClientIdentity(Accounts, user.Name, host);
        if (tokens?.Check(token) is not { } checkedToken) return null;
        expires = checkedToken.Expires;
        return new ClientIdentity(Accounts, checkedToken.Subject, host);
    }

    /// <summary>
    /// The client with a certificate: the user of the certificate's whole subject, or of its common name; null if there
    /// is no such user.
    /// </summary>
    public ClientIdentity? FromCertificate(X509Certificate2? certificate, string host)
    {
        if (certificate is null) return null;
        var user = Accounts.Find(certificate.Subject) ?? Accounts.Find(certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false));
        return user is null ? null : new ClientIdentity(Accounts, user.Name, host);
    }

    /// <summary>Whether an address is this machine's own; what is no address, such as a socket's path, is.</summary>
    private static bool IsLoopback(string host) => !IPAddress.TryParse(host, out var address) || IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
}

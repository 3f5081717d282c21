using System.Net;
using System.Security.Cryptography.X509Certificates;
using Dragoman.Protocols.Authentication;

namespace Dragoman.Redis.Access;

/// <summary>Redis' log-in: a name and a password, a token as the password, or a client certificate.</summary>
/// <param name="authenticator">Knows the users.</param>
internal sealed class RedisLogin(Authenticator authenticator)
{
    /// <summary>The user whose password a client gives that names no user.</summary>
    public const string DefaultUser = "default";

    /// <summary>Whether there are users.</summary>
    public bool IsEnabled => authenticator.Accounts.IsEnabled;

    /// <summary>The permissions.</summary>
    public Broker.Security.IAccounts Accounts => authenticator.Accounts;

    /// <summary>Who a client is that has said nothing yet, and whether that is enough to do something.</summary>
    public (ClientIdentity Identity, bool IsLoggedIn) Begin(EndPoint? remote, X509Certificate2? certificate)
    {
        var host = HostOf(remote);
        if (IsEnabled && authenticator.FromCertificate(certificate, host) is { } known) return (known, true);
        return (authenticator.Anonymous(host), !authenticator.RequiresLogin);
    }

    /// <summary>Checks a name and a password; null if the two do not match. Where there are no users, everybody is who they say.</summary>
    public ClientIdentity? Check(string name, string password, EndPoint? remote)
    {
        var host = HostOf(remote);
        if (!IsEnabled) return new ClientIdentity(authenticator.Accounts, name, host);
        return authenticator.CheckPassword(name, password, host) ?? authenticator.CheckToken(password, host, out _);
    }

    private static string HostOf(EndPoint? remote) => (remote as IPEndPoint)?.Address.ToString() ?? "";
}

using System.Net;
using System.Security.Cryptography.X509Certificates;
using Dragoman.Broker.Namespaces;
using Dragoman.Protocols.Authentication;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Amqp.Access;

/// <summary>Who has logged in.</summary>
/// <param name="Name">The name under which the client may publish.</param>
/// <param name="Identity">What that allows.</param>
/// <param name="HasToken">Whether it was a token that said so, which ends.</param>
internal sealed record AmqpUser(string Name, ClientIdentity Identity, bool HasToken = false);

/// <summary>AMQP's log-in: a name and a password, a token as the password, or a certificate.</summary>
/// <param name="authenticator">Knows the users.</param>
internal sealed class AmqpLogin(Authenticator authenticator)
{
    /// <summary>RabbitMQ's tag of users that may publish under the names of others.</summary>
    private const string ImpersonatorTag = "impersonator";

    /// <summary>What RabbitMQ calls the protocol where it counts log-ins.</summary>
    private const string Protocol = "amqp091";

    /// <summary>Checks a name and a password.</summary>
    /// <returns>Null if the two do not match. Where there are no users, everybody is who they say.</returns>
    public AmqpUser? Check(string name, string password, EndPoint? remote)
    {
        var user = Find(name, password, remote);
        authenticator.Attempts.Count(Protocol, user is not null);
        return user;
    }

    private AmqpUser? Find(string name, string password, EndPoint? remote)
    {
        var host = HostOf(remote);
        if (!authenticator.Accounts.IsEnabled) return new AmqpUser(name, new ClientIdentity(authenticator.Accounts, name, host));
        if (authenticator.CheckPassword(name, password, host) is { } user) return new AmqpUser(name, user);
        // As with RabbitMQ's OAuth 2 plug-in, a token travels in the place of a password, whatever the name.
        if (authenticator.CheckToken(password, host, out _) is { User: { } owner } byToken) return new AmqpUser(owner, byToken, HasToken: true);
        return authenticator.RequiresLogin ? null : new AmqpUser(name, authenticator.Anonymous(host));
    }

    /// <summary>Takes a client certificate that TLS has verified for a log-in.</summary>
    public AmqpUser? Check(X509Certificate2 certificate, EndPoint? remote)
    {
        var host = HostOf(remote);
        if (!authenticator.Accounts.IsEnabled)
        {
            var name = certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false);
            return new AmqpUser(name, new ClientIdentity(authenticator.Accounts, name, host));
        }
        return authenticator.FromCertificate(certificate, host) is { User: { } owner } identity ? new AmqpUser(owner, identity) : null;
    }

    /// <summary>Whether a user may use a virtual host: administrators may, and whoever has a permission there.</summary>
    public bool MayEnter(AmqpUser user, NamespaceName space)
    {
        var accounts = authenticator.Accounts;
        return accounts.Find(user.Name) is { IsAdministrator: true } || VirtualHosts.MayEnter(accounts, user.Identity.User, space);
    }

    /// <summary>Whether a user may publish under another's name.</summary>
    public bool MayImpersonate(AmqpUser user) => MayImpersonate(user.Name);

    /// <inheritdoc cref="MayImpersonate(AmqpUser)"/>
    public bool MayImpersonate(string user) => authenticator.Accounts.Find(user)?.Tags.Contains(ImpersonatorTag) ?? false;

    private static string HostOf(EndPoint? remote) => (remote as IPEndPoint)?.Address.ToString() ?? "";
}

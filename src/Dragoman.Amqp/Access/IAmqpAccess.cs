using System.Net;
using System.Security.Cryptography.X509Certificates;
using Dragoman.Broker.Namespaces;

namespace Dragoman.Amqp.Access;

/// <summary>What a connection wants to do with a queue or an exchange.</summary>
public enum AmqpPermission
{
    /// <summary>Declare or delete it.</summary>
    Configure,

    /// <summary>Publish to it, or bind it as a target.</summary>
    Write,

    /// <summary>Consume from it, or bind it as a source.</summary>
    Read,
}

/// <summary>Who has logged in.</summary>
/// <param name="Name">The user's name.</param>
/// <param name="MayImpersonate">Whether the user may publish under the <c>user-id</c> of another (RabbitMQ's tag <c>impersonator</c>).</param>
public sealed record AmqpUser(string Name, bool MayImpersonate = false);

/// <summary>Decides who may connect and do what: the seam to the broker's accounts.</summary>
public interface IAmqpAccess
{
    /// <summary>Checks a name and a password.</summary>
    /// <returns>The user, or null if the two do not match or the user may not connect from there.</returns>
    ValueTask<AmqpUser?> AuthenticateAsync(string name, string password, EndPoint? remote);

    /// <summary>Takes a client certificate that TLS has verified for a log-in.</summary>
    ValueTask<AmqpUser?> AuthenticateAsync(X509Certificate2 certificate);

    /// <summary>Whether there is a namespace behind a virtual host's name; null if not.</summary>
    NamespaceName? FindVirtualHost(string name);

    /// <summary>Whether a user may use a namespace at all.</summary>
    bool MayEnter(AmqpUser user, NamespaceName space);

    /// <summary>Whether a user may do something.</summary>
    bool Allows(AmqpUser user, NamespaceName space, string name, AmqpPermission permission);
}

/// <summary>Access where no users are defined: everybody may do everything. <c>serve</c> sees to it that this stays on the machine.</summary>
public sealed class OpenAccess : IAmqpAccess
{
    /// <inheritdoc/>
    public ValueTask<AmqpUser?> AuthenticateAsync(string name, string password, EndPoint? remote) => ValueTask.FromResult<AmqpUser?>(new AmqpUser(name));

    /// <inheritdoc/>
    public ValueTask<AmqpUser?> AuthenticateAsync(X509Certificate2 certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return ValueTask.FromResult<AmqpUser?>(new AmqpUser(certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false)));
    }

    /// <inheritdoc/>
    public NamespaceName? FindVirtualHost(string name) => VirtualHosts.ToNamespace(name);

    /// <inheritdoc/>
    public bool MayEnter(AmqpUser user, NamespaceName space) => true;

    /// <inheritdoc/>
    public bool Allows(AmqpUser user, NamespaceName space, string name, AmqpPermission permission) => true;
}

using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Protocols.Authentication;

/// <summary>Who is at the other end of a connection, and what that allows.</summary>
/// <param name="accounts">The permissions.</param>
/// <param name="user">The user's name; null for a client that has not logged in.</param>
/// <param name="host">The client's address.</param>
public sealed class ClientIdentity(IAccounts accounts, string? user, string host)
{
    private const int MaxRemembered = 4096;

    // No name that anything here may have is longer; one that a client makes up is not worth its memory.
    private const int LongestName = 512;

    private readonly Dictionary<(Operations, ResourceKind, NamespaceName?, string), bool> _decisions = [];
    private long _version = -1;

    /// <summary>The user's name; null for a client that has not logged in.</summary>
    public string? User { get; } = user;

    /// <summary>The client's address.</summary>
    public string Host { get; } = host;

    /// <summary>Whether the client may do something. Decisions are remembered until permissions change.</summary>
    public bool Allows(Operations operation, ResourceKind kind, NamespaceName? ns, string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!accounts.IsEnabled) return true;
        if (name.Length > LongestName) return accounts.Allows(User, Host, operation, kind, ns, name);
        lock (_decisions)
        {
            var version = accounts.Version;
            if (_version != version || _decisions.Count >= MaxRemembered)
            {
                _decisions.Clear();
                _version = version;
            }
            if (_decisions.TryGetValue((operation, kind, ns, name), out var known)) return known;
            return _decisions[(operation, kind, ns, name)] = accounts.Allows(User, Host, operation, kind, ns, name);
        }
    }

    /// <summary>Whether the client may do something with at least one resource of a kind.</summary>
    public bool AllowsAny(Operations operation, ResourceKind kind) => accounts.AllowsAny(User, Host, operation, kind);

    /// <summary>Whether the client may use a routing key at a topic that it may use.</summary>
    public bool AllowsKey(Operations operation, TopicName topic, string routingKey)
    {
        ArgumentNullException.ThrowIfNull(topic);
        return accounts.AllowsKey(User, operation, topic, routingKey, VirtualHosts.FromNamespace(topic.Namespace));
    }
}

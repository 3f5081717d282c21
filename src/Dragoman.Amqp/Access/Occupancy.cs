using Dragoman.Amqp.Sessions;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Parameters;
using Dragoman.Broker.Queues;

namespace Dragoman.Amqp.Access;

/// <summary>
/// Counts the connections of virtual hosts and users and the channels of users, and holds them against the limits of the two
/// (rabbitmq.com, "Virtual Hosts" and "Per-user Limits").
/// </summary>
internal sealed class Occupancy(Broker.Broker broker)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<NamespaceName, int> _connections = [];
    private readonly Dictionary<string, int> _ofUsers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _channels = new(StringComparer.Ordinal);

    /// <summary>Counts a connection in.</summary>
    /// <exception cref="ConnectionException">A limit is reached.</exception>
    public void Enter(AmqpSession session, NamespaceName space, string virtualHost)
    {
        var user = session.User.Name;
        lock (_lock)
        {
            if (Limit(broker.Limits.Of(space), LimitNames.MaxConnections) is { } most && _connections.GetValueOrDefault(space) >= most)
                throw Errors.NotAllowed($"access to vhost '{virtualHost}' refused for user '{user}': connection limit ({most}) is reached");
            if (Limit(broker.Limits.OfUser(user), LimitNames.MaxConnections) is { } own && _ofUsers.GetValueOrDefault(user) >= own)
                throw Errors.NotAllowed($"connection refused for user '{user}': user connection limit ({own}) is reached");
            Add(_connections, space, 1);
            Add(_ofUsers, user, 1);
        }
    }

    /// <summary>Counts it out.</summary>
    public void Leave(NamespaceName space, string user)
    {
        lock (_lock)
        {
            Add(_connections, space, -1);
            Add(_ofUsers, user, -1);
        }
    }

    /// <summary>Counts a channel in.</summary>
    /// <exception cref="ConnectionException">The limit is reached.</exception>
    public void OpenChannel(string user)
    {
        lock (_lock)
        {
            if (Limit(broker.Limits.OfUser(user), LimitNames.MaxChannels) is { } most && _channels.GetValueOrDefault(user) >= most)
                throw Errors.NotAllowed($"number of channels opened for user '{user}' has reached the maximum allowed user limit of ({most})");
            Add(_channels, user, 1);
        }
    }

    /// <summary>Counts channels out.</summary>
    public void CloseChannels(string user, int count)
    {
        if (count == 0) return;
        lock (_lock) Add(_channels, user, -count);
    }

    /// <summary>Checks that a virtual host may have one more queue.</summary>
    /// <exception cref="ChannelException">It may not.</exception>
    public static void RequireQueue(Broker.Broker broker, QueueName queue, string virtualHost)
    {
        if (Limit(broker.Limits.Of(queue.Namespace), LimitNames.MaxQueues) is not { } most) return;
        var count = 0L;
        foreach (var other in broker.Queues.All)
            if (other.Name.Namespace == queue.Namespace) count++;
        if (count >= most) throw Errors.Precondition($"cannot declare queue '{queue.Name}': queue limit in vhost '{virtualHost}' ({most}) is reached");
    }

    private static long? Limit(IReadOnlyDictionary<string, long> limits, string name) => limits.TryGetValue(name, out var limit) && limit >= 0 ? limit : null;

    private static void Add<TKey>(Dictionary<TKey, int> counts, TKey key, int change)
        where TKey : notnull
    {
        var count = counts.GetValueOrDefault(key) + change;
        if (count > 0) counts[key] = count;
        else counts.Remove(key);
    }
}

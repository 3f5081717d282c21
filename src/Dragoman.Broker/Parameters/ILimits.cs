using Dragoman.Broker.Namespaces;

namespace Dragoman.Broker.Parameters;

/// <summary>The names of limits.</summary>
public static class LimitNames
{
    /// <summary>Connections at one time, of a namespace or a user.</summary>
    public const string MaxConnections = "max-connections";

    /// <summary>Queues of a namespace.</summary>
    public const string MaxQueues = "max-queues";

    /// <summary>Channels of all connections of a user.</summary>
    public const string MaxChannels = "max-channels";
}

/// <summary>
/// How much of something namespaces and users may have at one time. A negative limit is none. What is there when a limit is
/// set stays. A namespace's are kept as the parameter <c>limits</c> of component <c>vhost-limits</c>, where RabbitMQ has them.
/// </summary>
public interface ILimits
{
    /// <summary>The limits of a namespace, by name; empty for none.</summary>
    IReadOnlyDictionary<string, long> Of(NamespaceName space);

    /// <summary>The limits of a user, by name; empty for none.</summary>
    IReadOnlyDictionary<string, long> OfUser(string user);

    /// <summary>The namespaces that have limits.</summary>
    IReadOnlyList<NamespaceName> Namespaces { get; }

    /// <summary>The users that have limits.</summary>
    IReadOnlyList<string> Users { get; }

    /// <summary>Sets a limit of a namespace.</summary>
    ValueTask<ParameterAnswer> SetAsync(NamespaceName space, string limit, long value, CancellationToken cancellation = default);

    /// <summary>Takes one back.</summary>
    ValueTask<ParameterAnswer> RemoveAsync(NamespaceName space, string limit, CancellationToken cancellation = default);

    /// <summary>Sets a limit of a user. It goes with the user.</summary>
    ValueTask<ParameterAnswer> SetUserAsync(string user, string limit, long value, CancellationToken cancellation = default);

    /// <summary>Takes one back.</summary>
    ValueTask<ParameterAnswer> RemoveUserAsync(string user, string limit, CancellationToken cancellation = default);
}

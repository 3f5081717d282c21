using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Topics;

namespace Dragoman.Broker.Security;

/// <summary>How a change to the accounts ended.</summary>
public enum AccountStatus
{
    /// <summary>It is done, and on disk.</summary>
    Ok,

    /// <summary>There is no such user or permission.</summary>
    NotFound,

    /// <summary>A user of that name is there already.</summary>
    AlreadyExists,

    /// <summary>The name, a credential or a pattern is not acceptable.</summary>
    Invalid,

    /// <summary>Nobody could administer the broker any more.</summary>
    LastAdministrator,

    /// <summary>There is no room on disk.</summary>
    Full,

    /// <summary>The disk failed; whether the change survives is unknown.</summary>
    StorageError,
}

/// <summary>The answer to a change.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Message">What is wrong, for a person.</param>
public readonly record struct AccountAnswer(AccountStatus Status, string? Message = null);

/// <summary>
/// Users, credentials and permissions: one store for all protocols. As long as there is no user, everybody may do
/// everything; from the first on, who is not known, and what is not allowed, is refused.
/// </summary>
public interface IAccounts
{
    /// <summary>Whether there are users, so that clients have to log in.</summary>
    bool IsEnabled { get; }

    /// <summary>Rises with every change, so that decisions can be kept until the next.</summary>
    long Version { get; }

    /// <summary>The users, in the order of their names.</summary>
    IReadOnlyList<User> Users { get; }

    /// <summary>The rules, in the order in which they were made.</summary>
    IReadOnlyList<Permission> Permissions { get; }

    /// <summary>The permissions for routing keys, in the order in which they were made.</summary>
    IReadOnlyList<TopicPermission> TopicPermissions { get; }

    /// <summary>A user; null if there is none of that name.</summary>
    User? Find(string name);

    /// <summary>The user of an AWS access key, and the key; null if nobody has it.</summary>
    (User User, AccessKey Key)? FindAccessKey(string id);

    /// <summary>The user of a token; null if nobody has it.</summary>
    User? FindToken(string token);

    /// <summary>Who logs in with a name and a password; null if these are not a user's. Takes as long for a name that is unknown.</summary>
    User? CheckPassword(string name, string password);

    /// <summary>Creates a user. The first one has to be an administrator.</summary>
    ValueTask<AccountAnswer> CreateUserAsync(User user, CancellationToken cancellation = default);

    /// <summary>Changes a user. The name stays as it is.</summary>
    ValueTask<AccountAnswer> ChangeUserAsync(string name, Func<User, User> change, CancellationToken cancellation = default);

    /// <summary>Deletes a user and the user's permissions. The last administrator goes last.</summary>
    ValueTask<AccountAnswer> DeleteUserAsync(string name, CancellationToken cancellation = default);

    /// <summary>Adds rules, all or none. One that is there already is not added again.</summary>
    ValueTask<AccountAnswer> AddPermissionsAsync(IReadOnlyList<Permission> permissions, CancellationToken cancellation = default);

    /// <summary>Removes all rules that a condition picks, and says which these were.</summary>
    ValueTask<(AccountAnswer Answer, IReadOnlyList<Permission> Removed)> RemovePermissionsAsync(Predicate<Permission> picked, CancellationToken cancellation = default);

    /// <summary>Decides for one client. The answers may be kept by the caller as long as <see cref="Version"/> stays.</summary>
    /// <param name="user">The user's name; null for a client that has not logged in.</param>
    /// <param name="host">The client's address.</param>
    /// <param name="operation">What it wants to do; one operation.</param>
    /// <param name="kind">With what.</param>
    /// <param name="ns">The namespace; null where the kind has none.</param>
    /// <param name="name">The resource's name.</param>
    bool Allows(string? user, string host, Operations operation, ResourceKind kind, NamespaceName? ns, string name);

    /// <summary>Whether a client may do something with at least one resource of a kind.</summary>
    bool AllowsAny(string? user, string host, Operations operation, ResourceKind kind);

    /// <summary>Says which routing keys a user may use at a topic, in the place of what was said before.</summary>
    ValueTask<AccountAnswer> PutTopicPermissionAsync(TopicPermission permission, CancellationToken cancellation = default);

    /// <summary>Removes all permissions for routing keys that a condition picks.</summary>
    ValueTask<AccountAnswer> RemoveTopicPermissionsAsync(Predicate<TopicPermission> picked, CancellationToken cancellation = default);

    /// <summary>Whether a client may use a routing key at a topic that it may use: see <see cref="TopicPermission"/>.</summary>
    /// <param name="user">The user's name; null for a client that has not logged in.</param>
    /// <param name="operation">What for: to publish (<see cref="Operations.Write"/>) or to make routes (<see cref="Operations.Read"/>).</param>
    /// <param name="topic">The topic.</param>
    /// <param name="routingKey">The routing key.</param>
    /// <param name="space">What patterns call the topic's namespace.</param>
    bool AllowsKey(string? user, Operations operation, TopicName topic, string routingKey, string space);
}

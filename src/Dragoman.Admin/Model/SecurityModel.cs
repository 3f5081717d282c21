namespace Dragoman.Admin.Model;

/// <summary>Users.</summary>
/// <param name="Users">In the order of their names.</param>
public sealed record UserList(IReadOnlyList<UserModel> Users);

/// <summary>A user. Secrets are never told.</summary>
/// <param name="Name">The name.</param>
/// <param name="Tags">What the user is besides; <c>administrator</c> may do everything.</param>
/// <param name="Credentials">Kinds of credentials: <c>password</c>, <c>scram-sha-256</c>, <c>scram-sha-512</c>.</param>
/// <param name="Tokens">Names of the user's tokens.</param>
/// <param name="AccessKeys">Ids of the user's access keys.</param>
public sealed record UserModel(string Name, IReadOnlyList<string> Tags, IReadOnlyList<string> Credentials, IReadOnlyList<string> Tokens, IReadOnlyList<string> AccessKeys);

/// <summary>A user to be created.</summary>
/// <param name="Name">The name.</param>
/// <param name="Password">The password; without one the user logs in by other means.</param>
/// <param name="Tags">What the user is besides.</param>
public sealed record CreateUserRequest(string Name, string? Password = null, IReadOnlyList<string>? Tags = null);

/// <summary>Changes to a user; what is missing stays.</summary>
/// <param name="Password">The new password.</param>
/// <param name="Tags">The new tags, all of them.</param>
public sealed record ChangeUserRequest(string? Password = null, IReadOnlyList<string>? Tags = null);

/// <summary>A token to be made.</summary>
/// <param name="Name">What the user calls it.</param>
public sealed record CreateTokenRequest(string Name);

/// <summary>A token that was made: the one time that it is told.</summary>
/// <param name="Name">What the user calls it.</param>
/// <param name="Token">The token.</param>
public sealed record CreatedToken(string Name, string Token);

/// <summary>An access key to be made; what is missing is made up.</summary>
/// <param name="Id">The public part.</param>
/// <param name="Secret">The secret.</param>
public sealed record CreateAccessKeyRequest(string? Id = null, string? Secret = null);

/// <summary>An access key that was made: the one time that its secret is told.</summary>
/// <param name="Id">The public part.</param>
/// <param name="Secret">The secret.</param>
public sealed record CreatedAccessKey(string Id, string Secret);

/// <summary>Permissions.</summary>
/// <param name="Permissions">In the order in which they were made.</param>
public sealed record PermissionList(IReadOnlyList<PermissionModel> Permissions);

/// <summary>A rule of who may do what.</summary>
/// <param name="User">The user; <c>*</c> for everybody.</param>
/// <param name="Resource"><c>any</c> (topics and queues), <c>topic</c>, <c>queue</c>, <c>group</c>, <c>cluster</c>, <c>transactionalId</c>.</param>
/// <param name="Pattern">Which of them.</param>
/// <param name="Operations"><c>read</c>, <c>write</c>, <c>create</c>, <c>delete</c>, <c>alter</c>, <c>describe</c>, <c>describeConfigs</c>, <c>alterConfigs</c>, <c>idempotentWrite</c>, <c>clusterAction</c>, <c>configure</c> or <c>all</c>.</param>
/// <param name="PatternType"><c>literal</c> (the default; <c>*</c> is every name), <c>prefix</c>, <c>regex</c> or <c>glob</c>.</param>
/// <param name="Namespace">The namespace, <c>tenant/namespace</c>; everywhere if missing.</param>
/// <param name="Effect"><c>allow</c> (the default) or <c>deny</c>.</param>
/// <param name="Host">The client's address; any if missing.</param>
public sealed record PermissionModel(
    string User, string Resource, string Pattern, IReadOnlyList<string> Operations, string? PatternType = null, string? Namespace = null, string? Effect = null, string? Host = null);

/// <summary>How far to move the clock. One of the two.</summary>
/// <param name="Seconds">In seconds.</param>
/// <param name="Milliseconds">In milliseconds.</param>
public sealed record AdvanceClockRequest(double? Seconds = null, double? Milliseconds = null);

/// <summary>The clock.</summary>
/// <param name="Now">The time, as the broker takes it to be.</param>
public sealed record ClockModel(DateTimeOffset Now);

using System.Security.Cryptography;
using System.Text;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Topics;
using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Security;

/// <summary>The accounts of this node. A change is seen once it is committed.</summary>
internal sealed class Accounts : IAccounts
{
    private static readonly PasswordHash Nobody = PasswordHash.FromPassword(PasswordAlgorithm.Sha256, "", new byte[PasswordHash.SaltBytes]);

    private readonly StateLog _state;
    private readonly SecurityState _machine;
    private readonly Parameters.Parameters _parameters;
    private volatile AccountView _view;

    /// <summary>Creates the accounts.</summary>
    /// <param name="state">Where they are kept.</param>
    /// <param name="parameters">Where what hangs on users is kept, such as their limits: it comes and goes with them.</param>
    public Accounts(StateLog state, Parameters.Parameters parameters)
    {
        _state = state;
        _parameters = parameters;
        _machine = (SecurityState)state.Machine;
        _view = new AccountView(0, _machine.Users, _machine.Permissions, _machine.TopicPermissions);
        // An immutable table is looked into: users come and go under both locks, so the parameters' alone is enough for it to stay true.
        parameters.HasUser = name => _machine.Users.ContainsKey(name);
    }

    public bool IsEnabled => !_view.Users.IsEmpty;

    public long Version => _view.Version;

    public IReadOnlyList<User> Users => [.. _view.Users.Values];

    public IReadOnlyList<Permission> Permissions => _view.Permissions;

    public IReadOnlyList<TopicPermission> TopicPermissions => _view.TopicPermissions;

    public User? Find(string name) => _view.Users.GetValueOrDefault(name);

    public (User User, AccessKey Key)? FindAccessKey(string id) => _view.AccessKeys.TryGetValue(id, out var found) ? found : null;

    public User? FindToken(string token)
    {
        ArgumentNullException.ThrowIfNull(token);
        // The hash is looked up, so how long that takes tells nothing of the tokens there are.
        return _view.Tokens.GetValueOrDefault(Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token))));
    }

    public User? CheckPassword(string name, string password)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(password);
        if (Find(name) is { } user) return user.HasPassword(password) ? user : null;
        Nobody.Matches(password);
        return null;
    }

    public bool Allows(string? user, string host, Operations operation, ResourceKind kind, NamespaceName? ns, string name) => _view.Allows(user, host, operation, kind, ns, name);

    public bool AllowsAny(string? user, string host, Operations operation, ResourceKind kind) => _view.AllowsAny(user, host, operation, kind);

    public bool AllowsKey(string? user, Operations operation, TopicName topic, string routingKey, string space) => _view.AllowsKey(user, operation, topic, routingKey, space);

    public ValueTask<AccountAnswer> PutTopicPermissionAsync(TopicPermission permission, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(permission);
        return ExecuteAsync(SizeOf(permission), commit =>
        {
            if (!_machine.Users.ContainsKey(permission.User)) return NotFound(permission.User);
            _state.Emit(commit, SecurityState.PutTopicPermission(permission));
            return new AccountAnswer(AccountStatus.Ok);
        }, cancellation);
    }

    public ValueTask<AccountAnswer> RemoveTopicPermissionsAsync(Predicate<TopicPermission> picked, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(picked);
        var size = Store.TypicalCommandBytes;
        foreach (var permission in _view.TopicPermissions)
            if (picked(permission)) size += SizeOf(permission);
        var budget = size;
        return ExecuteAsync(size + Store.TypicalCommandBytes, commit =>
        {
            List<TopicPermission> removed = [];
            foreach (var permission in _machine.TopicPermissions)
            {
                if (!picked(permission)) continue;
                budget -= SizeOf(permission);
                if (budget < 0) break;
                removed.Add(permission);
            }
            foreach (var permission in removed) _state.Emit(commit, SecurityState.RemoveTopicPermission(permission));
            return new AccountAnswer(removed.Count > 0 ? AccountStatus.Ok : AccountStatus.NotFound, removed.Count > 0 ? null : "There is no such permission.");
        }, cancellation, urgent: true);
    }

    public ValueTask<AccountAnswer> CreateUserAsync(User user, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(user);
        return WithParametersAsync(user.Name, SizeOf(user), commit =>
        {
            if (_machine.Users.ContainsKey(user.Name)) return new AccountAnswer(AccountStatus.AlreadyExists, $"There is a user '{user.Name}' already.");
            if (_machine.Users.IsEmpty && !user.IsAdministrator)
                return new AccountAnswer(AccountStatus.LastAdministrator, $"The first user has to have the tag '{User.AdministratorTag}': from then on everybody has to log in, and somebody has to be able to let others in.");
            var answer = Put(commit, user);
            // Earlier versions left behind what hung on users who were deleted. It is not the new one's.
            if (answer.Status == AccountStatus.Ok) _parameters.RemoveOfUser(commit, user.Name);
            return answer;
        }, urgent: false, cancellation);
    }

    public ValueTask<AccountAnswer> ChangeUserAsync(string name, Func<User, User> change, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(change);
        if (Find(name) is not { } known) return ValueTask.FromResult(NotFound(name));
        // The change is computed again under the lock; what it adds is small in any case.
        return ExecuteAsync(SizeOf(change(known)) * 2, commit =>
        {
            if (!_machine.Users.TryGetValue(name, out var current)) return NotFound(name);
            var changed = change(current) with { Name = name };
            if (current.IsAdministrator && !changed.IsAdministrator && IsLastAdministrator(name))
                return new AccountAnswer(AccountStatus.LastAdministrator, $"'{name}' is the last administrator.");
            return Put(commit, changed);
        }, cancellation);
    }

    public ValueTask<AccountAnswer> DeleteUserAsync(string name, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(name);
        return WithParametersAsync(name, Store.TypicalCommandBytes, commit =>
        {
            if (!_machine.Users.TryGetValue(name, out var user)) return NotFound(name);
            if (user.IsAdministrator && _machine.Users.Count > 1 && IsLastAdministrator(name))
                return new AccountAnswer(AccountStatus.LastAdministrator, $"'{name}' is the last administrator, and there are other users.");
            _state.Emit(commit, SecurityState.RemoveUser(name));
            _parameters.RemoveOfUser(commit, name);
            return new AccountAnswer(AccountStatus.Ok);
        }, urgent: true, cancellation);
    }

    public ValueTask<AccountAnswer> AddPermissionsAsync(IReadOnlyList<Permission> permissions, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(permissions);
        var size = Store.TypicalCommandBytes;
        foreach (var permission in permissions) size += SizeOf(permission);
        return ExecuteAsync(size, commit =>
        {
            foreach (var permission in permissions)
            {
                if (permission.Operations == Operations.None) return new AccountAnswer(AccountStatus.Invalid, "A permission names at least one operation.");
            }
            foreach (var permission in permissions)
                if (!_machine.Permissions.Contains(permission)) _state.Emit(commit, SecurityState.AddPermission(permission));
            return new AccountAnswer(AccountStatus.Ok);
        }, cancellation);
    }

    public async ValueTask<(AccountAnswer Answer, IReadOnlyList<Permission> Removed)> RemovePermissionsAsync(Predicate<Permission> picked, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(picked);
        var size = Store.TypicalCommandBytes;
        foreach (var permission in _view.Permissions)
            if (picked(permission)) size += SizeOf(permission);
        // What was added in between fits in as well, or stays.
        var budget = size;
        List<Permission> removed = [];
        var answer = await ExecuteAsync(size + Store.TypicalCommandBytes, commit =>
        {
            foreach (var permission in _machine.Permissions)
            {
                if (!picked(permission)) continue;
                budget -= SizeOf(permission);
                if (budget < 0) break;
                removed.Add(permission);
            }
            foreach (var permission in removed) _state.Emit(commit, SecurityState.RemovePermission(permission));
            return new AccountAnswer(removed.Count > 0 ? AccountStatus.Ok : AccountStatus.NotFound, removed.Count > 0 ? null : "There is no such permission.");
        }, cancellation, urgent: true);
        return (answer, answer.Status == AccountStatus.Ok ? removed : []);
    }

    private AccountAnswer Put(Commit commit, User user)
    {
        if (user.Name.Length is 0 or > User.MaxNameLength || user.Name == Permission.Everyone)
            return new AccountAnswer(AccountStatus.Invalid, $"A user's name has between 1 and {User.MaxNameLength} characters, and is not '{Permission.Everyone}'.");
        foreach (var key in user.Credentials.OfType<AccessKey>())
            foreach (var other in _machine.Users.Values)
                if (other.Name != user.Name && other.Credentials.OfType<AccessKey>().Any(k => k.Id == key.Id))
                    return new AccountAnswer(AccountStatus.Invalid, $"The access key '{key.Id}' is another user's.");
        _state.Emit(commit, SecurityState.PutUser(user));
        return new AccountAnswer(AccountStatus.Ok);
    }

    private bool IsLastAdministrator(string name)
    {
        foreach (var user in _machine.Users.Values)
            if (user.IsAdministrator && user.Name != name) return false;
        return true;
    }

    private static AccountAnswer NotFound(string name) => new(AccountStatus.NotFound, $"There is no user '{name}'.");

    private static int SizeOf(User user)
    {
        var size = Store.TypicalCommandBytes + 3 * user.Name.Length;
        foreach (var tag in user.Tags) size += 8 + 3 * tag.Length;
        foreach (var credential in user.Credentials)
            size += 256 + 3 * (credential switch { AccessKey key => key.Id.Length + key.Secret.Length, TokenHash token => token.Name.Length, ScramCredential scram => scram.Salt.Length, _ => 0 });
        return size;
    }

    private static int SizeOf(Permission permission) =>
        128 + 3 * (permission.User.Length + permission.Pattern.Text.Length + permission.Host.Length + (permission.Namespace?.Tenant.Length + permission.Namespace?.Name.Length ?? 0));

    private static int SizeOf(TopicPermission permission) =>
        128 + 3 * (permission.User.Length + permission.Topic.Namespace.Tenant.Length + permission.Topic.Namespace.Name.Length + permission.Topic.Name.Length + permission.Write.Length + permission.Read.Length);

    private ValueTask<AccountAnswer> ExecuteAsync(int maxBytes, Func<Commit, AccountAnswer> decide, CancellationToken cancellation, bool urgent = false) =>
        PublishAsync(_state.ExecuteAsync(CommitMode.Fsync, decide, maxBytes, urgent, cancellation));

    /// <summary>Changes a user and the parameters that hang on it in one commit.</summary>
    private async ValueTask<AccountAnswer> WithParametersAsync(string name, int maxBytes, Func<Commit, AccountAnswer> decide, bool urgent, CancellationToken cancellation)
    {
        var answer = await PublishAsync(_state.ExecuteWithAsync(CommitMode.Fsync, _parameters.State, decide, maxBytes + Parameters.Parameters.SizeOfRemoval(name), urgent, cancellation));
        if (answer.Status == AccountStatus.Ok) _parameters.PublishOfUser(name);
        return answer;
    }

    private async ValueTask<AccountAnswer> PublishAsync(ValueTask<AccountAnswer> command)
    {
        try
        {
            var answer = await command;
            lock (_state.Lock)
            {
                if (_view.Users != _machine.Users || _view.Permissions != _machine.Permissions || _view.TopicPermissions != _machine.TopicPermissions)
                    _view = new AccountView(_view.Version + 1, _machine.Users, _machine.Permissions, _machine.TopicPermissions);
            }
            return answer;
        }
        catch (StorageFullException error)
        {
            return new AccountAnswer(AccountStatus.Full, error.Message);
        }
        catch (StoreFailedException error)
        {
            return new AccountAnswer(AccountStatus.StorageError, error.Message);
        }
    }
}

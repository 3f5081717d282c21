using System.Security.Cryptography;
using System.Text;
using Dragoman.Admin.Http;
using Dragoman.Admin.Model;
using Dragoman.Broker.Security;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.Resources;

/// <summary><c>/_dragoman/v1/users</c>: who may log in, and by what.</summary>
internal sealed class UsersResource(AdminNode node)
{
    private const int TokenBytes = 32;
    private const int SaltBytes = 36;

    private IAccounts Accounts => node.Broker.Accounts;

    /// <summary>The collection: list and create.</summary>
    public Task HandleAllAsync(HttpContext context)
    {
        var method = context.Request.Method;
        if (HttpMethods.IsGet(method) || HttpMethods.IsHead(method)) return Json.WriteAsync(context, new UserList([.. Accounts.Users.Select(Describe)]), AdminJson.Default.UserList);
        if (HttpMethods.IsPost(method)) return CreateAsync(context);
        throw RequestPath.NotAllowed(context, "GET, HEAD, POST");
    }

    /// <summary>One user: describe, change and delete.</summary>
    public Task HandleOneAsync(HttpContext context, string name)
    {
        var method = context.Request.Method;
        if (HttpMethods.IsGet(method) || HttpMethods.IsHead(method)) return Json.WriteAsync(context, Describe(Find(name)), AdminJson.Default.UserModel);
        if (HttpMethods.IsPatch(method)) return ChangeAsync(context, name);
        if (HttpMethods.IsDelete(method)) return DeleteAsync(context, name);
        throw RequestPath.NotAllowed(context, "GET, HEAD, PATCH, DELETE");
    }

    /// <summary>Makes a token for a user.</summary>
    public async Task CreateTokenAsync(HttpContext context, string name)
    {
        RequestPath.RequireMethod(context, HttpMethods.Post);
        var request = await Json.ReadAsync(context, AdminJson.Default.CreateTokenRequest);
        if (Find(name).Credentials.OfType<TokenHash>().Any(t => t.Name == request.Name)) throw ProblemException.BadRequest($"'{name}' has a token '{request.Name}' already.");
        var token = "drg_" + Base64Url(RandomNumberGenerator.GetBytes(TokenBytes));
        var hash = new TokenHash(request.Name, [.. SHA256.HashData(Encoding.UTF8.GetBytes(token))]);
        Succeeded(await Accounts.ChangeUserAsync(name, user => user with { Credentials = user.Credentials.Add(hash) }));
        await Json.WriteAsync(context, new CreatedToken(request.Name, token), AdminJson.Default.CreatedToken, StatusCodes.Status201Created);
    }

    /// <summary>Takes a token from a user.</summary>
    public Task DeleteTokenAsync(HttpContext context, string name, string token) =>
        RemoveAsync(context, name, credential => credential is TokenHash known && known.Name == token, $"'{name}' has no token '{token}'.");

    /// <summary>Makes an access key for a user.</summary>
    public async Task CreateAccessKeyAsync(HttpContext context, string name)
    {
        RequestPath.RequireMethod(context, HttpMethods.Post);
        var request = await Json.ReadAsync(context, AdminJson.Default.CreateAccessKeyRequest);
        Find(name);
        var key = new AccessKey(request.Id ?? "AKIA" + Convert.ToHexString(RandomNumberGenerator.GetBytes(8)), request.Secret ?? Base64Url(RandomNumberGenerator.GetBytes(30)));
        Succeeded(await Accounts.ChangeUserAsync(name, user => user with { Credentials = user.Credentials.RemoveAll(c => c is AccessKey known && known.Id == key.Id).Add(key) }));
        await Json.WriteAsync(context, new CreatedAccessKey(key.Id, key.Secret), AdminJson.Default.CreatedAccessKey, StatusCodes.Status201Created);
    }

    /// <summary>Takes an access key from a user.</summary>
    public Task DeleteAccessKeyAsync(HttpContext context, string name, string id) =>
        RemoveAsync(context, name, credential => credential is AccessKey known && known.Id == id, $"'{name}' has no access key '{id}'.");

    private async Task RemoveAsync(HttpContext context, string name, Predicate<Credential> picked, string missing)
    {
        RequestPath.RequireMethod(context, HttpMethods.Delete);
        if (!Find(name).Credentials.Any(c => picked(c))) throw ProblemException.NotFound(missing);
        Succeeded(await Accounts.ChangeUserAsync(name, user => user with { Credentials = user.Credentials.RemoveAll(picked) }));
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task CreateAsync(HttpContext context)
    {
        var request = await Json.ReadAsync(context, AdminJson.Default.CreateUserRequest);
        var user = new User(request.Name, [.. request.Tags ?? []], []);
        if (request.Password is { } password) user = user.WithPassword(CheckPassword(password), RandomNumberGenerator.GetBytes(SaltBytes));
        Succeeded(await Accounts.CreateUserAsync(user));
        context.Response.Headers.Location = $"/_dragoman/v1/users/{Uri.EscapeDataString(user.Name)}";
        await Json.WriteAsync(context, Describe(user), AdminJson.Default.UserModel, StatusCodes.Status201Created);
    }

    private async Task ChangeAsync(HttpContext context, string name)
    {
        var request = await Json.ReadAsync(context, AdminJson.Default.ChangeUserRequest);
        Find(name);
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        if (request.Password is { } given) CheckPassword(given);
        Succeeded(await Accounts.ChangeUserAsync(name, user =>
        {
            if (request.Tags is { } tags) user = user with { Tags = [.. tags] };
            return request.Password is { } password ? user.WithPassword(password, salt) : user;
        }));
        await Json.WriteAsync(context, Describe(Find(name)), AdminJson.Default.UserModel);
    }

    private async Task DeleteAsync(HttpContext context, string name)
    {
        Succeeded(await Accounts.DeleteUserAsync(name));
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private User Find(string name) => Accounts.Find(name) ?? throw ProblemException.NotFound($"There is no user '{name}'.");

    private static string CheckPassword(string password) => password.Length > 0 ? password : throw ProblemException.BadRequest("A password has at least one character.");

    private static UserModel Describe(User user) => new(
        user.Name, user.Tags,
        [.. user.Credentials.Select(KindOf).OfType<string>()],
        [.. user.Credentials.OfType<TokenHash>().Select(t => t.Name)],
        [.. user.Credentials.OfType<AccessKey>().Select(k => k.Id)]);

    private static string? KindOf(Credential credential) => credential switch
    {
        PasswordHash => "password",
        ScramCredential { Hash: ScramHash.Sha256 } => "scram-sha-256",
        ScramCredential => "scram-sha-512",
        _ => null,
    };

    private static string Base64Url(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    /// <exception cref="ProblemException">The change was not made.</exception>
    internal static void Succeeded(AccountAnswer answer)
    {
        if (answer.Status == AccountStatus.Ok) return;
        var (status, title) = answer.Status switch
        {
            AccountStatus.NotFound => (StatusCodes.Status404NotFound, "Not found"),
            AccountStatus.AlreadyExists => (StatusCodes.Status409Conflict, "Already there"),
            AccountStatus.LastAdministrator => (StatusCodes.Status409Conflict, "Last administrator"),
            AccountStatus.Invalid => (StatusCodes.Status400BadRequest, "Bad request"),
            AccountStatus.Full => (StatusCodes.Status507InsufficientStorage, "Disk full"),
            _ => (StatusCodes.Status503ServiceUnavailable, "Disk failed"),
        };
        throw new ProblemException(status, title, answer.Message ?? answer.Status.ToString());
    }
}

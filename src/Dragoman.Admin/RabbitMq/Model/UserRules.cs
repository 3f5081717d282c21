using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Dragoman.Admin.RabbitMq.Http;
using Dragoman.Broker.Security;

namespace Dragoman.Admin.RabbitMq.Model;

/// <summary>RabbitMQ's users, and what the broker keeps of them.</summary>
internal static class UserRules
{
    private const int SaltBytes = 36;

    /// <summary>A user as the API shows it, with the hash of the password.</summary>
    public static JsonObject ToJson(User user)
    {
        var hash = user.Credentials.OfType<PasswordHash>().FirstOrDefault();
        return new JsonObject
        {
            ["name"] = user.Name,
            ["password_hash"] = hash is null ? "" : Convert.ToBase64String(hash.Salted.AsSpan()),
            ["hashing_algorithm"] = NameOf(hash?.Algorithm ?? PasswordAlgorithm.Sha256),
            ["tags"] = new JsonArray([.. user.Tags.Select(static t => (JsonNode)t)]),
            ["limits"] = new JsonObject(),
        };
    }

    /// <summary>Makes a user, or says anew how one logs in and with what tags.</summary>
    /// <returns>Whether the user was made now.</returns>
    /// <exception cref="ManagementException">It cannot be.</exception>
    public static async Task<bool> PutAsync(IAccounts accounts, string name, JsonObject body)
    {
        if (body["tags"] is null && body["administrator"] is null) throw ManagementException.BadRequest("tags_not_present");
        ImmutableArray<string> tags = body["tags"] is { } given ? [.. VhostJson.ReadTags(given).Select(static t => t!.GetValue<string>())] : Body.Flag(body, "administrator") ? [User.AdministratorTag] : [];
        var apply = Credentials(body);
        User Change(User user) => apply(user with { Tags = tags });
        if (accounts.Find(name) is not null)
        {
            Succeeded(await accounts.ChangeUserAsync(name, Change));
            return false;
        }
        var answer = await accounts.CreateUserAsync(Change(new User(name, tags, [])));
        if (answer.Status != AccountStatus.AlreadyExists)
        {
            Succeeded(answer);
            return true;
        }
        Succeeded(await accounts.ChangeUserAsync(name, Change));
        return false;
    }

    /// <exception cref="ManagementException">The change was not made.</exception>
    public static void Succeeded(AccountAnswer answer)
    {
        if (answer.Status == AccountStatus.Ok) return;
        throw answer.Status switch
        {
            AccountStatus.NotFound => ManagementException.NotFound(),
            AccountStatus.Full or AccountStatus.StorageError => ManagementException.Unavailable(answer.Message ?? "The disk is full, or has failed."),
            _ => ManagementException.BadRequest(answer.Message ?? answer.Status.ToString()),
        };
    }

    private static Func<User, User> Credentials(JsonObject body)
    {
        if (body["password"] is not null)
        {
            if (body["password_hash"] is not null) throw ManagementException.BadRequest("both_password_and_password_hash_are_provided");
            var password = Body.Text(body, "password");
            if (password.Length == 0) throw ManagementException.BadRequest("Password must not be blank");
            var salt = RandomNumberGenerator.GetBytes(SaltBytes);
            return user => user.WithPassword(password, salt);
        }
        var hash = Body.Text(body, "password_hash");
        var algorithm = Algorithm(Body.Text(body, "hashing_algorithm", "rabbit_password_hashing_sha256"));
        var salted = new byte[hash.Length];
        if (!Convert.TryFromBase64String(hash, salted, out var length)) throw ManagementException.BadTerm("not_base64", hash);
        // A hash says nothing of what other protocols derive from a password, and none at all lets nobody in.
        PasswordHash? credential = length == 0 && algorithm == PasswordAlgorithm.Sha256 ? null : new PasswordHash(algorithm, [.. salted.AsSpan(0, length)]);
        return user =>
        {
            var same = credential is not null && user.Credentials.OfType<PasswordHash>().Any(c => c.Algorithm == credential.Algorithm && c.Salted.AsSpan().SequenceEqual(credential.Salted.AsSpan()));
            if (same) return user;
            var others = user.Credentials.Where(static c => c is not (ScramCredential or PasswordHash));
            return user with { Credentials = credential is null ? [.. others] : [.. others, credential] };
        };
    }

    private static string NameOf(PasswordAlgorithm algorithm) => algorithm switch
    {
        PasswordAlgorithm.Sha512 => "rabbit_password_hashing_sha512",
        PasswordAlgorithm.Md5 => "rabbit_password_hashing_md5",
        _ => "rabbit_password_hashing_sha256",
    };

    private static PasswordAlgorithm Algorithm(string name) => name switch
    {
        "rabbit_password_hashing_sha256" => PasswordAlgorithm.Sha256,
        "rabbit_password_hashing_sha512" => PasswordAlgorithm.Sha512,
        "rabbit_password_hashing_md5" => PasswordAlgorithm.Md5,
        _ => throw ManagementException.BadRequest($"Unknown hashing algorithm '{name}'"),
    };
}

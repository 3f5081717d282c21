using System.Collections.Immutable;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Security;

/// <summary>Somebody who may log in, by whatever protocol.</summary>
/// <param name="Name">Unique; at most <see cref="MaxNameLength"/> characters.</param>
/// <param name="Tags">What the user is besides, as RabbitMQ has it: see <see cref="AdministratorTag"/>.</param>
/// <param name="Credentials">How the user proves it. None: the user cannot log in, but may own permissions.</param>
public sealed record User(string Name, ImmutableArray<string> Tags, ImmutableArray<Credential> Credentials)
{
    /// <summary>The tag of those who may do everything.</summary>
    public const string AdministratorTag = "administrator";

    /// <summary>Characters of a name at most.</summary>
    public const int MaxNameLength = 255;

    /// <summary>Whether the user may do everything.</summary>
    public bool IsAdministrator => Tags.Contains(AdministratorTag);

    /// <summary>Replaces all that was derived from the user's password.</summary>
    /// <param name="password">The new password.</param>
    /// <param name="salt">At least 36 random bytes.</param>
    public User WithPassword(string password, ReadOnlySpan<byte> salt)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(salt.Length, 36);
        return this with
        {
            Credentials =
            [
                .. Credentials.Where(static c => c is not (ScramCredential or PasswordHash)),
                ScramCredential.FromPassword(ScramHash.Sha256, password, salt[..16]),
                ScramCredential.FromPassword(ScramHash.Sha512, password, salt[16..32]),
                PasswordHash.FromPassword(PasswordAlgorithm.Sha256, password, salt.Slice(32, PasswordHash.SaltBytes)),
            ],
        };
    }

    /// <summary>Whether a password is the user's.</summary>
    public bool HasPassword(string password)
    {
        // The cheapest to check comes first: they were all made from one password, or one alone is there.
        foreach (var credential in Credentials)
            if (credential is PasswordHash hash) return hash.Matches(password);
        foreach (var credential in Credentials)
            if (credential is ScramCredential scram && scram.Matches(password)) return true;
        return false;
    }

    internal void Write(in SnapshotWriter writer)
    {
        writer.Text(Name);
        writer.Int32(Tags.Length);
        foreach (var tag in Tags) writer.Text(tag);
        writer.Int32(Credentials.Length);
        foreach (var credential in Credentials) credential.Write(writer);
    }

    internal static User Read(ref SnapshotReader reader)
    {
        var name = reader.Text();
        var tags = ImmutableArray.CreateBuilder<string>();
        for (var n = reader.Count(); n > 0; n--) tags.Add(reader.Text());
        var credentials = ImmutableArray.CreateBuilder<Credential>();
        for (var n = reader.Count(); n > 0; n--) credentials.Add(Credential.Read(ref reader));
        return new User(name, tags.ToImmutable(), credentials.ToImmutable());
    }
}

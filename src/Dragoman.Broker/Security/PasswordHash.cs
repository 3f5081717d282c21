using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Dragoman.Broker.Security;

/// <summary>How RabbitMQ has hashed a password.</summary>
public enum PasswordAlgorithm
{
    /// <summary><c>rabbit_password_hashing_sha256</c>.</summary>
    Sha256 = 1,

    /// <summary><c>rabbit_password_hashing_sha512</c>.</summary>
    Sha512 = 2,

    /// <summary><c>rabbit_password_hashing_md5</c>, which brokers before 3.6 used.</summary>
    Md5 = 3,
}

/// <summary>
/// A password as RabbitMQ keeps it: four bytes of salt, then the hash of salt and password. Definitions exported from a
/// RabbitMQ broker carry passwords in this form, in Base64.
/// </summary>
/// <param name="Algorithm">The hash.</param>
/// <param name="Salted">Salt and hash.</param>
public sealed record PasswordHash(PasswordAlgorithm Algorithm, ImmutableArray<byte> Salted) : Credential
{
    /// <summary>Bytes of salt.</summary>
    public const int SaltBytes = 4;

    /// <summary>Makes one from a password.</summary>
    public static PasswordHash FromPassword(PasswordAlgorithm algorithm, string password, ReadOnlySpan<byte> salt)
    {
        ArgumentNullException.ThrowIfNull(password);
        return new PasswordHash(algorithm, [.. salt, .. Compute(algorithm, password, salt)]);
    }

    /// <summary>Whether a password is the one.</summary>
    public bool Matches(string password)
    {
        ArgumentNullException.ThrowIfNull(password);
        var salted = Salted.AsSpan();
        return salted.Length > SaltBytes && CryptographicOperations.FixedTimeEquals(Compute(Algorithm, password, salted[..SaltBytes]), salted[SaltBytes..]);
    }

    [SuppressMessage("Security", "CA5351", Justification = "Old definitions hold MD5, and their users are to be let in.")]
    private static byte[] Compute(PasswordAlgorithm algorithm, string password, ReadOnlySpan<byte> salt)
    {
        byte[] bytes = [.. salt, .. Encoding.UTF8.GetBytes(password)];
        return algorithm switch
        {
            PasswordAlgorithm.Sha256 => SHA256.HashData(bytes),
            PasswordAlgorithm.Sha512 => SHA512.HashData(bytes),
            _ => MD5.HashData(bytes),
        };
    }
}

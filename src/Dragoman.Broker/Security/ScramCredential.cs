using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace Dragoman.Broker.Security;

/// <summary>The hash that a SCRAM mechanism is built on.</summary>
public enum ScramHash
{
    /// <summary>SCRAM-SHA-256 (RFC 7677).</summary>
    Sha256 = 1,

    /// <summary>SCRAM-SHA-512.</summary>
    Sha512 = 2,
}

/// <summary>What a server keeps of a password for SCRAM (RFC 5802, section 3): enough to check it, not to use it.</summary>
/// <param name="Hash">The hash function.</param>
/// <param name="Salt">The salt.</param>
/// <param name="Iterations">How often the hash was applied.</param>
/// <param name="StoredKey">H(HMAC(SaltedPassword, "Client Key")).</param>
/// <param name="ServerKey">HMAC(SaltedPassword, "Server Key").</param>
public sealed record ScramCredential(ScramHash Hash, ImmutableArray<byte> Salt, int Iterations, ImmutableArray<byte> StoredKey, ImmutableArray<byte> ServerKey) : Credential
{
    /// <summary>Iterations unless something else is asked for: the least that Kafka takes.</summary>
    public const int DefaultIterations = 4096;

    /// <summary>Makes one from a password.</summary>
    public static ScramCredential FromPassword(ScramHash hash, string password, ReadOnlySpan<byte> salt, int iterations = DefaultIterations)
    {
        ArgumentNullException.ThrowIfNull(password);
        var name = NameOf(hash);
        var salted = Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), salt, iterations, name, SizeOf(hash));
        return FromSaltedPassword(hash, salt, iterations, salted);
    }

    /// <summary>Makes one from a password that the client has salted already, as Kafka's administrators send it (KIP-554).</summary>
    public static ScramCredential FromSaltedPassword(ScramHash hash, ReadOnlySpan<byte> salt, int iterations, ReadOnlySpan<byte> saltedPassword)
    {
        var name = NameOf(hash);
        var clientKey = CryptographicOperations.HmacData(name, saltedPassword, "Client Key"u8);
        return new ScramCredential(
            hash, [.. salt], iterations, [.. CryptographicOperations.HashData(name, clientKey)],
            [.. CryptographicOperations.HmacData(name, saltedPassword, "Server Key"u8)]);
    }

    /// <summary>Whether a password is the one.</summary>
    public bool Matches(string password) =>
        CryptographicOperations.FixedTimeEquals(FromPassword(Hash, password, Salt.AsSpan(), Iterations).StoredKey.AsSpan(), StoredKey.AsSpan());

    /// <summary>The hash's name as the platform knows it.</summary>
    public static HashAlgorithmName NameOf(ScramHash hash) => hash == ScramHash.Sha256 ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA512;

    /// <summary>The hash's size in bytes.</summary>
    public static int SizeOf(ScramHash hash) => hash == ScramHash.Sha256 ? SHA256.HashSizeInBytes : SHA512.HashSizeInBytes;
}

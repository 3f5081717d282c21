using System.Collections.Immutable;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Security;

/// <summary>Something by which a user proves to be who they say.</summary>
public abstract record Credential
{
    private enum Kind : byte
    {
        Scram = 1,
        PasswordHash = 2,
        AccessKey = 3,
        Token = 4,
    }

    internal void Write(in SnapshotWriter writer)
    {
        switch (this)
        {
            case ScramCredential scram:
                writer.Byte((byte)Kind.Scram);
                writer.Byte((byte)scram.Hash);
                writer.Bytes(scram.Salt.AsSpan());
                writer.Int32(scram.Iterations);
                writer.Bytes(scram.StoredKey.AsSpan());
                writer.Bytes(scram.ServerKey.AsSpan());
                break;
            case PasswordHash password:
                writer.Byte((byte)Kind.PasswordHash);
                writer.Byte((byte)password.Algorithm);
                writer.Bytes(password.Salted.AsSpan());
                break;
            case AccessKey key:
                writer.Byte((byte)Kind.AccessKey);
                writer.Text(key.Id);
                writer.Text(key.Secret);
                break;
            case TokenHash token:
                writer.Byte((byte)Kind.Token);
                writer.Text(token.Name);
                writer.Bytes(token.Sha256.AsSpan());
                break;
            default:
                throw new InvalidOperationException($"A credential of type {GetType()} cannot be kept.");
        }
    }

    internal static Credential Read(ref SnapshotReader reader) => (Kind)reader.Byte() switch
    {
        Kind.Scram => new ScramCredential((ScramHash)reader.Byte(), [.. reader.Bytes()], reader.Int32(), [.. reader.Bytes()], [.. reader.Bytes()]),
        Kind.PasswordHash => new PasswordHash((PasswordAlgorithm)reader.Byte(), [.. reader.Bytes()]),
        Kind.AccessKey => new AccessKey(reader.Text(), reader.Text()),
        Kind.Token => new TokenHash(reader.Text(), [.. reader.Bytes()]),
        var other => throw new CorruptDataException($"A credential of kind {(byte)other} is unknown."),
    };
}

/// <summary>A token that a client shows as it is; only its hash is kept.</summary>
/// <param name="Name">What the user calls it.</param>
/// <param name="Sha256">SHA-256 of the token's UTF-8 bytes.</param>
public sealed record TokenHash(string Name, ImmutableArray<byte> Sha256) : Credential;

/// <summary>
/// An AWS access key. The secret is kept as it is, since a request's signature (SigV4) can be checked with nothing less.
/// </summary>
/// <param name="Id">The public part; unique among all users.</param>
/// <param name="Secret">The secret.</param>
public sealed record AccessKey(string Id, string Secret) : Credential;

using System.Security.Cryptography;
using System.Text;
using Dragoman.Broker.Security;

namespace Dragoman.Protocols.Authentication;

/// <summary>The server's side of one SCRAM exchange (RFC 5802), without channel binding.</summary>
public sealed class ScramServer(IAccounts accounts, ScramHash hash)
{
    private const int NonceBytes = 18;

    // Who asks for a user that is not there gets a salt too, always the same for a name, so that names cannot be probed.
    private static readonly byte[] Pepper = RandomNumberGenerator.GetBytes(32);

    private ScramCredential? _credential;
    private string _serverNonce = "";
    private string _clientFirstBare = "";
    private string _serverFirst = "";
    private string _gs2Header = "";
    private bool _known;

    /// <summary>The name that the client gave.</summary>
    public string? User { get; private set; }

    /// <summary>Takes the client's first message.</summary>
    /// <returns>The server's first message; null if the client's is malformed.</returns>
    public byte[]? First(ReadOnlySpan<byte> message)
    {
        var text = Encoding.UTF8.GetString(message);
        // gs2-header: "n,," or "y,,", with an authorization identity at most.
        if (text.Length < 3 || text[0] is not ('n' or 'y') || text[1] != ',') return null;
        var bare = text.IndexOf(',', 2);
        if (bare < 0) return null;
        _gs2Header = text[..(bare + 1)];
        _clientFirstBare = text[(bare + 1)..];
        var fields = _clientFirstBare.Split(',');
        if (fields.Length < 2 || !fields[0].StartsWith("n=", StringComparison.Ordinal) || !fields[1].StartsWith("r=", StringComparison.Ordinal) || fields[1].Length < 3) return null;
        if (Unescape(fields[0][2..]) is not { } name) return null;
        var authorized = _gs2Header[2..^1];
        if (authorized.Length > 0 && authorized != "a=" + fields[0][2..]) return null;
        User = name;
        foreach (var credential in accounts.Find(name)?.Credentials ?? [])
            if (credential is ScramCredential scram && scram.Hash == hash) _credential = scram;
        _known = _credential is not null;
        _credential ??= Pretend(name);
        _serverNonce = Convert.ToBase64String(RandomNumberGenerator.GetBytes(NonceBytes));
        _serverFirst = $"r={fields[1][2..]}{_serverNonce},s={Convert.ToBase64String(_credential.Salt.AsSpan())},i={_credential.Iterations}";
        return Encoding.UTF8.GetBytes(_serverFirst);
    }

    /// <summary>Takes the client's last message.</summary>
    /// <returns>The server's last message; null if the client does not know the password.</returns>
    public byte[]? Final(ReadOnlySpan<byte> message)
    {
        var text = Encoding.UTF8.GetString(message);
        var proofAt = text.LastIndexOf(",p=", StringComparison.Ordinal);
        if (_credential is null || proofAt < 0) return null;
        var withoutProof = text[..proofAt];
        var fields = withoutProof.Split(',');
        // librdkafka says its own nonce twice, which Kafka's brokers do not notice: they look at the end alone, where the
        // part is that the client could not have known before.
        if (fields.Length < 2 || fields[0] != "c=" + Convert.ToBase64String(Encoding.UTF8.GetBytes(_gs2Header)) || !fields[1].StartsWith("r=", StringComparison.Ordinal) || !fields[1].EndsWith(_serverNonce, StringComparison.Ordinal)) return null;
        var name = ScramCredential.NameOf(hash);
        var proof = new byte[ScramCredential.SizeOf(hash)];
        if (!Convert.TryFromBase64String(text[(proofAt + 3)..], proof, out var length) || length != proof.Length) return null;
        var authMessage = Encoding.UTF8.GetBytes($"{_clientFirstBare},{_serverFirst},{withoutProof}");
        var signature = CryptographicOperations.HmacData(name, _credential.StoredKey.AsSpan(), authMessage);
        for (var i = 0; i < proof.Length; i++) proof[i] ^= signature[i];
        var matches = CryptographicOperations.FixedTimeEquals(CryptographicOperations.HashData(name, proof), _credential.StoredKey.AsSpan());
        if (!matches || !_known) return null;
        return Encoding.UTF8.GetBytes("v=" + Convert.ToBase64String(CryptographicOperations.HmacData(name, _credential.ServerKey.AsSpan(), authMessage)));
    }

    private ScramCredential Pretend(string name)
    {
        var salt = HMACSHA256.HashData(Pepper, Encoding.UTF8.GetBytes(name))[..16];
        var size = ScramCredential.SizeOf(hash);
        return new ScramCredential(hash, [.. salt], ScramCredential.DefaultIterations, [.. RandomNumberGenerator.GetBytes(size)], [.. new byte[size]]);
    }

    /// <summary>Undoes <c>=2C</c> for a comma and <c>=3D</c> for an equals sign; null if there is any other.</summary>
    private static string? Unescape(string name)
    {
        if (name.Length == 0) return null;
        var result = new StringBuilder(name.Length);
        for (var i = 0; i < name.Length; i++)
        {
            if (name[i] != '=')
            {
                result.Append(name[i]);
                continue;
            }
            var code = i + 2 < name.Length ? name.AsSpan(i + 1, 2) : default;
            if (code is "2C") result.Append(',');
            else if (code is "3D") result.Append('=');
            else return null;
            i += 2;
        }
        return result.ToString();
    }
}

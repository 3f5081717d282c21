using System.Security.Cryptography;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Dragoman.Protocols.Authentication;

/// <summary>Checks access tokens that somebody else issues (JWT, RFC 7519), against one key.</summary>
public sealed class JwtTokens
{
    private static readonly string[] SymmetricAlgorithms = [SecurityAlgorithms.HmacSha256, SecurityAlgorithms.HmacSha384, SecurityAlgorithms.HmacSha512];

    private static readonly string[] AsymmetricAlgorithms =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
        SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
    ];

    private readonly JsonWebTokenHandler _handler = new() { MapInboundClaims = false };
    private readonly TokenValidationParameters _parameters;

    /// <summary>Creates the check.</summary>
    /// <param name="key">A public key in PEM, or a secret of at least 32 bytes.</param>
    /// <param name="issuer">The issuer that tokens must name; null for any.</param>
    /// <param name="audience">The audience that tokens must name; null for any.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="CryptographicException">The key is neither.</exception>
    public JwtTokens(ReadOnlySpan<byte> key, string? issuer, string? audience, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        var security = ReadKey(key);
        _parameters = new TokenValidationParameters
        {
            IssuerSigningKey = security,
            // What signs decides what may sign: a public key must not be taken for a shared secret.
            ValidAlgorithms = security is SymmetricSecurityKey ? SymmetricAlgorithms : AsymmetricAlgorithms,
            ValidateIssuer = issuer is not null,
            ValidIssuer = issuer,
            ValidateAudience = audience is not null,
            ValidAudience = audience,
            RequireExpirationTime = false,
            ClockSkew = TimeSpan.Zero,
            LifetimeValidator = (from, until, _, _) => IsCurrent(from, until, time.GetUtcNow().UtcDateTime),
        };
    }

    /// <summary>A token that is good.</summary>
    /// <param name="Subject">Whose it is.</param>
    /// <param name="Expires">When it ends; null if it does not.</param>
    public readonly record struct CheckedToken(string Subject, DateTimeOffset? Expires);

    /// <summary>Checks a token; null if it is not good.</summary>
    public CheckedToken? Check(string token)
    {
        // The handler completes at once: the key is at hand.
        var result = _handler.ValidateTokenAsync(token, _parameters).GetAwaiter().GetResult();
        if (!result.IsValid || result.SecurityToken is not JsonWebToken jwt || string.IsNullOrEmpty(jwt.Subject)) return null;
        return new CheckedToken(jwt.Subject, jwt.ValidTo == DateTime.MinValue ? null : new DateTimeOffset(jwt.ValidTo, TimeSpan.Zero));
    }

    private static bool IsCurrent(DateTime? from, DateTime? until, DateTime now) => (from is null || from <= now) && (until is null || now < until);

    private static SecurityKey ReadKey(ReadOnlySpan<byte> key)
    {
        if (!key.StartsWith("-----BEGIN"u8))
        {
            var secret = key.TrimEnd("\r\n"u8).ToArray();
            return secret.Length >= 32 ? new SymmetricSecurityKey(secret) : throw new CryptographicException("A shared secret has at least 32 bytes.");
        }
        var pem = System.Text.Encoding.UTF8.GetString(key);
        try
        {
            var rsa = RSA.Create();
            rsa.ImportFromPem(pem);
            return new RsaSecurityKey(rsa);
        }
        catch (Exception error) when (error is ArgumentException or CryptographicException)
        {
            var ecdsa = ECDsa.Create();
            try
            {
                ecdsa.ImportFromPem(pem);
            }
            catch (ArgumentException inner)
            {
                throw new CryptographicException("The PEM text holds no RSA key and no key of an elliptic curve.", inner);
            }
            return new ECDsaSecurityKey(ecdsa);
        }
    }
}

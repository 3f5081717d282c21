using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Dragoman.Protocols.Tls;

/// <summary>What is asked of a client's certificate.</summary>
public enum ClientCertificates
{
    /// <summary>None is asked for.</summary>
    None,

    /// <summary>One is asked for; a client without one goes on without.</summary>
    Optional,

    /// <summary>Clients without one are refused.</summary>
    Required,
}

/// <summary>The certificate of the listeners, and what they ask of their clients' certificates.</summary>
public sealed class TlsSettings : IDisposable
{
    private readonly X509Certificate2Collection _authorities;
    private readonly ClientCertificates _clients;
    private readonly SslStreamCertificateContext _context;
    private readonly X509Certificate2 _certificate;

    private TlsSettings(X509Certificate2 certificate, X509Certificate2Collection chain, ClientCertificates clients, X509Certificate2Collection authorities)
    {
        _certificate = certificate;
        _clients = clients;
        _authorities = authorities;
        _context = SslStreamCertificateContext.Create(certificate, chain, offline: true);
    }

    /// <summary>When the certificate ends.</summary>
    public DateTimeOffset CertificateEnds => _certificate.NotAfter;

    /// <summary>How long a handshake may take.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Reads PEM files.</summary>
    /// <param name="certificateFile">The certificate, with those between it and its root behind it.</param>
    /// <param name="keyFile">Its private key.</param>
    /// <param name="clients">What clients have to show.</param>
    /// <param name="authorityFile">The roots that clients' certificates must lead to; null for the system's.</param>
    /// <exception cref="CryptographicException">A file holds no such thing.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static TlsSettings Load(string certificateFile, string keyFile, ClientCertificates clients = ClientCertificates.None, string? authorityFile = null)
    {
        using var pem = X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
        // A key that came from PEM cannot be used by every platform's TLS; one that came from PKCS#12 can.
        var certificate = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(certificateFile);
        var authorities = new X509Certificate2Collection();
        if (authorityFile is not null) authorities.ImportFromPemFile(authorityFile);
        return new TlsSettings(certificate, chain, clients, authorities);
    }

    /// <summary>Settings with a certificate that has its key, and with nothing asked of clients.</summary>
    public static TlsSettings Of(X509Certificate2 certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return new TlsSettings(certificate, [], ClientCertificates.None, []);
    }

    /// <summary>What a handshake is made with.</summary>
    /// <param name="protocols">The application protocols to offer (ALPN); null for none.</param>
    internal SslServerAuthenticationOptions CreateOptions(List<SslApplicationProtocol>? protocols) => new()
    {
        ServerCertificateContext = _context,
        ClientCertificateRequired = _clients != ClientCertificates.None,
        RemoteCertificateValidationCallback = _clients == ClientCertificates.None ? null : (_, certificate, _, _) => Accepts(certificate),
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        ApplicationProtocols = protocols,
    };

    private bool Accepts(X509Certificate? certificate)
    {
        if (certificate is null) return _clients == ClientCertificates.Optional;
        using var chain = new X509Chain();
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        if (_authorities.Count > 0)
        {
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        }
        return chain.Build((X509Certificate2)certificate);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _certificate.Dispose();
        foreach (var authority in _authorities) authority.Dispose();
    }
}

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Dragoman.Broker.Notifications;

namespace Dragoman.Aws.Sns.Signing;

/// <summary>
/// Signs what subscriptions are told, as SNS does: version 1 with SHA-1, version 2 with SHA-256, by an RSA key whose
/// certificate anybody can fetch. Key and certificate are made when they are first wanted, once, and kept in the journal.
/// </summary>
internal sealed class Signer : IDisposable
{
    private const string Setting = "sns-signing-key";
    private const int KeyBits = 2048;
    private const int MaxSettingBytes = 1 << 14;

    private readonly INotifications _notifications;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private Task _kept = Task.CompletedTask;
    private X509Certificate2? _certificate;
    private RSA? _key;
    private volatile string? _path;

    public Signer(INotifications notifications, TimeProvider time)
    {
        _notifications = notifications;
        _time = time;
    }

    /// <summary>The certificate's path on this server.</summary>
    public string CertificatePath
    {
        get
        {
            if (_path is { } known) return known;
            lock (_lock)
            {
                Open();
                return _path!;
            }
        }
    }

    /// <summary>The certificate with its key, for whoever serves it over TLS and has no other.</summary>
    public X509Certificate2 Certificate
    {
        get
        {
            lock (_lock)
            {
                Open();
                return _certificate!;
            }
        }
    }

    /// <summary>The certificate, in PEM.</summary>
    public string CertificatePem => Certificate.ExportCertificatePem() + "\n";

    /// <summary>Completes when key and certificate outlast a restart.</summary>
    public Task EnsureAsync()
    {
        lock (_lock)
        {
            Open();
            return _kept;
        }
    }

    /// <summary>Signs a text.</summary>
    /// <param name="text">What is signed: names and values, each on a line of its own.</param>
    /// <param name="version">1 or 2.</param>
    /// <returns>The signature in Base64.</returns>
    public string Sign(string text, string version)
    {
        RSA key;
        lock (_lock)
        {
            Open();
            key = _key!;
        }
        return Convert.ToBase64String(key.SignData(Encoding.UTF8.GetBytes(text), version == "2" ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA1, RSASignaturePadding.Pkcs1));
    }

    public void Dispose()
    {
        _key?.Dispose();
        _certificate?.Dispose();
    }

    private void Open()
    {
        if (_certificate is not null) return;
        if (_notifications.GetSetting(Setting) is not { } kept)
        {
            var made = Make();
            // Who comes second takes what the first one made; the state has it at once.
            _kept = _notifications.ChangeSettingAsync(Setting, found => found ?? made, MaxSettingBytes).AsTask();
            kept = _notifications.GetSetting(Setting) ?? made;
        }
        _certificate = X509CertificateLoader.LoadPkcs12(kept.Span, null, X509KeyStorageFlags.Exportable);
        _key = _certificate.GetRSAPrivateKey();
        _path = $"/SimpleNotificationService-{_certificate.Thumbprint.ToLowerInvariant()[..32]}.pem";
    }

    private ReadOnlyMemory<byte> Make()
    {
        using var key = RSA.Create(KeyBits);
        var request = new CertificateRequest("CN=sns.amazonaws.com, O=Dragoman", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        names.AddIpAddress(System.Net.IPAddress.IPv6Loopback);
        names.AddDnsName("sns.us-east-1.amazonaws.com");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = _time.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddYears(30));
        return certificate.Export(X509ContentType.Pkcs12);
    }
}

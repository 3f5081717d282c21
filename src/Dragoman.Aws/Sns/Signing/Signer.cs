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
    private ReadOnlyMemory<byte> _bytes;
    private Task<NotificationStatus>? _keeping;
    private volatile bool _isKept;
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

    /// <summary>Completes when key and certificate outlast a restart: what was signed by others could not be checked after it.</summary>
    /// <exception cref="Http.AwsException">There is no room for them; the next one tries again.</exception>
    public async ValueTask EnsureAsync()
    {
        if (_isKept) return;
        Task<NotificationStatus> keeping;
        lock (_lock)
        {
            Open();
            if (_isKept) return;
            keeping = _keeping ??= KeepAsync();
        }
        var status = await keeping;
        lock (_lock)
        {
            if (_keeping == keeping) _keeping = null;
            _isKept |= status == NotificationStatus.Ok;
        }
        if (status != NotificationStatus.Ok) throw SnsErrors.Of(status, "Certificate", null);
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
        if (_notifications.GetSetting(Setting) is { } kept)
        {
            _bytes = kept;
            _isKept = true;
        }
        else
        {
            _bytes = Make();
            _keeping = KeepAsync();
        }
        _certificate = X509CertificateLoader.LoadPkcs12(_bytes.Span, null, X509KeyStorageFlags.Exportable);
        _key = _certificate.GetRSAPrivateKey();
        _path = $"/SimpleNotificationService-{_certificate.Thumbprint.ToLowerInvariant()[..32]}.pem";
    }

    private Task<NotificationStatus> KeepAsync() => _notifications.ChangeSettingAsync(Setting, found => found ?? _bytes, MaxSettingBytes).AsTask();

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

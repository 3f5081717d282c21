using System.Globalization;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using RabbitMQ.Client;

namespace Dragoman.Links.Definitions;

/// <summary>
/// The address of a broker as RabbitMQ writes it: <c>amqp://user:password@host:port/vhost?option=value</c>, and with
/// <c>amqps</c> over TLS. Without a host it is this broker itself, so <c>amqp://</c> is its virtual host <c>/</c>
/// (rabbitmq.com, "URI specification" and "URI query parameters").
/// </summary>
internal sealed record AmqpUri
{
    private AmqpUri()
    {
    }

    /// <summary>The host; empty for this broker.</summary>
    public string Host { get; private init; } = "";

    /// <summary>The port.</summary>
    public int Port { get; private init; }

    /// <summary>Whether over TLS.</summary>
    public bool IsTls { get; private init; }

    /// <summary>The virtual host; null where none is named.</summary>
    public string? VirtualHost { get; private init; }

    private string User { get; init; } = "guest";

    private string Password { get; init; } = "guest";

    private Dictionary<string, string> Options { get; init; } = [];

    /// <summary>Whether it is this broker.</summary>
    public bool IsLocal => Host.Length == 0;

    /// <summary>The address without user and password, for people.</summary>
    public string Shown { get; private init; } = "";

    /// <summary>The address as it was written.</summary>
    public string Full { get; private init; } = "";

    /// <summary>Reads an address.</summary>
    /// <param name="text">The address.</param>
    /// <param name="problem">What is wrong with it, in RabbitMQ's form; null if nothing is.</param>
    public static AmqpUri? Parse(string text, out string? problem)
    {
        problem = null;
        var scheme = text.IndexOf("://", StringComparison.Ordinal);
        var name = scheme < 0 ? "" : text[..scheme];
        if (name is not ("amqp" or "amqps"))
        {
            problem = scheme < 0 ? $"{{unable_to_parse_uri,no_scheme}}" : $"{{unexpected_uri_scheme,\"{name}\"}}";
            return null;
        }
        var rest = text[(scheme + 3)..];
        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        if (rest.IndexOf('?', StringComparison.Ordinal) is >= 0 and var query)
        {
            foreach (var pair in rest[(query + 1)..].Split('&', StringSplitOptions.RemoveEmptyEntries))
            {
                var equals = pair.IndexOf('=', StringComparison.Ordinal);
                if (equals > 0) options[Unescape(pair[..equals])] = Unescape(pair[(equals + 1)..]);
            }
            rest = rest[..query];
        }
        string? virtualHost = null;
        if (rest.IndexOf('/', StringComparison.Ordinal) is >= 0 and var slash)
        {
            virtualHost = Unescape(rest[(slash + 1)..]);
            if (rest[(slash + 1)..].Contains('/', StringComparison.Ordinal))
            {
                problem = "{invalid_vhost,more_than_one_slash}";
                return null;
            }
            rest = rest[..slash];
        }
        var (user, password) = ("guest", "guest");
        if (rest.LastIndexOf('@') is >= 0 and var at)
        {
            var credentials = rest[..at].Split(':', 2);
            user = Unescape(credentials[0]);
            if (credentials.Length == 2) password = Unescape(credentials[1]);
            rest = rest[(at + 1)..];
        }
        var port = name == "amqps" ? 5671 : 5672;
        // An IPv6 address is in brackets.
        var colon = rest.LastIndexOf(':');
        if (colon > rest.LastIndexOf(']'))
        {
            if (!int.TryParse(rest[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is < 1 or > 65535)
            {
                problem = $"{{port_requires_integer,\"{rest[(colon + 1)..]}\"}}";
                return null;
            }
            rest = rest[..colon];
        }
        foreach (var key in new[] { "heartbeat", "connection_timeout", "channel_max" })
        {
            if (!options.TryGetValue(key, out var value) || int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _)) continue;
            problem = $"{{not_an_integer,\"{value}\"}}";
            return null;
        }
        var host = rest.Trim('[', ']');
        return new AmqpUri
        {
            Host = Unescape(host),
            Port = port,
            IsTls = name == "amqps",
            VirtualHost = virtualHost,
            User = user,
            Password = password,
            Options = options,
            Shown = Show(text, scheme + 3),
            Full = text,
        };
    }

    /// <summary>How to connect to it.</summary>
    /// <param name="connectionName">What the connection is called there.</param>
    public ConnectionFactory ToFactory(string connectionName)
    {
        var factory = new ConnectionFactory
        {
            HostName = Host,
            Port = Port,
            UserName = User,
            Password = Password,
            VirtualHost = VirtualHost ?? "/",
            ClientProvidedName = connectionName,
            // A link begins anew by itself, and must know when it does.
            AutomaticRecoveryEnabled = false,
            TopologyRecoveryEnabled = false,
            // A broker that has just been started may never answer what it was asked too early.
            ContinuationTimeout = TimeSpan.FromSeconds(30),
            RequestedHeartbeat = TimeSpan.FromSeconds(10),
        };
        if (Options.TryGetValue("heartbeat", out var heartbeat)) factory.RequestedHeartbeat = TimeSpan.FromSeconds(int.Parse(heartbeat, CultureInfo.InvariantCulture));
        if (Options.TryGetValue("connection_timeout", out var timeout)) factory.RequestedConnectionTimeout = TimeSpan.FromMilliseconds(int.Parse(timeout, CultureInfo.InvariantCulture));
        if (Options.TryGetValue("channel_max", out var channels)) factory.RequestedChannelMax = (ushort)Math.Min(int.Parse(channels, CultureInfo.InvariantCulture), ushort.MaxValue);
        if (Options.TryGetValue("auth_mechanism", out var mechanism) && mechanism.Equals("external", StringComparison.OrdinalIgnoreCase)) factory.AuthMechanisms = [new ExternalMechanismFactory()];
        if (IsTls) factory.Ssl = Tls();
        return factory;
    }

    private SslOption Tls()
    {
        var verify = Options.GetValueOrDefault("verify", "verify_peer") != "verify_none";
        var option = new SslOption(Options.GetValueOrDefault("server_name_indication", Host), "", enabled: true) { Version = SslProtocols.None };
        if (Options.TryGetValue("certfile", out var certificate))
        {
            // Only a PKCS #12 container lets the platform's TLS use a key that came as PEM.
            using var pem = X509Certificate2.CreateFromPemFile(certificate, Options.GetValueOrDefault("keyfile", certificate));
            option.Certs = [X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null)];
        }
        if (!verify)
        {
            option.AcceptablePolicyErrors = SslPolicyErrors.RemoteCertificateChainErrors | SslPolicyErrors.RemoteCertificateNameMismatch | SslPolicyErrors.RemoteCertificateNotAvailable;
        }
        else if (Options.TryGetValue("cacertfile", out var authority))
        {
            var roots = new X509Certificate2Collection();
            roots.ImportFromPemFile(authority);
            option.CertificateValidationCallback = (_, peer, chain, errors) => IsTrusted(roots, peer, chain, errors);
        }
        return option;
    }

    private static bool IsTrusted(X509Certificate2Collection roots, X509Certificate? peer, X509Chain? sent, SslPolicyErrors errors)
    {
        if ((errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != 0 || peer is null) return false;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(roots);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        if (sent is not null)
            foreach (var element in sent.ChainElements) chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        using var certificate = X509CertificateLoader.LoadCertificate(peer.GetRawCertData());
        return chain.Build(certificate);
    }

    private static string Show(string text, int start)
    {
        var query = text.IndexOf('?', StringComparison.Ordinal);
        if (query >= 0) text = text[..query];
        var end = text.IndexOf('/', start);
        var at = text.LastIndexOf('@', (end < 0 ? text.Length : end) - 1);
        return at < start ? text : text[..start] + text[(at + 1)..];
    }

    private static string Unescape(string text) => Uri.UnescapeDataString(text);
}

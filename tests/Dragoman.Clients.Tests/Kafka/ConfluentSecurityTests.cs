using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Kafka;

/// <summary>A broker with users, TLS, and keys for tokens.</summary>
public sealed class SecureBroker : IAsyncLifetime
{
    public const string JwtSecret = "a secret that only the tests and the broker know";

    private readonly Workspace _files = new();

    public DragomanServer Server { get; private set; } = null!;

    public string Authority => Path.Join(_files.Path, "ca.pem");

    public string File(string name) => Path.Join(_files.Path, name);

    public async ValueTask InitializeAsync()
    {
        MakeCertificates();
        System.IO.File.WriteAllText(File("jwt"), JwtSecret);
        Server = await DragomanServer.StartAsync(new ServerOptions
        {
            Arguments = ["--tls-cert", File("localhost.pem"), "--tls-key", File("localhost.key"), "--tls-client-ca", Authority, "--jwt-key", File("jwt"), "--jwt-issuer", "tests", "--default-user", "ann", "--default-password", "secret-a"],
        });
        using var admin = Admin();
        await admin.AlterUserScramCredentialsAsync(
        [
            Upsert("bob", ScramMechanism.ScramSha256), Upsert("bob", ScramMechanism.ScramSha512),
        ]);
        await admin.CreateTopicsAsync([new() { Name = "open", NumPartitions = 1, ReplicationFactor = 1 }, new() { Name = "closed", NumPartitions = 1, ReplicationFactor = 1 }]);
        await admin.CreateAclsAsync([Rule("open", AclOperation.All, AclPermissionType.Allow)]);
    }

    public static UserScramCredentialUpsertion Upsert(string user, ScramMechanism mechanism) =>
        new() { User = user, Password = "secret-b"u8.ToArray(), ScramCredentialInfo = new() { Mechanism = mechanism, Iterations = 4096 } };

    public static AclBinding Rule(string topic, AclOperation operation, AclPermissionType permission) => new()
    {
        Pattern = new() { Type = ResourceType.Topic, Name = topic, ResourcePatternType = ResourcePatternType.Literal },
        Entry = new() { Principal = "User:bob", Host = "*", Operation = operation, PermissionType = permission },
    };

    public IAdminClient Admin() => new AdminClientBuilder(new AdminClientConfig
    {
        BootstrapServers = Server.Address("kafka"),
        SecurityProtocol = SecurityProtocol.SaslPlaintext,
        SaslMechanism = SaslMechanism.Plain,
        SaslUsername = "ann",
        SaslPassword = "secret-a",
    }).SetLogHandler((_, _) => { }).Build();

    public async ValueTask DisposeAsync()
    {
        if (Server is not null) await Server.DisposeAsync();
        _files.Dispose();
    }

    private void MakeCertificates()
    {
        using var authorityKey = RSA.Create(2048);
        var request = new CertificateRequest("CN=authority of the tests", authorityKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(2));
        System.IO.File.WriteAllText(Authority, authority.ExportCertificatePem());
        foreach (var name in new[] { "localhost", "bob" })
        {
            using var key = RSA.Create(2048);
            var leaf = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName(name);
            names.AddIpAddress(IPAddress.Loopback);
            leaf.CertificateExtensions.Add(names.Build());
            using var certificate = leaf.Create(authority, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1), RandomNumberGenerator.GetBytes(8));
            System.IO.File.WriteAllText(File($"{name}.pem"), certificate.ExportCertificatePem());
            System.IO.File.WriteAllText(File($"{name}.key"), key.ExportPkcs8PrivateKeyPem());
        }
    }
}

[Uses<ConfluentKafka>]
public sealed class ConfluentSecurityTests(SecureBroker broker) : IClassFixture<SecureBroker>
{
    private ProducerConfig Bob(SecurityProtocol protocol, SaslMechanism? mechanism = null, string password = "secret-b") => new()
    {
        BootstrapServers = broker.Server.Address("kafka"),
        SecurityProtocol = protocol,
        SaslMechanism = mechanism,
        SaslUsername = mechanism is null or SaslMechanism.OAuthBearer ? null : "bob",
        SaslPassword = mechanism is null or SaslMechanism.OAuthBearer ? null : password,
        SslCaLocation = protocol is SecurityProtocol.SaslSsl or SecurityProtocol.Ssl ? broker.Authority : null,
        MessageTimeoutMs = 20_000,
    };

    private static async Task<ErrorCode> ProduceAsync(ProducerConfig config, string topic, Action<IProducer<Null, string>>? prepare = null, Action<ProducerBuilder<Null, string>>? build = null)
    {
        var builder = new ProducerBuilder<Null, string>(config).SetLogHandler((_, _) => { });
        build?.Invoke(builder);
        using var producer = builder.Build();
        prepare?.Invoke(producer);
        try
        {
            await producer.ProduceAsync(topic, new() { Value = "x" });
            return ErrorCode.NoError;
        }
        catch (ProduceException<Null, string> error)
        {
            return error.Error.Code;
        }
    }

    [Theory, Rows("K21")]
    [InlineData(SecurityProtocol.SaslPlaintext, SaslMechanism.Plain)]
    [InlineData(SecurityProtocol.SaslPlaintext, SaslMechanism.ScramSha256)]
    [InlineData(SecurityProtocol.SaslPlaintext, SaslMechanism.ScramSha512)]
    [InlineData(SecurityProtocol.SaslSsl, SaslMechanism.Plain)]
    [InlineData(SecurityProtocol.SaslSsl, SaslMechanism.ScramSha512)]
    [InlineData(SecurityProtocol.Ssl, null)]
    public async Task Users_log_in_by_each_mechanism_and_may_do_what_they_are_allowed_and_nothing_else(SecurityProtocol protocol, SaslMechanism? mechanism)
    {
        var config = Bob(protocol, mechanism);
        if (mechanism is null)
        {
            config.SslCertificateLocation = broker.File("bob.pem");
            config.SslKeyLocation = broker.File("bob.key");
        }
        Assert.Equal(ErrorCode.NoError, await ProduceAsync(config, "open"));
        Assert.Equal(ErrorCode.TopicAuthorizationFailed, await ProduceAsync(config, "closed"));
    }

    [Fact, Rows("K21")]
    public async Task A_token_says_who_its_bearer_is()
    {
        void LogIn(IClient client, string subject, string secret, DateTimeOffset expires)
        {
            var payload = $"{{\"iss\":\"tests\",\"sub\":\"{subject}\",\"exp\":{expires.ToUnixTimeSeconds()}}}";
            var signed = $"{Encode("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"u8)}.{Encode(Encoding.UTF8.GetBytes(payload))}";
            var token = $"{signed}.{Encode(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(signed)))}";
            client.OAuthBearerSetToken(token, expires.ToUnixTimeMilliseconds(), subject);
        }
        var config = Bob(SecurityProtocol.SaslPlaintext, SaslMechanism.OAuthBearer);
        var soon = DateTimeOffset.UtcNow.AddHours(1);
        Assert.Equal(ErrorCode.NoError, await ProduceAsync(config, "open", build: b => b.SetOAuthBearerTokenRefreshHandler((p, _) => LogIn(p, "bob", SecureBroker.JwtSecret, soon))));
        Assert.Equal(ErrorCode.TopicAuthorizationFailed, await ProduceAsync(config, "open", build: b => b.SetOAuthBearerTokenRefreshHandler((p, _) => LogIn(p, "eve", SecureBroker.JwtSecret, soon))));
        config.MessageTimeoutMs = 2_000;
        Assert.Equal(ErrorCode.Local_MsgTimedOut, await ProduceAsync(config, "open", build: b => b.SetOAuthBearerTokenRefreshHandler((p, _) => LogIn(p, "bob", "another secret, of which the broker does not know", soon))));

        static string Encode(ReadOnlySpan<byte> bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');
    }

    [Fact, Rows("K21")]
    public async Task Who_does_not_log_in_or_does_not_know_the_password_gets_nowhere()
    {
        var wrong = Bob(SecurityProtocol.SaslPlaintext, SaslMechanism.ScramSha256, "guess");
        wrong.MessageTimeoutMs = 2_000;
        Assert.Equal(ErrorCode.Local_MsgTimedOut, await ProduceAsync(wrong, "open"));
        var nobody = Bob(SecurityProtocol.Plaintext);
        nobody.MessageTimeoutMs = 2_000;
        Assert.Equal(ErrorCode.Local_MsgTimedOut, await ProduceAsync(nobody, "open"));
    }

    [Fact, Rows("K22")]
    public async Task Rules_are_made_told_and_deleted_and_a_denial_wins()
    {
        using var admin = broker.Admin();
        await admin.CreateTopicsAsync([new() { Name = "ruled", NumPartitions = 1, ReplicationFactor = 1 }]);
        var config = Bob(SecurityProtocol.SaslPlaintext, SaslMechanism.Plain);
        Assert.Equal(ErrorCode.TopicAuthorizationFailed, await ProduceAsync(config, "ruled"));
        await admin.CreateAclsAsync([SecureBroker.Rule("ruled", AclOperation.Write, AclPermissionType.Allow), SecureBroker.Rule("ruled", AclOperation.Describe, AclPermissionType.Allow)]);
        Assert.Equal(ErrorCode.NoError, await ProduceAsync(config, "ruled"));
        var filter = new AclBindingFilter
        {
            PatternFilter = new() { Type = ResourceType.Topic, Name = "ruled", ResourcePatternType = ResourcePatternType.Any },
            EntryFilter = new() { Operation = AclOperation.Any, PermissionType = AclPermissionType.Any },
        };
        Assert.Equal(2, (await admin.DescribeAclsAsync(filter)).AclBindings.Count);
        await admin.CreateAclsAsync([SecureBroker.Rule("ruled", AclOperation.Write, AclPermissionType.Deny)]);
        Assert.Equal(ErrorCode.TopicAuthorizationFailed, await ProduceAsync(config, "ruled"));
        Assert.Equal(3, Assert.Single(await admin.DeleteAclsAsync([filter])).AclBindings.Count);
        Assert.Empty((await admin.DescribeAclsAsync(filter)).AclBindings);
        var described = Assert.Single((await admin.DescribeUserScramCredentialsAsync(["bob"])).UserScramCredentialsDescriptions);
        Assert.Equal(2, described.ScramCredentialInfos.Count);
    }
}

namespace Dragoman.Serve;

/// <summary>A setting of <c>serve</c>: an option, an environment variable and a key of <c>appsettings.json</c> at once.</summary>
/// <param name="Name">The option's name without the dashes.</param>
/// <param name="Argument">What stands for the value in the help; null for a switch.</param>
/// <param name="Description">What it does, with its default.</param>
internal sealed record Setting(string Name, string? Argument, string Description)
{
    /// <summary>The option on the command line.</summary>
    public string Option => "--" + Name;

    /// <summary>The environment variable.</summary>
    public string Variable => SettingSources.VariablePrefix + Name.Replace('-', '_').ToUpperInvariant();

    public static readonly Setting Data = new("data", "DIR", "The data directory; created if missing. [default: ./dragoman-data]");
    public static readonly Setting Bind = new("bind", "ADDRESS", "The address to listen on; 0.0.0.0 or :: for all. [default: 127.0.0.1]");
    public static readonly Setting Kafka = new("kafka", "PORT", "Port of the Kafka listener; 0 for a free one, off for none. [default: 9092]");
    public static readonly Setting Amqp = new("amqp", "PORT", "Port of the AMQP 0-9-1 (RabbitMQ) listener; 0 for a free one, off for none. [default: 5672]");
    public static readonly Setting Aws = new("aws", "PORT", "Port of the AWS (SQS and SNS) listener; 0 for a free one, off for none. [default: 4566]");
    public static readonly Setting AwsAccount = new("aws-account", "ID", "The account that queues and topics belong to for AWS' clients: twelve digits. [default: 000000000000]");
    public static readonly Setting AwsInit = new("aws-init", "FILE", "Queues, topics and subscriptions to make at the start where they are missing (JSON; see docs/aws.md).");
    public static readonly Setting Redis = new("redis", "PORT", "Port of the Redis listener; 0 for a free one, off for none. [default: 6379]");
    public static readonly Setting RedisSocket = new("redis-socket", "PATH", "A Unix domain socket on which Redis clients are served too.");
    public static readonly Setting Admin = new("admin", "PORT", "Port of the admin API and health checks; 0 for a free one, off for none. [default: 15672]");
    public static readonly Setting AdvertisedHost = new("advertised-host", "HOST", "The host name that Kafka clients are told to connect to. [default: the address they reached]");
    public static readonly Setting AdvertisedPort = new("advertised-port", "PORT", "The port that Kafka clients are told to connect to. [default: the Kafka listener's]");
    public static readonly Setting Rack = new("rack", "NAME", "The rack or zone that Kafka clients are told this node is in.");
    public static readonly Setting CommitMode = new("commit-mode", "MODE", "What an acknowledgement means, for topics that do not say: fsync (on disk), written (handed to the operating system) or memory (gone with the process). [default: fsync]");
    public static readonly Setting Partitions = new("partitions", "N", "Partitions of topics that are created without a number. [default: 1]");
    public static readonly Setting NoAutoCreate = new("no-auto-create", null, "Do not create topics because a client uses them.");
    public static readonly Setting NodeId = new("node-id", "N", "This node's number. [default: 1]");
    public static readonly Setting JournalFileSize = new("journal-file-size", "SIZE", "Size of a journal file, as in 64MiB: about half of what a restart may have to read. [default: 64MiB]");
    public static readonly Setting KeepFree = new("keep-free", "SIZE", "Space on the volume of the data directory that publishers leave free: below it they are refused until there is more. [default: 128MiB]");
    public static readonly Setting AllowAnonymous = new("allow-anonymous", null, "Let clients in that do not log in: beyond this machine although there are no users, and beside the users once there are some (they may do what is permitted to everybody).");
    public static readonly Setting TlsCert = new("tls-cert", "FILE", "A certificate (PEM, with its chain): every listener then accepts TLS too, on its own port.");
    public static readonly Setting TlsKey = new("tls-key", "FILE", "The certificate's private key (PEM).");
    public static readonly Setting TlsClientCa = new("tls-client-ca", "FILE", "Certificates (PEM) that clients' certificates must lead to. Clients are then asked for one.");
    public static readonly Setting TlsClientAuth = new("tls-client-auth", "MODE", "What TLS clients must show: none, optional or required. [default: optional with --tls-client-ca, else none]");
    public static readonly Setting JwtKey = new("jwt-key", "FILE", "The key that signs access tokens (JWT): a public key in PEM, or the bytes of a shared secret.");
    public static readonly Setting JwtIssuer = new("jwt-issuer", "TEXT", "The issuer that tokens must name. [default: any]");
    public static readonly Setting JwtAudience = new("jwt-audience", "TEXT", "The audience that tokens must name. [default: any]");
    public static readonly Setting DefaultUser = new("default-user", "NAME", "An administrator to create if there are no users yet.");
    public static readonly Setting DefaultPassword = new("default-password", "TEXT", "The password of --default-user; better given as a variable than here.");
    public static readonly Setting TestMode = new("test-mode", null, "Let tests move the clock: POST /_dragoman/v1/test/clock/advance.");
    public static readonly Setting LogLevel = new("log-level", "LEVEL", "The least that is logged on stderr: debug, info, warn or error. [default: info]");

    /// <summary>All of them, in the order of the help.</summary>
    public static readonly IReadOnlyList<Setting> All =
    [
        Data, Bind, Kafka, Amqp, Aws, AwsAccount, AwsInit, Redis, RedisSocket, Admin, AdvertisedHost, AdvertisedPort, Rack, CommitMode, Partitions, NoAutoCreate, NodeId, JournalFileSize, KeepFree, AllowAnonymous,
        TlsCert, TlsKey, TlsClientCa, TlsClientAuth, JwtKey, JwtIssuer, JwtAudience, DefaultUser, DefaultPassword, TestMode, LogLevel,
    ];
}

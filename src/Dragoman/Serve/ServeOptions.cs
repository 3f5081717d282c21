using System.Globalization;
using System.Net;
using Dragoman.Commands;
using Dragoman.Protocols.Tls;
using Dragoman.Storage.Journal;
using Microsoft.Extensions.Logging;

namespace Dragoman.Serve;

/// <summary>The settings of <c>serve</c>, checked.</summary>
internal sealed record ServeOptions
{
    public required string Data { get; init; }

    public required IPAddress Bind { get; init; }

    /// <summary>Port of the Kafka listener; 0 for a free one, null for none.</summary>
    public int? Kafka { get; init; }

    /// <summary>Port of the AMQP listener; 0 for a free one, null for none.</summary>
    public int? Amqp { get; init; }

    /// <summary>Port of the AWS listener; 0 for a free one, null for none.</summary>
    public int? Aws { get; init; }

    /// <summary>The account of AWS' clients.</summary>
    public required string AwsAccount { get; init; }

    /// <summary>A file that says which queues and topics to make; null for none.</summary>
    public string? AwsInit { get; init; }

    /// <summary>Port of the Redis listener; 0 for a free one, null for none.</summary>
    public int? Redis { get; init; }

    /// <summary>Path of the Redis listener's Unix domain socket; null for none.</summary>
    public string? RedisSocket { get; init; }

    /// <summary>Port of the admin listener; 0 for a free one, null for none.</summary>
    public int? Admin { get; init; }

    public string? AdvertisedHost { get; init; }

    public int? AdvertisedPort { get; init; }

    public string? Rack { get; init; }

    public CommitMode CommitMode { get; init; }

    public int Partitions { get; init; }

    public bool AutoCreate { get; init; }

    public int NodeId { get; init; }

    public int JournalFileBytes { get; init; }

    /// <summary>Bytes of the volume that publishers leave free.</summary>
    public long KeepFreeBytes { get; init; }

    /// <summary>Whether clients that do not log in are let in where that would be unsafe to assume.</summary>
    public bool AllowAnonymous { get; init; }

    public string? TlsCert { get; init; }

    public string? TlsKey { get; init; }

    public string? TlsClientCa { get; init; }

    public ClientCertificates TlsClientAuth { get; init; }

    public string? JwtKey { get; init; }

    public string? JwtIssuer { get; init; }

    public string? JwtAudience { get; init; }

    public string? DefaultUser { get; init; }

    public string? DefaultPassword { get; init; }

    public bool TestMode { get; init; }

    public LogLevel LogLevel { get; init; }

    /// <summary>Reads the settings.</summary>
    /// <exception cref="CommandException">One of them makes no sense, or they open the broker to strangers.</exception>
    public static ServeOptions From(SettingSources sources)
    {
        var options = new ServeOptions
        {
            Data = Path.GetFullPath(Text(sources, Setting.Data) ?? "dragoman-data"),
            Bind = Address(sources),
            Kafka = Port(sources, Setting.Kafka, 9092),
            Amqp = Port(sources, Setting.Amqp, 5672),
            Aws = Port(sources, Setting.Aws, 4566),
            AwsAccount = Account(sources),
            AwsInit = Text(sources, Setting.AwsInit) is { } init ? Path.GetFullPath(init) : null,
            Redis = Port(sources, Setting.Redis, 6379),
            RedisSocket = Text(sources, Setting.RedisSocket) is { } path ? Path.GetFullPath(path) : null,
            Admin = Port(sources, Setting.Admin, 15672),
            AdvertisedHost = Text(sources, Setting.AdvertisedHost),
            AdvertisedPort = sources.TryGet(Setting.AdvertisedPort, out _) ? Number(sources, Setting.AdvertisedPort, 0, 1, IPEndPoint.MaxPort) : null,
            Rack = Text(sources, Setting.Rack),
            CommitMode = Mode(sources),
            Partitions = Number(sources, Setting.Partitions, 1, 1, Broker.Topics.ITopics.MaxPartitions),
            AutoCreate = !Flag(sources, Setting.NoAutoCreate),
            NodeId = Number(sources, Setting.NodeId, 1, 0, int.MaxValue),
            JournalFileBytes = JournalFile(sources),
            KeepFreeBytes = KeepFree(sources),
            AllowAnonymous = Flag(sources, Setting.AllowAnonymous),
            TlsCert = Text(sources, Setting.TlsCert),
            TlsKey = Text(sources, Setting.TlsKey),
            TlsClientCa = Text(sources, Setting.TlsClientCa),
            TlsClientAuth = ClientAuth(sources),
            JwtKey = Text(sources, Setting.JwtKey),
            JwtIssuer = Text(sources, Setting.JwtIssuer),
            JwtAudience = Text(sources, Setting.JwtAudience),
            DefaultUser = Text(sources, Setting.DefaultUser),
            DefaultPassword = Text(sources, Setting.DefaultPassword),
            TestMode = Flag(sources, Setting.TestMode),
            LogLevel = Level(sources),
        };
        if (options.TlsCert is null != options.TlsKey is null)
            throw new CommandException($"{Setting.TlsCert.Option} and {Setting.TlsKey.Option} go together.", ExitCode.Usage);
        if (options.TlsCert is null && options.TlsClientAuth != ClientCertificates.None)
            throw new CommandException($"Clients can be asked for certificates over TLS only: give {Setting.TlsCert.Option} and {Setting.TlsKey.Option}.", ExitCode.Usage);
        if (options.DefaultUser is null != options.DefaultPassword is null)
            throw new CommandException($"{Setting.DefaultUser.Option} and {Setting.DefaultPassword.Option} go together.", ExitCode.Usage);
        return options;
    }

    /// <summary>Refuses to open the broker to strangers.</summary>
    /// <param name="hasUsers">Whether clients have to log in.</param>
    /// <exception cref="CommandException">It would be open.</exception>
    public void CheckBind(bool hasUsers)
    {
        if (IPAddress.IsLoopback(Bind) || hasUsers || AllowAnonymous) return;
        throw new CommandException(
            $"""
            Refusing to listen on {Bind}: this broker has no users yet, so whoever reaches that address could read and write everything.
            Make one first ({Setting.DefaultUser.Option} NAME {Setting.DefaultPassword.Option} TEXT, or 'dragoman user create' while it listens on this machine only), or add {Setting.AllowAnonymous.Option} if the network keeps strangers out.
            """, ExitCode.Usage);
    }

    private static string? Text(SettingSources sources, Setting setting) => sources.TryGet(setting, out var value) && value.Text.Length > 0 ? value.Text : null;

    private static IPAddress Address(SettingSources sources)
    {
        if (!sources.TryGet(Setting.Bind, out var value)) return IPAddress.Loopback;
        if (value.Text == "*") return IPAddress.Any;
        if (value.Text.Equals("localhost", StringComparison.OrdinalIgnoreCase)) return IPAddress.Loopback;
        return IPAddress.TryParse(value.Text, out var address) ? address : throw Bad(value, "an IP address of this machine, such as 127.0.0.1 or 0.0.0.0");
    }

    private static string Account(SettingSources sources)
    {
        if (!sources.TryGet(Setting.AwsAccount, out var value)) return "000000000000";
        return value.Text.Length == 12 && value.Text.All(char.IsAsciiDigit) ? value.Text : throw Bad(value, "twelve digits");
    }

    private static int? Port(SettingSources sources, Setting setting, int fallback)
    {
        if (!sources.TryGet(setting, out var value)) return fallback;
        if (value.Text.Equals("off", StringComparison.OrdinalIgnoreCase) || value.Text == "false") return null;
        return int.TryParse(value.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= IPEndPoint.MaxPort
            ? port
            : throw Bad(value, "a port from 1 to 65535, 0 for a free one, or off");
    }

    private static int Number(SettingSources sources, Setting setting, int fallback, int least, int most)
    {
        if (!sources.TryGet(setting, out var value)) return fallback;
        return int.TryParse(value.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw Bad(value, most == int.MaxValue ? $"a whole number from {least}" : $"a whole number from {least} to {most}");
    }

    private static bool Flag(SettingSources sources, Setting setting)
    {
        if (!sources.TryGet(setting, out var value)) return false;
        return value.Text.ToUpperInvariant() switch
        {
            "TRUE" or "1" or "YES" or "ON" => true,
            "FALSE" or "0" or "NO" or "OFF" => false,
            _ => throw Bad(value, "true or false"),
        };
    }

    private static ClientCertificates ClientAuth(SettingSources sources)
    {
        if (!sources.TryGet(Setting.TlsClientAuth, out var value))
            return Text(sources, Setting.TlsClientCa) is null ? ClientCertificates.None : ClientCertificates.Optional;
        return value.Text.ToUpperInvariant() switch
        {
            "NONE" => ClientCertificates.None,
            "OPTIONAL" => ClientCertificates.Optional,
            "REQUIRED" => ClientCertificates.Required,
            _ => throw Bad(value, "none, optional or required"),
        };
    }

    private static CommitMode Mode(SettingSources sources)
    {
        if (!sources.TryGet(Setting.CommitMode, out var value)) return CommitMode.Fsync;
        return value.Text.ToUpperInvariant() switch
        {
            "FSYNC" => CommitMode.Fsync,
            "WRITTEN" => CommitMode.Written,
            "MEMORY" => CommitMode.Memory,
            _ => throw Bad(value, "fsync, written or memory"),
        };
    }

    private static LogLevel Level(SettingSources sources)
    {
        if (!sources.TryGet(Setting.LogLevel, out var value)) return LogLevel.Information;
        return value.Text.ToUpperInvariant() switch
        {
            "TRACE" => LogLevel.Trace,
            "DEBUG" => LogLevel.Debug,
            "INFO" or "INFORMATION" => LogLevel.Information,
            "WARN" or "WARNING" => LogLevel.Warning,
            "ERROR" => LogLevel.Error,
            _ => throw Bad(value, "debug, info, warn or error"),
        };
    }

    private static int JournalFile(SettingSources sources)
    {
        const long Least = 1 << 20;
        const long Most = 1 << 30;
        if (!sources.TryGet(Setting.JournalFileSize, out var value)) return 64 << 20;
        return ByteSize.TryParse(value.Text, out var bytes) && bytes is >= Least and <= Most ? (int)bytes : throw Bad(value, "a size from 1MiB to 1GiB, such as 64MiB");
    }

    private static long KeepFree(SettingSources sources)
    {
        if (!sources.TryGet(Setting.KeepFree, out var value)) return 128 << 20;
        return ByteSize.TryParse(value.Text, out var bytes) ? bytes : throw Bad(value, "a size, such as 128MiB or 10GiB");
    }

    private static CommandException Bad(SettingSources.Value value, string expected) =>
        new($"{value.Origin} is '{value.Text}'; it should be {expected}.", ExitCode.Usage);
}

using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Dragoman.Broker.Namespaces;

namespace Dragoman.Protocols.Connections;

/// <summary>
/// A connection as long as it is there. Its front end says what it knows of it, and counts what goes in and out; anybody
/// may read that, and close it.
/// </summary>
public sealed class LiveConnection
{
    private readonly Action<string> _abort;
    private long _receivedBytes;
    private long _receivedPackets;
    private long _sentBytes;
    private long _sentPackets;

    /// <summary>Creates one that no registry knows: for sessions without a socket.</summary>
    public LiveConnection()
        : this(new ConnectionRegistry(TimeProvider.System), 0, "", null, null, static _ => { })
    {
    }

    internal LiveConnection(ConnectionRegistry registry, long number, string protocol, EndPoint? local, EndPoint? peer, Action<string> abort)
    {
        Registry = registry;
        Number = number;
        Protocol = protocol;
        Local = local;
        Peer = peer;
        _abort = abort;
        ConnectedAt = registry.Now;
        Name = $"{Describe(peer)} -> {Describe(local)}";
    }

    /// <summary>Where it is listed.</summary>
    public ConnectionRegistry Registry { get; }

    /// <summary>Its number: unique for as long as the process runs.</summary>
    public long Number { get; }

    /// <summary>Its name: <c>peer -> local</c>, as RabbitMQ spells it.</summary>
    public string Name { get; }

    /// <summary>The protocol, as people call it.</summary>
    public string Protocol { get; set; }

    /// <summary>The address that the client reached.</summary>
    public EndPoint? Local { get; }

    /// <summary>Where the client is.</summary>
    public EndPoint? Peer { get; }

    /// <summary>The version of TLS, if the connection uses that.</summary>
    public SslProtocols Tls { get; internal set; }

    /// <summary>The name of TLS' cipher suite.</summary>
    public string? TlsCipher { get; internal set; }

    /// <summary>The subject of the certificate that the client has shown.</summary>
    public string? PeerCertificate { get; internal set; }

    /// <summary>When it was accepted.</summary>
    public DateTimeOffset ConnectedAt { get; }

    /// <summary>The user who has logged in; null if nobody has.</summary>
    public string? User { get; set; }

    /// <summary>How the user has logged in, where the protocol has several ways.</summary>
    public string? Mechanism { get; set; }

    /// <summary>The namespace that it works in, where the protocol binds a connection to one.</summary>
    public NamespaceName Namespace { get; set; } = NamespaceName.Default;

    /// <summary>What the protocol says of where it stands: RabbitMQ's <c>running</c>, <c>blocked</c>, <c>closing</c> and others.</summary>
    public string State { get; set; } = "running";

    /// <summary>The most channels, as agreed; 0 where there are none.</summary>
    public int ChannelMax { get; set; }

    /// <summary>The largest frame in bytes, as agreed; 0 where there is no such limit.</summary>
    public int FrameMax { get; set; }

    /// <summary>Seconds between signs of life, as agreed; 0 for none.</summary>
    public int HeartbeatSeconds { get; set; }

    /// <summary>What the client has said of itself: a JSON object.</summary>
    public string ClientProperties { get; set; } = "{}";

    /// <summary>What the client calls the connection, if it does.</summary>
    public string? ProvidedName { get; set; }

    /// <summary>The channels, where the protocol has such.</summary>
    public IChannelSource? Channels { get; set; }

    /// <summary>Ends it as the protocol does that, with a reason; null for the socket being closed without a word.</summary>
    public Action<string>? Closing { get; set; }

    /// <summary>Bytes received.</summary>
    public long ReceivedBytes => Volatile.Read(ref _receivedBytes);

    /// <summary>Times that something was received.</summary>
    public long ReceivedPackets => Volatile.Read(ref _receivedPackets);

    /// <summary>Bytes sent.</summary>
    public long SentBytes => Volatile.Read(ref _sentBytes);

    /// <summary>Times that something was sent.</summary>
    public long SentPackets => Volatile.Read(ref _sentPackets);

    /// <summary>Takes in that something was received. Called by the one loop that reads.</summary>
    public void OnReceived(long bytes)
    {
        Volatile.Write(ref _receivedBytes, _receivedBytes + bytes);
        Volatile.Write(ref _receivedPackets, _receivedPackets + 1);
    }

    /// <summary>Takes in that something was sent. Called by the one loop that writes.</summary>
    public void OnSent(long bytes)
    {
        Volatile.Write(ref _sentBytes, _sentBytes + bytes);
        Volatile.Write(ref _sentPackets, _sentPackets + 1);
    }

    /// <summary>Ends it; returns at once.</summary>
    /// <param name="reason">Why, for the client and the log.</param>
    public void Close(string reason)
    {
        if (Closing is { } closing) closing(reason);
        else _abort(reason);
    }

    /// <summary>Host and port of an address.</summary>
    public static (string Host, int Port) Split(EndPoint? endpoint) => endpoint switch
    {
        IPEndPoint ip => ((ip.Address.IsIPv4MappedToIPv6 ? ip.Address.MapToIPv4() : ip.Address).ToString(), ip.Port),
        UnixDomainSocketEndPoint socket => ($"unix:{socket}", 0),
        _ => ("unknown", 0),
    };

    private static string Describe(EndPoint? endpoint)
    {
        var (host, port) = Split(endpoint);
        return endpoint is not IPEndPoint ? host : host.Contains(':', StringComparison.Ordinal) ? $"[{host}]:{port}" : $"{host}:{port}";
    }
}

using System.Text;
using Dragoman.Amqp.Access;
using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;

namespace Dragoman.Amqp.Sessions;

/// <summary>How a connection comes to be: what the server says of itself, and how clients log in.</summary>
internal static class Handshake
{
    private const string Plain = "PLAIN";
    private const string AmqPlain = "AMQPLAIN";
    private const string External = "EXTERNAL";

    // What RabbitMQ announces; libraries use an extension only if its name is here.
    private static readonly FieldTable Capabilities = new(
        new[]
        {
            "publisher_confirms", "exchange_exchange_bindings", "basic.nack", "consumer_cancel_notify", "connection.blocked",
            "consumer_priorities", "authentication_failure_close", "per_consumer_qos", "direct_reply_to",
        }.Select(name => KeyValuePair.Create(name, FieldValue.OfBoolean(true))));

    /// <summary>The server's first method.</summary>
    public static ConnectionStart Start(AmqpSession session)
    {
        var options = session.FrontEnd.Options;
        var version = typeof(Handshake).Assembly.GetName().Version!.ToString(3);
        return new ConnectionStart
        {
            VersionMajor = 0,
            VersionMinor = 9,
            ServerProperties = new FieldTable(
                KeyValuePair.Create("capabilities", FieldValue.OfTable(Capabilities)),
                KeyValuePair.Create("cluster_name", FieldValue.OfText($"dragoman@{session.FrontEnd.Broker.Options.NodeId}")),
                // Links of another Dragoman trust what a transaction has left here.
                KeyValuePair.Create("dragoman.atomic_transactions", FieldValue.OfBoolean(true)),
                KeyValuePair.Create("information", FieldValue.OfText($"Dragoman {version}, serving AMQP 0-9-1 as {options.Product} {options.ProductVersion} does")),
                KeyValuePair.Create("platform", FieldValue.OfText($"Dragoman {version} on .NET {Environment.Version}")),
                KeyValuePair.Create("product", FieldValue.OfText(options.Product)),
                KeyValuePair.Create("version", FieldValue.OfText(options.ProductVersion))),
            // A certificate can speak for a client only where TLS has seen one.
            Mechanisms = Encoding.ASCII.GetBytes(session.Certificate is null ? $"{Plain} {AmqPlain}" : $"{Plain} {AmqPlain} {External}"),
            Locales = "en_US"u8.ToArray(),
        };
    }

    /// <summary>Checks what the client has answered to <see cref="Start"/>.</summary>
    /// <exception cref="ConnectionException">The mechanism or its response makes no sense.</exception>
    public static AmqpUser? Authenticate(AmqpSession session, string mechanism, byte[] response)
    {
        var login = session.FrontEnd.Login;
        switch (mechanism)
        {
            case Plain when ReadPlain(response) is var (name, password):
                return login.Check(name, password, session.Remote);
            case Plain:
                throw new ConnectionException(ReplyCode.SyntaxError, "response of mechanism PLAIN is not NUL user NUL password");
            case AmqPlain when ReadAmqPlain(response) is var (name, password):
                return login.Check(name, password, session.Remote);
            case AmqPlain:
                throw new ConnectionException(ReplyCode.SyntaxError, "AMQPLAIN auth info misses LOGIN or PASSWORD field");
            case External when session.Certificate is { } certificate:
                return login.Check(certificate, session.Remote);
            case External:
                throw new ConnectionException(ReplyCode.CommandInvalid, "invalid authentication mechanism 'EXTERNAL'");
            default:
                throw new ConnectionException(ReplyCode.CommandInvalid, $"unknown authentication mechanism '{mechanism}'");
        }
    }

    /// <summary>What somebody who has not sent an AMQP header is likely to have meant.</summary>
    public static string Guess(ReadOnlySpan<byte> header)
    {
        if (header[0] == 0x16 && header[1] == 3) return "The client began a TLS handshake, and this port speaks plain AMQP. Use amqp:// instead of amqps://.";
        if (header.StartsWith("AMQP\0\x01\0\0"u8) || header.StartsWith("AMQP\x03\x01\0\0"u8)) return "The client speaks AMQP 1.0, and this port speaks AMQP 0-9-1. They are different protocols: use a client for RabbitMQ.";
        if (header.StartsWith("AMQP"u8)) return $"The client speaks AMQP {header[5]}-{header[6]}-{header[7]}, and this port speaks 0-9-1.";
        if (header.StartsWith("GET "u8) || header.StartsWith("POST"u8) || header.StartsWith("HEAD"u8) || header.StartsWith("PUT "u8))
            return "The client sent an HTTP request, and this port speaks AMQP 0-9-1. Is the URL's port right?";
        return "What the client sent is no AMQP header. Is it an AMQP 0-9-1 client?";
    }

    /// <summary>An identity that is ignored, a NUL, the name, a NUL, and the password (RFC 4616).</summary>
    private static (string Name, string Password)? ReadPlain(ReadOnlySpan<byte> response)
    {
        var first = response.IndexOf((byte)0);
        if (first < 0) return null;
        var rest = response[(first + 1)..];
        var second = rest.IndexOf((byte)0);
        return second < 0 ? null : (Encoding.UTF8.GetString(rest[..second]), Encoding.UTF8.GetString(rest[(second + 1)..]));
    }

    /// <summary>A table without its length.</summary>
    private static (string Name, string Password)? ReadAmqPlain(ReadOnlySpan<byte> response)
    {
        var fields = new WireReader(response).Fields();
        return fields.TryGet("LOGIN", out var name) && fields.TryGet("PASSWORD", out var password) ? (name.Text, password.Text) : null;
    }
}

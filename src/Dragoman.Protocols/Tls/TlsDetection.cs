using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Dragoman.Protocols.Tls;

/// <summary>
/// Lets a listener accept TLS on the port where it also accepts plain connections: no protocol served here begins with
/// the byte that begins a TLS handshake, 0x16 (RFC 8446, section 5.1).
/// </summary>
internal sealed class TlsDetection(ConnectionDelegate next, Func<TlsSettings> settings, List<SslApplicationProtocol>? protocols, ILogger log)
{
    private const byte Handshake = 0x16;

    public async Task OnConnectionAsync(ConnectionContext connection)
    {
        var input = connection.Transport.Input;
        ReadResult read;
        try
        {
            read = await input.ReadAsync(connection.ConnectionClosed).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            // It went away before it said anything.
            return;
        }
        var isTls = !read.Buffer.IsEmpty && read.Buffer.FirstSpan[0] == Handshake;
        input.AdvanceTo(read.Buffer.Start);
        if (isTls) await ServeAsync(connection).ConfigureAwait(false);
        else await next(connection).ConfigureAwait(false);
    }

    private async Task ServeAsync(ConnectionContext connection)
    {
        var plain = connection.Transport;
        var stream = new SslStream(new DuplexPipeStream(plain.Input, plain.Output), leaveInnerStreamOpen: false);
        await using (stream.ConfigureAwait(false))
        {
            var tls = settings();
            using (var patience = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed))
            {
                patience.CancelAfter(tls.HandshakeTimeout);
                try
                {
                    await stream.AuthenticateAsServerAsync(tls.CreateOptions(protocols), patience.Token).ConfigureAwait(false);
                }
                catch (Exception error) when (error is AuthenticationException or IOException or OperationCanceledException)
                {
                    log.LogInformation("The TLS handshake with {Client} failed: {Reason}", connection.RemoteEndPoint, error.InnerException?.Message ?? error.Message);
                    return;
                }
            }
            var secured = new SecuredTransport(stream);
            var features = new TlsFeatures(stream);
            connection.Features.Set<ITlsConnectionFeature>(features);
            connection.Features.Set<ITlsHandshakeFeature>(features);
            connection.Transport = secured;
            try
            {
                await next(connection).ConfigureAwait(false);
            }
            finally
            {
                await secured.Input.CompleteAsync().ConfigureAwait(false);
                await secured.Output.CompleteAsync().ConfigureAwait(false);
                connection.Transport = plain;
            }
        }
    }

    /// <summary>The decrypted side of a connection.</summary>
    private sealed class SecuredTransport(SslStream stream) : IDuplexPipe
    {
        public PipeReader Input { get; } = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 16 << 10, minimumReadSize: 4 << 10, leaveOpen: true));

        public PipeWriter Output { get; } = PipeWriter.Create(stream, new StreamPipeWriterOptions(minimumBufferSize: 16 << 10, leaveOpen: true));
    }

    /// <summary>What front ends may ask about the encryption.</summary>
    private sealed class TlsFeatures(SslStream stream) : ITlsConnectionFeature, ITlsHandshakeFeature
    {
        public X509Certificate2? ClientCertificate { get; set; } = stream.RemoteCertificate as X509Certificate2;

        public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) => Task.FromResult(ClientCertificate);

        public SslProtocols Protocol => stream.SslProtocol;

        public TlsCipherSuite? NegotiatedCipherSuite => stream.NegotiatedCipherSuite;

        public string HostName => stream.TargetHostName;

#pragma warning disable SYSLIB0058 // The interface asks for what is better read from the cipher suite.
        public CipherAlgorithmType CipherAlgorithm => stream.CipherAlgorithm;

        public int CipherStrength => stream.CipherStrength;

        public HashAlgorithmType HashAlgorithm => stream.HashAlgorithm;

        public int HashStrength => stream.HashStrength;

        public ExchangeAlgorithmType KeyExchangeAlgorithm => stream.KeyExchangeAlgorithm;

        public int KeyExchangeStrength => stream.KeyExchangeStrength;
#pragma warning restore SYSLIB0058
    }
}

/// <summary>Puts the detection in front of a listener.</summary>
public static class TlsListener
{
    /// <summary>Makes a listener accept TLS beside plain connections.</summary>
    /// <param name="listener">The listener.</param>
    /// <param name="settings">The certificate.</param>
    /// <param name="log">Where failed handshakes are told of.</param>
    public static void AcceptTls(this ListenOptions listener, TlsSettings settings, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(listener);
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(log);
        listener.AcceptTls(() => settings, log);
    }

    /// <summary>As <see cref="AcceptTls(ListenOptions, TlsSettings, ILogger)"/>, with settings that are asked for when the first client wants TLS.</summary>
    public static void AcceptTls(this ListenOptions listener, Func<TlsSettings> settings, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(listener);
        listener.Use(next => new TlsDetection(next, settings, Protocols(listener), log).OnConnectionAsync);
    }

    private static List<SslApplicationProtocol>? Protocols(ListenOptions listener)
    {
        // Front ends that are no HTTP leave Kestrel's default, and their clients ask for no protocol. Where Kestrel serves
        // HTTP/2 alone it expects it unasked, so the client must be told that this is what it gets.
        return listener.Protocols switch
        {
            HttpProtocols.Http2 => [SslApplicationProtocol.Http2],
            HttpProtocols.Http1 => [SslApplicationProtocol.Http11],
            _ => null,
        };
    }
}

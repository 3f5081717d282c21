using System.Net;
using Dragoman.Aws.Http;
using Dragoman.Aws.Setup;
using Dragoman.Aws.Signing;
using Dragoman.Aws.Sns;
using Dragoman.Aws.Sns.Delivery;
using Dragoman.Aws.Sns.Signing;
using Dragoman.Aws.Sqs;
using Dragoman.Aws.Sts;
using Dragoman.Protocols;
using Dragoman.Protocols.Authentication;
using Dragoman.Protocols.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Dragoman.Aws;

/// <summary>Amazon SQS and SNS on one endpoint, as AWS' clients know them, and what little of STS they ask for.</summary>
public sealed class AwsFrontEnd : IHttpFrontEnd, IDisposable
{
    private readonly Dispatcher _dispatcher;
    private readonly AwsNode _node;
    private readonly Signer _signer;
    private readonly EndpointDelivery _endpoints;
    private readonly Lazy<TlsSettings> _ownTls;
    private readonly InitFile _init;
    private readonly Reset _reset;

    /// <summary>Makes a front end for a broker.</summary>
    /// <param name="broker">The broker.</param>
    /// <param name="options">How it behaves.</param>
    /// <param name="loggers">Where to log.</param>
    /// <param name="authenticator">Who may come in.</param>
    public AwsFrontEnd(Broker.Broker broker, AwsOptions options, ILoggerFactory loggers, Authenticator authenticator)
    {
        ArgumentNullException.ThrowIfNull(broker);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(loggers);
        var log = loggers.CreateLogger<AwsFrontEnd>();
        _node = new AwsNode(broker, options, log);
        _signer = new Signer(broker.Notifications, broker.Time);
        _ownTls = new Lazy<TlsSettings>(() => TlsSettings.Of(_signer.Certificate));
        broker.Routing.Register(new NotificationTransformation(_signer, options));
        _endpoints = new EndpointDelivery(_node, _signer);
        Service[] services = [SqsService.Create(_node), SnsService.Create(new SnsNode(_node, _signer, _endpoints)), StsService.Create(_node)];
        _init = new InitFile(services, options, authenticator);
        _reset = new Reset(_node);
        _dispatcher = new Dispatcher(services, authenticator, new SignatureVerifier(broker.Accounts, broker.Time), options, log);
    }

    /// <inheritdoc/>
    public string Name => "aws";

    /// <inheritdoc/>
    public bool UsesLoops => true;

    /// <summary>
    /// Validators of notifications take a certificate from an <c>https</c> address alone: without a certificate of the server's
    /// own, the one that signs serves that, too.
    /// </summary>
    public Func<TlsSettings>? OwnTls => () => _ownTls.Value;

    /// <inheritdoc/>
    public void ConfigureListener(ListenOptions listener)
    {
        ArgumentNullException.ThrowIfNull(listener);
        listener.Protocols = HttpProtocols.Http1;
    }

    /// <inheritdoc/>
    public void OnBound(IPEndPoint endpoint) => _endpoints.Start();

    /// <inheritdoc/>
    public void ConfigureApplication(IApplicationBuilder application) => application.Run(HandleAsync);

    /// <summary>
    /// Makes the queues, topics and subscriptions that a file names; what is there already stays, if it is as the file says. The
    /// file is JSON, as docs/aws.md has it.
    /// </summary>
    /// <param name="json">The content of the file.</param>
    /// <exception cref="InvalidDataException">It cannot be done; the message says why.</exception>
    public Task InitializeAsync(string json) => _init.ApplyAsync(json);

    private Task HandleAsync(HttpContext context) => context.Request.Path.Value switch
    {
        "/_dragoman/reset" or "/_localstack/state/reset" when _node.Options.AllowReset => _reset.HandleAsync(context),
        "/health" or "/_dragoman/health" or "/_localstack/health" => Health.HandleAsync(context),
        { } path when path.StartsWith("/SimpleNotificationService-", StringComparison.Ordinal) => WriteCertificateAsync(context, path),
        _ => _dispatcher.HandleAsync(context),
    };

    /// <summary>The certificate by which signatures of notifications can be checked.</summary>
    private Task WriteCertificateAsync(HttpContext context, string path)
    {
        if (path != _signer.CertificatePath)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }
        context.Response.ContentType = "application/x-pem-file";
        return context.Response.WriteAsync(_signer.CertificatePem, context.RequestAborted);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _endpoints.Dispose();
        _signer.Dispose();
    }
}

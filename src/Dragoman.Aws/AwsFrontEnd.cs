using System.Net;
using Dragoman.Aws.Http;
using Dragoman.Aws.Signing;
using Dragoman.Aws.Sqs;
using Dragoman.Aws.Sts;
using Dragoman.Protocols;
using Dragoman.Protocols.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Dragoman.Aws;

/// <summary>Amazon SQS and SNS on one endpoint, as AWS' clients know them, and what little of STS they ask for.</summary>
public sealed class AwsFrontEnd : IHttpFrontEnd
{
    private readonly Dispatcher _dispatcher;
    private readonly AwsNode _node;

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
        _dispatcher = new Dispatcher(
            [SqsService.Create(_node), StsService.Create(_node)], authenticator, new SignatureVerifier(broker.Accounts, broker.Time), options, log);
    }

    /// <inheritdoc/>
    public string Name => "aws";

    /// <inheritdoc/>
    public void ConfigureListener(ListenOptions listener)
    {
        ArgumentNullException.ThrowIfNull(listener);
        listener.Protocols = HttpProtocols.Http1;
    }

    /// <inheritdoc/>
    public void OnBound(IPEndPoint endpoint)
    {
    }

    /// <inheritdoc/>
    public void ConfigureApplication(IApplicationBuilder application) => application.Run(HandleAsync);

    private Task HandleAsync(HttpContext context) => context.Request.Path.Value switch
    {
        "/health" or "/_dragoman/health" or "/_localstack/health" => Health.HandleAsync(context),
        _ => _dispatcher.HandleAsync(context),
    };
}

using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;
using Microsoft.Extensions.Logging;

namespace Dragoman.Kafka.Handlers;

/// <summary>Takes a client's step of a SASL exchange.</summary>
internal sealed class SaslAuthenticateHandler : RequestHandler<SaslAuthenticateRequest, SaslAuthenticateResponse>
{
    protected override ValueTask<SaslAuthenticateResponse?> HandleAsync(SaslAuthenticateRequest message, PendingRequest request) =>
        ValueTask.FromResult<SaslAuthenticateResponse?>(Step(message, request));

    private static SaslAuthenticateResponse Step(SaslAuthenticateRequest message, PendingRequest request)
    {
        if (request.Session.Sasl is not { } exchange)
            return new SaslAuthenticateResponse { ErrorCode = ErrorCode.IllegalSaslState, ErrorMessage = "SaslHandshake comes first." };
        var step = exchange.Step(message.AuthBytes);
        if (step.Answer is null)
        {
            request.FrontEnd.Log.LogWarning("Connection {Connection} failed to authenticate with {Mechanism}.", request.Session.Name, exchange.Mechanism);
            request.Session.EndSasl(null, null);
            // The client reads why, and then the connection is of no use to it.
            request.Session.CloseAfterAnswers();
            return new SaslAuthenticateResponse { ErrorCode = ErrorCode.SaslAuthenticationFailed, ErrorMessage = step.Error };
        }
        var response = new SaslAuthenticateResponse { AuthBytes = step.Answer };
        if (step.Identity is null) return response;
        request.Session.EndSasl(step.Identity, step.Expires);
        if (step.Expires is { } expires) response.SessionLifetimeMs = Math.Max(1, (long)(expires - request.Broker.Time.GetUtcNow()).TotalMilliseconds);
        return response;
    }
}

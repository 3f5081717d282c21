using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Begins a SASL exchange. After version 0, the client sends the mechanism's bytes bare.</summary>
internal sealed class SaslHandshakeHandler : RequestHandler<SaslHandshakeRequest, SaslHandshakeResponse>
{
    protected override ValueTask<SaslHandshakeResponse?> HandleAsync(SaslHandshakeRequest message, PendingRequest request)
    {
        var response = new SaslHandshakeResponse { Mechanisms = SaslExchange.Mechanisms };
        if (!SaslExchange.Mechanisms.Contains(message.Mechanism)) response.ErrorCode = ErrorCode.UnsupportedSaslMechanism;
        else request.Session.BeginSasl(message.Mechanism, bare: request.Version == 0);
        return ValueTask.FromResult<SaslHandshakeResponse?>(response);
    }
}

using System.Buffers;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;
using Dragoman.Protocols;

namespace Dragoman.Kafka.Handlers;

/// <summary>Takes a step of a SASL exchange that comes without a request around it, as after SaslHandshake version 0.</summary>
internal sealed class BareSaslHandler : RequestHandler
{
    public override ApiKey Key => ApiKey.SaslAuthenticate;

    public override bool Handles(short version) => true;

    public override ValueTask HandleAsync(PendingRequest request)
    {
        var step = request.Session.Sasl!.Step(request.Body.Span);
        request.ReleaseFrame();
        if (step.Answer is null) throw new ConnectionFailedException(step.Error!);
        request.Response = step.Answer;
        if (step.Identity is not null) request.Session.EndSasl(step.Identity, step.Expires);
        return ValueTask.CompletedTask;
    }

    public override long Write(IBufferWriter<byte> output, IRecordsSink? sink, PendingRequest request)
    {
        var answer = (byte[])request.Response!;
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(output.GetSpan(sizeof(int)), answer.Length);
        output.Advance(sizeof(int));
        output.Write(answer);
        return sizeof(int) + answer.Length;
    }
}

using System.Buffers;
using System.Runtime.CompilerServices;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;

namespace Dragoman.Kafka.Handlers;

/// <summary>Does what one kind of request asks. Stateless: one instance serves all connections.</summary>
internal abstract class RequestHandler
{
    /// <summary>Which request.</summary>
    public abstract ApiKey Key { get; }

    /// <summary>Whether the next request of the same kind may begin before this one is answered.</summary>
    public virtual bool MayOverlap => false;

    /// <summary>The highest version to advertise and to handle.</summary>
    public virtual short MaxVersion => short.MaxValue;

    /// <summary>Whether requests of a version can be handled.</summary>
    public abstract bool Handles(short version);

    /// <summary>Decodes the request, does it, and sets the answer.</summary>
    /// <exception cref="KafkaWireException">The request is malformed.</exception>
    public abstract ValueTask HandleAsync(PendingRequest request);

    /// <summary>Writes the answer's frame.</summary>
    /// <returns>Its length in bytes.</returns>
    public abstract long Write(IBufferWriter<byte> output, IRecordsSink? sink, PendingRequest request);
}

/// <summary>Does what one kind of request asks, between decoding and encoding.</summary>
internal abstract class RequestHandler<TRequest, TResponse> : RequestHandler
    where TRequest : IKafkaRequest<TRequest>
    where TResponse : class, IKafkaResponse<TResponse>
{
    public sealed override ApiKey Key => TRequest.ApiKey;

    public override short MaxVersion => TRequest.MaxVersion;

    public override bool Handles(short version) => version >= TRequest.MinVersion && version <= MaxVersion;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask HandleAsync(PendingRequest request)
    {
        var message = Decode(request);
        // Nothing in a decoded message refers to the frame, records aside, which Produce alone has.
        request.ReleaseFrame();
        request.Response = await HandleAsync(message, request).ConfigureAwait(false);
    }

    public sealed override long Write(IBufferWriter<byte> output, IRecordsSink? sink, PendingRequest request) =>
        KafkaFrame.WriteResponse(output, sink, request.Header.CorrelationId, request.ResponseVersion, (TResponse)request.Response!);

    /// <summary>Does what the request asks.</summary>
    protected abstract ValueTask<TResponse?> HandleAsync(TRequest message, PendingRequest request);

    /// <summary>Decodes the request, which keeps referring to the frame where it has records.</summary>
    protected static TRequest Decode(PendingRequest request) =>
        KafkaFrame.ReadPrefix<TRequest>(new ReadOnlySequence<byte>(request.Body), request.Version);
}

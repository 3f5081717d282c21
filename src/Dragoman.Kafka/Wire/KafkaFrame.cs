using System.Buffers;

namespace Dragoman.Kafka.Wire;

/// <summary>Whole frames: a length, a header and a body.</summary>
public static class KafkaFrame
{
    /// <summary>Decodes a body that must fill what is left of a frame.</summary>
    /// <exception cref="KafkaWireException">The bytes are no such message.</exception>
    public static T Read<T>(ReadOnlySequence<byte> body, short version)
        where T : IKafkaMessage<T>
    {
        var reader = new KafkaReader(body);
        T message = T.Read(ref reader, version);
        reader.ExpectEnd();
        return message;
    }

    /// <summary>
    /// Decodes a body and ignores what follows it, as Kafka's brokers do. librdkafka relies on that: its request for the
    /// metadata of all topics, flexible versions, has three bytes more than the message it spells.
    /// </summary>
    /// <exception cref="KafkaWireException">The bytes do not begin with such a message.</exception>
    public static T ReadPrefix<T>(ReadOnlySequence<byte> body, short version)
        where T : IKafkaMessage<T>
    {
        var reader = new KafkaReader(body);
        return T.Read(ref reader, version);
    }

    /// <summary>Writes a response frame.</summary>
    /// <returns>The frame's length in bytes, its four-byte length included.</returns>
    /// <exception cref="KafkaWireException">
    /// The message cannot be spelled in this version, or is longer than 2 GiB. Nothing has been written.
    /// </exception>
    public static long WriteResponse<T>(IBufferWriter<byte> output, int correlationId, short version, T response)
        where T : IKafkaResponse<T> => WriteResponse(output, null, correlationId, version, response);

    /// <summary>
    /// Writes a response frame, except for the bytes of record sources: <paramref name="sink"/> learns where those belong.
    /// </summary>
    /// <returns>The frame's length in bytes, its four-byte length and the deferred bytes included.</returns>
    /// <exception cref="KafkaWireException">
    /// The message cannot be spelled in this version, or is longer than 2 GiB. Nothing has been written.
    /// </exception>
    public static long WriteResponse<T>(
        IBufferWriter<byte> output, IRecordsSink? sink, int correlationId, short version, T response)
        where T : IKafkaResponse<T>
    {
        ArgumentNullException.ThrowIfNull(response);
        var counter = KafkaWriter.Counting;
        WriteResponseContent(ref counter, correlationId, version, response);
        var writer = new KafkaWriter(output, sink);
        writer.WriteInt32(FrameLength(counter.Written));
        WriteResponseContent(ref writer, correlationId, version, response);
        writer.Flush();
        return Finish(writer.Written, counter.Written);
    }

    /// <summary>Writes a request frame, as a client does.</summary>
    /// <returns>The frame's length in bytes, its four-byte length included.</returns>
    /// <exception cref="KafkaWireException">The message cannot be spelled in this version.</exception>
    public static long WriteRequest<T>(
        IBufferWriter<byte> output, int correlationId, string? clientId, short version, T request)
        where T : IKafkaRequest<T>
    {
        ArgumentNullException.ThrowIfNull(request);
        var header = new RequestHeader(T.ApiKey, version, correlationId, clientId);
        bool flexible = version >= T.FlexibleFrom;
        var counter = KafkaWriter.Counting;
        header.Write(ref counter, flexible);
        request.Write(ref counter, version);
        var writer = new KafkaWriter(output);
        writer.WriteInt32(FrameLength(counter.Written));
        header.Write(ref writer, flexible);
        request.Write(ref writer, version);
        writer.Flush();
        return Finish(writer.Written, counter.Written);
    }

    private static void WriteResponseContent<T>(ref KafkaWriter writer, int correlationId, short version, T response)
        where T : IKafkaResponse<T>
    {
        writer.WriteInt32(correlationId);
        // ApiVersions keeps the old header in every version (KIP-511): its reader cannot know yet what the broker speaks.
        if (version >= T.FlexibleFrom && T.ApiKey != ApiKey.ApiVersions)
            writer.WriteUnsignedVarint(0);
        response.Write(ref writer, version);
    }

    private static int FrameLength(long counted) => counted <= int.MaxValue - sizeof(int)
        ? (int)counted
        : throw new KafkaWireException(KafkaWireError.Malformed, "The message is longer than 2 GiB.");

    private static long Finish(long written, long counted) => written == counted + sizeof(int)
        ? written
        : throw new InvalidOperationException($"A frame was counted as {counted} bytes and written as {written - sizeof(int)}.");
}
